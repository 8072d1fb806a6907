"""The first weights of the built-in layers."""

import math

from torch import nn

__all__ = ["FIRST_OUTPUT", "RECTIFIED", "draw_weights"]

# Gain of a last layer. Its first outputs are small, so that training does not have to undo them.
FIRST_OUTPUT = 0.1
RECTIFIED = math.sqrt(2)


def draw_weights(layer, generator, gain=RECTIFIED):
    r"""Draw He's uniform weights, and set the bias to zero.

    .. math:: w \sim U(-b, b), \quad b = \mathrm{gain} \sqrt{3 / n}

    where n is the number of inputs of one output (K. He et al., 2015, Delving deep into rectifiers,
    ICCV; their gain is the square root of 2).

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.initialization import draw_weights
    >>> layer = torch.nn.Linear(300, 50)
    >>> draw_weights(layer, torch.Generator().manual_seed(0), gain=1.0)
    >>> bool(layer.weight.abs().max() <= 0.1), bool(layer.bias.any())
    (True, False)
    """
    inputs_first = isinstance(layer, nn.ConvTranspose2d)
    fan_in = layer.weight.select(int(inputs_first), 0).numel()
    bound = gain * math.sqrt(3 / fan_in)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
