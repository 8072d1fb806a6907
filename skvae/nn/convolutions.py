"""Image networks: convolutions between flat rows of pixels and codes.

A row is an image (height, width, channels) in C order: maps (n, channels, height, width) in
torch's channels-last layout, which the layers keep, so that rows in and out are views.
"""

import math
from itertools import pairwise

import torch
from torch import nn

from skvae.nn.initialization import FIRST_OUTPUT, RECTIFIED, draw_weights
from skvae.nn.standardization import StandardizingEncoder

__all__ = ["ARCHITECTURES", "ConvolutionalDecoder", "ConvolutionalEncoder"]

SIDES = (8, 256)  # smallest and largest height and width
# The hybrid network.
DENSE = 256
CHANNELS = (16, 32, 64)  # further maps have the last number
SMALLEST_MAP = 4  # the side from which maps are halved no more
# The paper's network; the sixth convolution has a filter for every output.
PAPER_FILTERS = (64, 128, 128, 256, 512)


class _Empty:
    """Makes a layer draw no weights when it is made."""

    def reset_parameters(self):
        pass


class _Linear(_Empty, nn.Linear): ...


class _Conv(_Empty, nn.Conv2d): ...


class _TransposedConv(_Empty, nn.ConvTranspose2d): ...


class _ToMaps(nn.Module):
    """Rows (n, height * width * channels) to maps (n, channels, height, width): a view."""

    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, rows):
        return rows.view(-1, *self.shape).permute(0, 3, 1, 2)


class _ToRows(nn.Module):
    """Maps (n, channels, height, width) to rows: a view of channels-last maps."""

    def forward(self, maps):
        return maps.permute(0, 2, 3, 1).flatten(1)


class _Sum(nn.Module):
    """The sum of what two paths make of the same input."""

    def __init__(self, first, second):
        super().__init__()
        self.paths = nn.ModuleList(nn.Sequential(*path) for path in (first, second))

    def forward(self, x):
        return self.paths[0](x) + self.paths[1](x)


class _DepthToSpace(nn.Module):
    """A pixel of depth (block, block, channels) to a block of pixels; a frame is cut off."""

    def __init__(self, block, height, width):
        super().__init__()
        self.block, self.height, self.width = block, height, width

    def forward(self, maps):
        n, depth, rows, columns = maps.shape
        block, channels = self.block, depth // self.block**2
        maps = maps.permute(0, 2, 3, 1).reshape(n, rows, columns, block, block, channels)
        rows, columns = rows * block, columns * block
        maps = maps.transpose(2, 3).reshape(n, rows, columns, channels).permute(0, 3, 1, 2)
        top, left = -((self.height - rows) // 2), -((self.width - columns) // 2)
        return maps[:, :, top : top + self.height, left : left + self.width]


def _half(height, width):
    return -(-height // 2), -(-width // 2)


def _patches(height, width):
    """Return the side of a patch, and of the maps the (height, width) and the channels."""
    patch = 2 if min(height, width) < 32 else 4 if min(height, width) < 128 else 8
    sizes = [(-(-height // patch), -(-width // patch))]
    while max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(_half(*sizes[-1]))
    return patch, sizes, (CHANNELS + CHANNELS[-1:] * len(sizes))[: len(sizes)]


def _largest(sizes, channels):
    return max(math.prod(size) * depth for size, depth in zip(sizes, channels, strict=True))


def _hybrid_encoder(image_shape, n_outputs):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size)
    padding = [(-side % patch + 1) // 2 for side in size]
    maps = [_ToMaps(*image_shape), _Conv(depth, channels[0], patch, stride=patch, padding=padding)]
    for n_inputs, n_filters in pairwise(channels):
        maps += [nn.SiLU(), _Conv(n_inputs, n_filters, 3, stride=2, padding=1)]
    maps += [nn.SiLU(), _ToRows(), _Linear(channels[-1] * math.prod(sizes[-1]), DENSE)]
    pixels = [_Linear(math.prod(image_shape), DENSE)]
    if patch > 4:
        pixels = [_ToMaps(*image_shape), nn.AvgPool2d(2, ceil_mode=True), _ToRows()]
        pixels += [_Linear(math.prod(_half(*size)) * depth, DENSE)]
    layers = [_Sum(maps, pixels), nn.SiLU(), _Linear(DENSE, n_outputs)]
    return layers, _largest([size, *sizes], [depth, *channels])


def _hybrid_decoder(n_components, image_shape):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size)
    smallest = (*sizes[-1], channels[-1])
    maps = [_Linear(DENSE, math.prod(smallest)), nn.SiLU(), _ToMaps(*smallest)]
    for (n_inputs, n_filters), larger in zip(pairwise(channels[::-1]), sizes[-2::-1], strict=True):
        maps += [_Conv(n_inputs, 4 * n_filters, 1), _DepthToSpace(2, *larger), nn.SiLU()]
    maps += [_Conv(channels[0], patch**2 * depth, 3, padding=1), _DepthToSpace(patch, *size)]
    pixels = [_Linear(DENSE, math.prod(image_shape))]
    if patch > 4:
        half = _half(*size)
        pixels = [_Linear(DENSE, math.prod(half) * depth), _ToMaps(*half, depth)]
        pixels += [nn.Upsample(size, mode="bilinear"), _ToRows()]
    layers = [_Linear(n_components, DENSE), nn.SiLU(), _Sum([*maps, _ToRows()], pixels)]
    # Blocks before their frame is cut off.
    framed = [(2 * rows, 2 * columns) for rows, columns in sizes[1:]]
    framed += [(patch * sizes[0][0], patch * sizes[0][1])]
    return layers, _largest([*sizes, *framed], [*channels, *channels[:-1], depth])


def _paper_sizes(height, width):
    """Return the (height, width) of the paper's maps, the image first."""
    return [(max(height >> k, 1), max(width >> k, 1)) for k in range(len(PAPER_FILTERS) + 2)]


def _window(size):
    """Return kernel, stride and padding that halve the sides; a side of one pixel stays."""
    return zip(*((4, 2, 1) if side > 1 else (1, 1, 0) for side in size), strict=True)


def _normalized(n_filters):
    return [nn.BatchNorm2d(n_filters, eps=1e-3), nn.LeakyReLU(0.3, inplace=True)]


def _paper_encoder(image_shape, n_outputs):
    *size, depth = image_shape
    sizes, filters = _paper_sizes(*size), (depth, *PAPER_FILTERS, n_outputs)
    layers = [_ToMaps(*image_shape)]
    for (n_inputs, n_filters), before in zip(pairwise(filters), sizes[:-1], strict=True):
        layers += [_Conv(n_inputs, n_filters, *_window(before), bias=False)]
        layers += _normalized(n_filters)
    layers = [*layers[:-2], _ToRows(), _Linear(n_outputs * math.prod(sizes[-1]), n_outputs)]
    return layers, _largest(sizes, filters)


def _paper_decoder(n_components, image_shape):
    *size, depth = image_shape
    sizes, (*inner, first) = _paper_sizes(*size)[4::-1], PAPER_FILTERS
    filters = (*inner[::-1], depth)
    layers = [_ToMaps(1, 1, n_components)]
    layers += [_TransposedConv(n_components, first, 1, bias=False), *_normalized(first)]
    layers += [_TransposedConv(first, filters[0], sizes[0], bias=False), *_normalized(filters[0])]
    for (n_inputs, n_filters), after in zip(pairwise(filters), sizes[1:], strict=True):
        # An odd side is one pixel more than twice its half.
        window = (*_window(after), [side % 2 * (side > 1) for side in after])
        layers += [_TransposedConv(n_inputs, n_filters, *window, bias=after == sizes[-1])]
        layers += _normalized(n_filters)
    return [*layers[:-2], _ToRows()], _largest(sizes, filters)


ARCHITECTURES = {
    "hybrid": (_hybrid_encoder, _hybrid_decoder),
    "paper": (_paper_encoder, _paper_decoder),
}


def _initialize(layers, generator, gain=FIRST_OUTPUT):
    """Draw the weights, with this gain in the last layer; reset the norms."""
    last = [layer for layer in layers if isinstance(layer, _Empty | _Sum)][-1]
    for layer in layers:
        if isinstance(layer, _Sum):
            for path in layer.paths:
                _initialize(path, generator, gain if layer is last else 1.0)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, _Empty):
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

    *"hybrid"* is a perceptron and a convolutional network with one dense layer in common. The
    perceptron soon has a picture for each of its units, the convolutions what is alike
    in many places. They see the image as maps of patches of 2, 4 or 8 pixels (sides below 32,
    below 128, and larger), and halve them until they are at most 4 x 4; from 128 pixels on the
    perceptron sees half the resolution. SiLU, and no normalisation.

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
    architecture : {"hybrid", "paper"}
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

    *"hybrid"* enlarges its maps by convolutions whose outputs become 2 x 2 pixels each, and the
    last one emits a patch for every pixel of its map: the pixels of a patch have as many
    weights, and no overlap of kernels shows as a checkerboard.

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
        return torch.addcmul(self.centre, self.layers(z), self.scale)
