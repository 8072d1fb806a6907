"""Image networks: convolutions between flat rows of pixels and codes.

A row is an image of ``image_shape = (height, width, channels)`` in C order. Seen as maps
(n, channels, height, width) such rows are in torch's channels-last layout, which the layers
keep, so that neither the rows in nor the rows out are copied.
"""

import math
from itertools import pairwise

import torch
from torch import nn

__all__ = ["ARCHITECTURES", "ConvolutionalDecoder", "ConvolutionalEncoder"]

SIDES = (8, 256)  # smallest and largest height and width

# The network on patches: channels of its maps (further maps repeat the last), the dense layer
# between maps and code, and the side from which maps are halved no more.
CHANNELS = (32, 64, 128)
DENSE = 256
SMALLEST_MAP = 4

# The decoder begins near the centre of the data, not with noise that it has to unlearn.
FIRST_OUTPUT = 0.1

# The paper's network: filters of five convolutions (the sixth has as many as there are
# outputs), Keras' leaky ReLU and batch normalisation. Its momentum of 0.99 (torch's 0.01) suits
# tens of thousands of steps; torch's own is right after fifty.
PAPER_FILTERS = (64, 128, 128, 256, 512)
PAPER_SLOPE = 0.3
PAPER_NORM = {"eps": 1e-3, "momentum": 0.1}


class _Empty:
    """Makes a layer draw no weights when it is made."""

    def reset_parameters(self):
        pass


class _Linear(_Empty, nn.Linear):
    pass


class _Conv(_Empty, nn.Conv2d):
    pass


class _TransposedConv(_Empty, nn.ConvTranspose2d):
    pass


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


class _DepthToSpace(nn.Module):
    """A pixel of depth (block, block, channels) to a block of pixels; a frame is cut off.

    All pixels of a block have as many weights: no overlap that shows as a checkerboard.
    """

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


def _patch_sizes(height, width):
    """Return the side of a patch and the (height, width) of the maps, from large to small."""
    patch = 2 if min(height, width) < 32 else 4 if min(height, width) < 128 else 8
    sizes = [(-(-height // patch), -(-width // patch))]
    while max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    channels = [*CHANNELS, *(CHANNELS[-1:] * len(sizes))][: len(sizes)]
    return patch, sizes, channels


def _largest(sizes, channels):
    return max(math.prod(size) * depth for size, depth in zip(sizes, channels, strict=True))


def _patch_encoder(image_shape, n_outputs):
    height, width, depth = image_shape
    patch, sizes, channels = _patch_sizes(height, width)
    padding = tuple((-side % patch + 1) // 2 for side in (height, width))
    layers = [_Conv(depth, channels[0], patch, stride=patch, padding=padding)]
    for n_inputs, n_filters in pairwise(channels):
        layers += [nn.ReLU(inplace=True), _Conv(n_inputs, n_filters, 3, stride=2, padding=1)]
    n_flat = channels[-1] * sizes[-1][0] * sizes[-1][1]
    layers += [nn.ReLU(inplace=True), _ToRows(), _Linear(n_flat, DENSE)]
    layers += [nn.ReLU(inplace=True), _Linear(DENSE, n_outputs)]
    return layers, _largest([(height, width), *sizes], [depth, *channels])


def _patch_decoder(n_components, image_shape):
    height, width, depth = image_shape
    patch, sizes, channels = _patch_sizes(height, width)
    n_flat = channels[-1] * sizes[-1][0] * sizes[-1][1]
    layers = [_Linear(n_components, DENSE), nn.ReLU(inplace=True), _Linear(DENSE, n_flat)]
    layers += [nn.ReLU(inplace=True), _ToMaps(*sizes[-1], channels[-1])]
    for (n_inputs, n_filters), size in zip(pairwise(channels[::-1]), sizes[-2::-1], strict=True):
        layers += [_Conv(n_inputs, 4 * n_filters, 1), _DepthToSpace(2, *size)]
        layers += [nn.ReLU(inplace=True)]
    layers += [_Conv(channels[0], patch**2 * depth, 3, padding=1)]
    layers += [_DepthToSpace(patch, height, width)]
    whole = [(2 * rows, 2 * columns) for rows, columns in sizes[1:]]
    framed = (patch * sizes[0][0], patch * sizes[0][1])
    return layers, _largest([framed, *sizes, *whole], [depth, *channels, *channels[:-1]])


def _paper_sizes(height, width):
    """Return the (height, width) of the paper's maps, the image first."""
    return [(max(height >> k, 1), max(width >> k, 1)) for k in range(len(PAPER_FILTERS) + 2)]


def _paper_window(height, width):
    """Return kernel, stride and padding that halve the sides; a side of one pixel stays."""
    options = ((4, 2, 1) if side > 1 else (1, 1, 0) for side in (height, width))
    return dict(zip(("kernel_size", "stride", "padding"), zip(*options, strict=True), strict=True))


def _normalized(n_filters):
    return [nn.BatchNorm2d(n_filters, **PAPER_NORM), nn.LeakyReLU(PAPER_SLOPE, inplace=True)]


def _paper_encoder(image_shape, n_outputs):
    height, width, depth = image_shape
    sizes, filters = _paper_sizes(height, width), (depth, *PAPER_FILTERS, n_outputs)
    layers = []
    for (n_inputs, n_filters), size in zip(pairwise(filters), sizes[:-1], strict=True):
        layers += [_Conv(n_inputs, n_filters, **_paper_window(*size), bias=False)]
        layers += _normalized(n_filters)
    n_flat = n_outputs * sizes[-1][0] * sizes[-1][1]
    layers = [*layers[:-2], _ToRows(), _Linear(n_flat, n_outputs)]
    return layers, _largest(sizes, filters)


def _paper_decoder(n_components, image_shape):
    height, width, depth = image_shape
    sizes = _paper_sizes(height, width)[4::-1]
    *inner, first = PAPER_FILTERS
    filters = (*inner[::-1], depth)
    layers = [_ToMaps(1, 1, n_components)]
    layers += [_TransposedConv(n_components, first, 1, bias=False), *_normalized(first)]
    layers += [_TransposedConv(first, filters[0], sizes[0], bias=False), *_normalized(filters[0])]
    for (n_inputs, n_filters), size in zip(pairwise(filters), sizes[1:], strict=True):
        # An odd side is one pixel more than twice its half.
        window = {
            "output_padding": [side % 2 * (side > 1) for side in size],
            **_paper_window(*size),
        }
        layers += [_TransposedConv(n_inputs, n_filters, **window, bias=size == sizes[-1])]
        layers += _normalized(n_filters)
    return layers[:-2], _largest(sizes, filters)


ARCHITECTURES = {
    "patches": (_patch_encoder, _patch_decoder),
    "paper": (_paper_encoder, _paper_decoder),
}


def _initialize(layers, generator, gain):
    """Draw He's uniform weights, ``gain`` times as large in the last layer; reset the norms."""
    drawn = [layer for layer in layers if isinstance(layer, _Empty)]
    for layer in drawn:
        weight = layer.weight.data
        if isinstance(layer, _TransposedConv):
            weight = weight.transpose(0, 1)  # inputs, outputs
        nonlinearity = "linear" if layer is drawn[-1] else "relu"
        nn.init.kaiming_uniform_(weight, nonlinearity=nonlinearity, generator=generator)
        if layer is drawn[-1]:
            weight.mul_(gain)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()


def _check(image_shape, architecture):
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"The architecture must be one of {list(ARCHITECTURES)}. Got {architecture!r} "
            "instead. Give one of these, or modules of your own as encoder and decoder."
        )
    height, width, channels = image_shape
    if not all(SIDES[0] <= side <= SIDES[1] for side in (height, width)) or channels < 1:
        raise ValueError(
            f"The image networks need a height and a width from {SIDES[0]} to {SIDES[1]} and at "
            f"least one channel. Got image_shape={tuple(image_shape)} instead. Resize the "
            "images, or leave out image_shape."
        )
    return height, width, channels


class ConvolutionalEncoder(nn.Module):
    r"""Convolutions on centred and scaled images: ``layers((x - centre) / scale)``.

    Rows (n_samples, height * width * channels) in C order in, (n_samples, n_outputs) out.

    *"patches"* cuts the image into patches of 2, 4 or 8 pixels (sides below 32, below 128, and
    larger), one pixel of a map each; convolutions of stride 2 halve the map until it is at most
    4 x 4, and two dense layers follow. ReLU, no normalisation: no row ever depends on its batch.

    *"paper"* is the network of [1]_: six convolutions of kernel 4 and stride 2 with batch
    normalisation and leaky ReLU (slope 0.3) in between, then dense heads. A side that has
    come down to one pixel, in images smaller than 64, stays: kernel and stride along it are 1.
    The paper's program differs in that

    - its standard deviation is softplus(exp(h)), never below 0.69, where its text has a
      variance exp(h); here the heads are one linear layer, for the caller to read;
    - its sixth convolution has one filter for each component, here for each output;
    - its running statistics move by 0.01 a step, which a few hundred steps do not fill (here
      by 0.1), and most likely were in use, and at rest, in training as well.

    Parameters
    ----------
    image_shape : tuple of three int
        (height, width, channels); height and width from 8 to 256.
    n_outputs : int
        Length of the output.
    architecture : {"patches", "paper"}
        Which network. Its ``width`` is the number of floats of a row at the widest place.

    References
    ----------
    .. [1] M. Schik, "Overview of Variational Autoencoder-based Generative Models".
    """

    def __init__(self, image_shape, n_outputs, architecture):
        super().__init__()
        image_shape = _check(image_shape, architecture)
        layers, self.width = ARCHITECTURES[architecture][0](image_shape, n_outputs)
        self.layers = nn.Sequential(_ToMaps(*image_shape), *layers)
        self.layers.to(memory_format=torch.channels_last)
        self.register_buffer("shift", torch.zeros(math.prod(image_shape)))
        self.register_buffer("factor", torch.ones(math.prod(image_shape)))

    @property
    def head(self):
        """The last layer, whose rows are the outputs."""
        return self.layers[-1]

    def initialize(self, generator, centre, scale):
        """Draw the weights; a pixel of scale 0 is constant, and is left out."""
        _initialize(self.layers, generator, 1.0)
        factor = torch.where(scale > 0, 1 / scale, 0.0)
        self.factor.copy_(factor)
        self.shift.copy_(-centre * factor)

    def forward(self, x):
        return self.layers(torch.addcmul(self.shift, x, self.factor))


class ConvolutionalDecoder(nn.Module):
    """The mirror of :class:`ConvolutionalEncoder`: ``centre + scale * layers(z)``.

    Codes (n_samples, n_components) in, rows (n_samples, height * width * channels) in C order
    out.

    *"patches"* enlarges its maps by convolutions whose outputs become 2 x 2 pixels each, and the
    last one emits a patch for every pixel of its map: patches do not overlap and their pixels
    have as many weights, so that there is no checkerboard to unlearn.

    *"paper"* has six transposed convolutions, with batch normalisation and leaky ReLU in
    between. The paper's program has both after the sixth too, then a convolution of kernel 5
    and, if probabilistic, a sigmoid and a constant scale of softplus(0.01) = 0.698; its text
    has none of it. Here the sixth is linear, and the likelihood has the scale.

    Parameters
    ----------
    n_components : int
        Length of a code.
    image_shape : tuple of three int
        (height, width, channels); height and width from 8 to 256.
    architecture : {"patches", "paper"}
        Which network. Its ``width`` is the number of floats of a row at the widest place.
    """

    def __init__(self, n_components, image_shape, architecture):
        super().__init__()
        image_shape = _check(image_shape, architecture)
        layers, self.width = ARCHITECTURES[architecture][1](n_components, image_shape)
        self.layers = nn.Sequential(*layers, _ToRows())
        self.layers.to(memory_format=torch.channels_last)
        self.register_buffer("centre", torch.zeros(math.prod(image_shape)))
        self.register_buffer("scale", torch.ones(math.prod(image_shape)))

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize(self.layers, generator, FIRST_OUTPUT)
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    def forward(self, z):
        return torch.addcmul(self.centre, self.layers(z), self.scale)
