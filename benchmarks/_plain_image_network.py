"""The image network of most tutorials, with normalisation. Ours should have smaller errors.

The encoder has four convolutions of kernel 3 and stride 2. The decoder four times doubles the
pixels, and applies a convolution of kernel 3. Between them are group normalisation and SiLU.
"""

import math
from functools import partial
from itertools import pairwise

from torch import nn

__all__ = ["plain_networks"]

FILTERS = (16, 32, 64, 128)
DENSE = 256
GROUP = 16  # filters normalised together


class Maps(nn.Module):
    """Rows in C order to maps, or maps to rows."""

    def __init__(self, *image_shape):
        super().__init__()
        self.image_shape = image_shape

    def forward(self, x):
        if x.ndim == 4:
            return x.permute(0, 2, 3, 1).flatten(1)
        return x.unflatten(1, self.image_shape).permute(0, 3, 1, 2)


def encoder(image_shape, n_inputs, n_outputs):
    """Return the encoder, (n, n_inputs) to (n, n_outputs)."""
    height, width, depth = image_shape
    layers = [Maps(*image_shape)]
    for before, after in pairwise((depth, *FILTERS)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1)]
        layers += [nn.GroupNorm(after // GROUP, after), nn.SiLU()]
    n_maps = FILTERS[-1] * math.prod(_smallest(height, width))
    return nn.Sequential(
        *layers, Maps(), nn.Linear(n_maps, DENSE), nn.SiLU(), nn.Linear(DENSE, n_outputs)
    )


def decoder(image_shape, n_inputs, n_outputs):
    """Return the decoder, (n, n_inputs) to (n, n_outputs)."""
    height, width, depth = image_shape
    smallest = (*_smallest(height, width), FILTERS[-1])
    layers = [nn.Linear(n_inputs, DENSE), nn.SiLU(), nn.Linear(DENSE, math.prod(smallest))]
    layers += [Maps(*smallest)]
    for before, after in pairwise((*FILTERS[::-1], depth)):
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1)]
        layers += [nn.GroupNorm(after // GROUP, after), nn.SiLU()] if after != depth else []
    return nn.Sequential(*layers, Maps())


def plain_networks(image_shape):
    """Return the parameters ``encoder`` and ``decoder`` of an estimator of such images."""
    if any(side % 2 ** len(FILTERS) for side in image_shape[:2]):
        raise SystemExit(
            f"The plain network needs sides that are multiples of 16. Got {image_shape} instead."
        )
    return {
        "encoder": partial(encoder, image_shape),
        "decoder": partial(decoder, image_shape),
    }


def _smallest(height, width):
    return height // 2 ** len(FILTERS), width // 2 ** len(FILTERS)
