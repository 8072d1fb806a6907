"""The architectures of image networks: the layers of encoders and of decoders.

Each function returns the layers, and the number of floats of a row in the widest of them.
"""

import math
from itertools import pairwise

from torch import nn

from skvae.nn.image_layers import (
    Conv,
    DepthToSpace,
    FromOnePixel,
    Linear,
    Residual,
    Sum,
    ToMaps,
    ToRows,
    TransposedConv,
    normalized,
)

__all__ = ["ARCHITECTURES"]

# The hybrid and the residual network.
DENSE = 256
HYBRID_CHANNELS = (16, 32, 64)  # further maps have the last number of channels
RESIDUAL_CHANNELS = (32, 64, 128)
SMALLEST_MAP = 4  # maps whose sides are at most this are not halved
LARGEST_RESIDUAL_MAP = 8  # only maps with sides up to this have a residual block: others cost more
# The paper's network. The sixth convolution has one filter for each output.
PAPER_FILTERS = (64, 128, 128, 256, 512)


def _half(height, width):
    return -(-height // 2), -(-width // 2)


def _patches(height, width, channels):
    """Return the side of a patch, and the (height, width) and the channels of all maps."""
    patch = 2 if min(height, width) < 32 else 4 if min(height, width) < 128 else 8
    sizes = [(-(-height // patch), -(-width // patch))]
    while max(sizes[-1]) > SMALLEST_MAP:
        sizes.append(_half(*sizes[-1]))
    return patch, sizes, (channels + channels[-1:] * len(sizes))[: len(sizes)]


def _patch_convolution(image_shape, n_filters, patch):
    """Return the convolution from patches to pixels. Patches at the border may be incomplete."""
    *size, depth = image_shape
    padding = [(-side % patch + 1) // 2 for side in size]
    return Conv(depth, n_filters, patch, stride=patch, padding=padding)


def _largest(sizes, channels):
    return max(math.prod(size) * depth for size, depth in zip(sizes, channels, strict=True))


def _largest_decoded(sizes, channels, patch, depth):
    """Return the widest layer of a decoder, whose maps are largest before their border is cut."""
    framed = [(2 * rows, 2 * columns) for rows, columns in sizes[1:]]
    framed += [(patch * sizes[0][0], patch * sizes[0][1])]
    return _largest([*sizes, *framed], [*channels, *channels[:-1], depth])


def _picture(image_shape, patch):
    """Return the layers from ``DENSE`` units to rows. They add up one picture for each unit.

    If the patches are large, the pictures have half the resolution, and are enlarged.
    """
    if patch <= 4:
        return [Linear(DENSE, math.prod(image_shape))]
    *size, depth = image_shape
    half = _half(*size)
    layers = [Linear(DENSE, math.prod(half) * depth), ToMaps(*half, depth)]
    return [*layers, nn.Upsample(size, mode="bilinear"), ToRows()]


def _hybrid_encoder(image_shape, n_outputs):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size, HYBRID_CHANNELS)
    maps = [ToMaps(*image_shape), _patch_convolution(image_shape, channels[0], patch)]
    for n_inputs, n_filters in pairwise(channels):
        maps += [nn.SiLU(), Conv(n_inputs, n_filters, 3, stride=2, padding=1)]
    maps += [nn.SiLU(), ToRows(), Linear(channels[-1] * math.prod(sizes[-1]), DENSE)]
    pixels = [Linear(math.prod(image_shape), DENSE)]
    if patch > 4:
        pixels = [ToMaps(*image_shape), nn.AvgPool2d(2, ceil_mode=True), ToRows()]
        pixels += [Linear(math.prod(_half(*size)) * depth, DENSE)]
    layers = [Sum(maps, pixels), nn.SiLU(), Linear(DENSE, n_outputs)]
    return layers, _largest([size, *sizes], [depth, *channels])


def _hybrid_decoder(n_components, image_shape):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size, HYBRID_CHANNELS)
    smallest = (*sizes[-1], channels[-1])
    maps = [Linear(DENSE, math.prod(smallest)), nn.SiLU(), ToMaps(*smallest)]
    for (n_inputs, n_filters), larger in zip(pairwise(channels[::-1]), sizes[-2::-1], strict=True):
        maps += [Conv(n_inputs, 4 * n_filters, 1), DepthToSpace(2, *larger), nn.SiLU()]
    maps += [Conv(channels[0], patch**2 * depth, 3, padding=1), DepthToSpace(patch, *size)]
    paths = Sum([*maps, ToRows()], _picture(image_shape, patch))
    layers = [Linear(n_components, DENSE), nn.SiLU(), paths]
    return layers, _largest_decoded(sizes, channels, patch, depth)


def _blocks(size, n_filters):
    """Return a list of one residual block if the maps are small, or an empty list."""
    return [Residual(n_filters)] if max(size) <= LARGEST_RESIDUAL_MAP else []


def _residual_encoder(image_shape, n_outputs):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size, RESIDUAL_CHANNELS)
    layers = [ToMaps(*image_shape), _patch_convolution(image_shape, channels[0], patch)]
    layers += _blocks(sizes[0], channels[0])
    for (n_inputs, n_filters), (before, after) in zip(
        pairwise(channels), pairwise(sizes), strict=True
    ):
        odd = [side % 2 for side in before]
        layers += [Conv(n_inputs, n_filters, 2, stride=2, padding=odd), *_blocks(after, n_filters)]
    layers += [*normalized(channels[-1]), ToRows()]
    layers += [Linear(channels[-1] * math.prod(sizes[-1]), DENSE), nn.SiLU()]
    layers += [Linear(DENSE, n_outputs)]
    return layers, _largest([size, *sizes], [depth, *channels])


def _residual_decoder(n_components, image_shape):
    *size, depth = image_shape
    patch, sizes, channels = _patches(*size, RESIDUAL_CHANNELS)
    smallest = (*sizes[-1], channels[-1])
    maps = [Linear(DENSE, math.prod(smallest)), ToMaps(*smallest)]
    maps += _blocks(sizes[-1], channels[-1])
    for (n_inputs, n_filters), larger in zip(pairwise(channels[::-1]), sizes[-2::-1], strict=True):
        maps += [Conv(n_inputs, 4 * n_filters, 1), DepthToSpace(2, *larger)]
        maps += _blocks(larger, n_filters)
    maps += [*normalized(channels[0]), Conv(channels[0], patch**2 * depth, 3, padding=1)]
    maps += [DepthToSpace(patch, *size), ToRows()]
    layers = [Linear(n_components, DENSE), nn.SiLU(), Sum(maps, _picture(image_shape, patch))]
    return layers, _largest_decoded(sizes, channels, patch, depth)


def _paper_sizes(height, width):
    """Return the (height, width) of the paper's maps, beginning with the image."""
    return [(max(height >> k, 1), max(width >> k, 1)) for k in range(len(PAPER_FILTERS) + 2)]


def _window(size):
    """Return kernel, stride and padding that halve the sides. A side of one pixel stays."""
    return zip(*((4, 2, 1) if side > 1 else (1, 1, 0) for side in size), strict=True)


def _normalized(n_filters):
    return [nn.BatchNorm2d(n_filters, eps=1e-3), nn.LeakyReLU(0.3, inplace=True)]


def _paper_encoder(image_shape, n_outputs):
    *size, depth = image_shape
    sizes, filters = _paper_sizes(*size), (depth, *PAPER_FILTERS, n_outputs)
    layers = [ToMaps(*image_shape)]
    for (n_inputs, n_filters), before in zip(pairwise(filters), sizes[:-1], strict=True):
        layers += [Conv(n_inputs, n_filters, *_window(before), bias=False)]
        layers += _normalized(n_filters)
    layers = [*layers[:-2], ToRows(), Linear(n_outputs * math.prod(sizes[-1]), n_outputs)]
    return layers, _largest(sizes, filters)


def _paper_decoder(n_components, image_shape):
    *size, depth = image_shape
    sizes, (*inner, first) = _paper_sizes(*size)[4::-1], PAPER_FILTERS
    filters = (*inner[::-1], depth)
    layers = [ToMaps(1, 1, n_components)]
    layers += [FromOnePixel(n_components, first, 1), *_normalized(first)]
    layers += [FromOnePixel(first, filters[0], sizes[0]), *_normalized(filters[0])]
    for (n_inputs, n_filters), after in zip(pairwise(filters), sizes[1:], strict=True):
        # The output padding adds one pixel if the side is odd.
        window = (*_window(after), [side % 2 * (side > 1) for side in after])
        layers += [TransposedConv(n_inputs, n_filters, *window, bias=after == sizes[-1])]
        layers += _normalized(n_filters)
    return [*layers[:-2], ToRows()], _largest(sizes, filters)


ARCHITECTURES = {
    "residual": (_residual_encoder, _residual_decoder),
    "hybrid": (_hybrid_encoder, _hybrid_decoder),
    "paper": (_paper_encoder, _paper_decoder),
}
