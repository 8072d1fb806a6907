"""Convolutional networks from flat rows of pixels to codes, and back."""

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
    """Draw the weights, with ``gain`` for the last layer, and reset the normalisations."""
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
    r"""Convolutional encoder of centred and scaled images: ``layers((x - centre) / scale)``.

    The input is rows (n_samples, height * width * channels) in C order. The output has shape
    (n_samples, n_outputs).

    *"residual"* splits the image into square patches, and each patch becomes one pixel of a map.
    The side of a patch is 2 pixels if the shorter side of the image is below 32, 4 if it is below
    128, and 8 otherwise. The map is then halved until it is at most 4 x 4. Maps of at most 8 x 8
    have a residual block, which adds a convolution of the normalised maps to the maps (K. He et
    al., 2016, Identity mappings in deep residual networks, ECCV). It uses group normalisation, so
    that no row depends on its batch (Y. Wu and K. He, 2018, ECCV), and SiLU.

    *"hybrid"* is the sum of a perceptron and a convolutional network, followed by a common dense
    layer. Its maps have the same sizes. The perceptron quickly learns one image for each of its
    units, and the convolutions learn patterns that occur in many places. If the shorter side has
    128 pixels or more, the perceptron sees half the resolution. It uses SiLU and no normalisation.
    Its steps take less time than those of "residual". In the first minutes of a fit, it often has
    the smaller error.

    *"paper"* is the network of M. Schik, *Overview of Variational Autoencoder-based Generative
    Models*. It has six convolutions of kernel 4 and stride 2, with batch normalisation and leaky
    ReLU (slope 0.3) between them, and then dense heads. In images smaller than 64 pixels, a side
    reaches one pixel early. It then stays at one pixel: kernel and stride along it are 1.

    The program of the paper differs in three points. Its standard deviation is softplus(exp(h)),
    which is never below 0.69, but the text of the paper has a variance exp(h). Here the heads are
    one linear layer, which the caller interprets. Its sixth convolution has one filter for each
    component, and here one for each output. Its running statistics move by 0.01 per step, and here
    by 0.1; so they need hundreds of steps there, and most likely were used in training as well.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels); height and width from 8 to 256.
    n_outputs : int
        Length of the output.
    architecture : {"residual", "hybrid", "paper"}
        The network. Its ``width`` is the number of floats of a row in the widest layer.
    first_output : float, default=0.1
        Gain of the first weights of the last layer.
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
    """The decoder that belongs to :class:`ConvolutionalEncoder`: ``centre + scale * layers(z)``.

    The input is codes (n_samples, n_components). The output is rows
    (n_samples, height * width * channels) in C order. ``image_shape``, ``architecture`` and
    ``width`` are as in the encoder.

    *"residual"* and *"hybrid"* have a hidden dense layer, and add up two paths from it to the
    pixels. The first path consists of maps. Convolutions enlarge them: every four of their output
    channels become 2 x 2 pixels. The last convolution returns a patch for every pixel of its map.
    All pixels of a patch have the same number of weights, and kernels do not overlap, so no
    checkerboard appears. The second path is a dense layer. It learns one picture for each hidden
    unit, at half the resolution if the shorter side has 128 pixels or more. It quickly learns what
    always has the same place, and the maps add what moves.

    *"paper"* has six transposed convolutions, with batch normalisation and leaky ReLU between
    them. In the program of the paper, both also follow the sixth. Then come a convolution of
    kernel 5 and, in the probabilistic version, a sigmoid and a constant scale of
    softplus(0.01) = 0.698. The text of the paper does not have these. Here the sixth is linear, and
    the scale is part of the likelihood.
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
        # Under autocast the layers compute with three digits. The constants keep full precision.
        return torch.addcmul(self.centre, self.layers(z).to(z.dtype), self.scale)
