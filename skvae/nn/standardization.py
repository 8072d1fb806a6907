"""The base class of the built-in encoders, which centre and scale rows by the training data."""

import torch
from torch import nn

__all__ = ["StandardizingEncoder"]


class StandardizingEncoder(nn.Module):
    """Layers of centred and scaled rows: ``layers((x - centre) / scale)``.

    Parameters
    ----------
    layers : nn.Sequential
        Layers whose input is rows. The last one is linear.
    n_features : int
        Length of a row.
    """

    def __init__(self, layers, n_features):
        super().__init__()
        self.layers = layers
        self.register_buffer("shift", torch.zeros(n_features))
        self.register_buffer("factor", torch.ones(n_features))

    @property
    def head(self):
        """The last layer, whose rows are the outputs."""
        return self.layers[-1]

    def standardize(self, centre, scale):
        """Set the constants. A column of scale 0 is constant, and becomes 0."""
        factor = torch.where(scale > 0, 1 / scale, 0.0)
        self.factor.copy_(factor)
        self.shift.copy_(-centre * factor)

    def standardized(self, x):
        """Return the rows centred and scaled."""
        return torch.addcmul(self.shift, x, self.factor)

    def forward(self, x):
        return self.layers(self.standardized(x))
