"""Image networks: convolutions between flat rows of pixels and codes."""

import math

import torch
from torch import nn

from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.image_layers import Empty, Residual, Sum
from skvae.nn.initialization import FIRST_OUTPUT, RECTIFIED, draw_weights
from skvae.nn.standardization import StandardizingEncoder

__all__ = ["ConvolutionalDecoder", "ConvolutionalEncoder"]

SIDES = (8, 256)  # smallest and largest height and width


def _initialize(layers, generator, gain=FIRST_OUTPUT):
    """Draw the weights, with this gain in the last layer; reset the norms."""
    last = [layer for layer in layers if isinstance(layer, Empty | Sum)][-1]
    for layer in layers:
        if isinstance(layer, Sum):
            for path in layer.paths:
                _initialize(path, generator, gain if layer is last else 1.0)
        elif isinstance(layer, Residual):
            _initialize(layer.change, generator)
        elif isinstance(layer, nn.BatchNorm2d | nn.GroupNorm):
            layer.reset_parameters()
        elif isinstance(layer, Empty):
            draw_weights(layer, generator, gain if layer is last else RECTIFIED)


def _check(image_shape):
    height, width, channels = image_shape
    if not all(SIDES[0] <= side <= SIDES[1] for side in (height, width)) or channels < 1:
        raise ValueError(
            f"The image networks need a height and a width from {SIDES[0]} to {SIDES[1]} and at "
            f"least one channel. Got image_shape={tuple(image_shape)} instead. Resize the images, "
            "or leave out image_shape."
        )


class ConvolutionalEncoder(StandardizingEncoder):
    r"""Convolutions on centred and scaled images: ``layers((x - centre) / scale)``.

    Rows (n_samples, height * width * channels) in C order in, (n_samples, n_outputs) out.

    *"residual"* sees the image as a map of patches with a side of 2 pixels where the shorter side
    of the image is below 32, of 4 where it is below 128, else of 8, and halves the map until it
    is at most 4 x 4. Maps of at most 8 x 8 have a residual
    block: a convolution of normalised maps is added to them (K. He et al., 2016, Identity
    mappings in deep residual networks, ECCV; group normalisation, Y. Wu and K. He, 2018, ECCV,
    so that no row depends on its batch; SiLU).

    *"hybrid"* is a perceptron and a convolutional network with one dense layer in common, on maps
    of the same sizes. The perceptron soon has a picture for each of its units, the convolutions
    what is alike in many places; from 128 pixels on the perceptron sees half the resolution. SiLU,
    and no normalisation. It is ahead of "residual" in the first minutes, and for longer on images
    in which nothing moves.

    *"paper"* is the network of M. Schik, *Overview of Variational Autoencoder-based Generative
    Models*: six convolutions of kernel 4 and stride 2 with batch normalisation and leaky ReLU
    (slope 0.3) in between, then dense heads. A side that comes down to one pixel early, in
    images smaller than 64, stays: kernel and stride along it are 1. The paper's program differs:
    its standard deviation is softplus(exp(h)), never below 0.69, where its text has a variance
    exp(h) (here the heads are one linear layer, for the caller to read); its sixth convolution
    has a filter for every component, not for every output; its running statistics move by 0.01
    a step, not 0.1, which takes hundreds of steps, and most likely served in training as well.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels); height and width from 8 to 256.
    n_outputs : int
        Length of the output.
    architecture : {"residual", "hybrid", "paper"}
        Which network. Its ``width`` is the number of floats of a row at the widest place.
    first_output : float, default=0.1
        Gain of the last layer at first.
    """

    def __init__(self, image_shape, n_outputs, architecture, *, first_output=FIRST_OUTPUT):
        _check(image_shape)
        layers, width = ARCHITECTURES[architecture][0](image_shape, n_outputs)
        layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        super().__init__(layers, math.prod(image_shape))
        self.width = width
        self.first_output = first_output

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize(self.layers, generator, self.first_output)
        self.standardize(centre, scale)


class ConvolutionalDecoder(nn.Module):
    """The mirror of :class:`ConvolutionalEncoder`: ``centre + scale * layers(z)``.

    Codes (n_samples, n_components) in, rows (n_samples, height * width * channels) in C order
    out; ``image_shape``, ``architecture`` and ``width`` as in the encoder.

    *"residual"* and *"hybrid"* enlarge their maps by convolutions whose outputs become 2 x 2
    pixels each, and the last one emits a patch for every pixel of its map: the pixels of a patch
    have as many weights, and no overlap of kernels shows as a checkerboard.

    *"paper"* has six transposed convolutions, with batch normalisation and leaky ReLU in
    between. The paper's program has both after the sixth too, then a convolution of kernel 5
    and, if probabilistic, a sigmoid and a constant scale of softplus(0.01) = 0.698; its text
    has none of it. Here the sixth is linear, and the likelihood has the scale.
    """

    def __init__(self, n_components, image_shape, architecture):
        super().__init__()
        _check(image_shape)
        layers, self.width = ARCHITECTURES[architecture][1](n_components, image_shape)
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.register_buffer("centre", torch.zeros(math.prod(image_shape)))
        self.register_buffer("scale", torch.ones(math.prod(image_shape)))

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize(self.layers, generator)
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    def forward(self, z):
        # Under autocast the layers have three digits: the constants enter with all of theirs.
        return torch.addcmul(self.centre, self.layers(z).to(z.dtype), self.scale)
