"""What our encoders share: rows are centred and scaled by constants of the training data."""

import torch
from torch import nn

__all__ = ["StandardizingEncoder"]


class StandardizingEncoder(nn.Module):
    """Layers on centred and scaled rows: ``layers((x - centre) / scale)``.

    Parameters
    ----------
    layers : nn.Sequential
        Rows in; its last layer is linear.
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
        """Set the constants; a column of scale 0 is constant, and is left out."""
        factor = torch.where(scale > 0, 1 / scale, 0.0)
        self.factor.copy_(factor)
        self.shift.copy_(-centre * factor)

    def standardized(self, x):
        """Return the rows centred and scaled."""
        return torch.addcmul(self.shift, x, self.factor)

    def forward(self, x):
        return self.layers(self.standardized(x))
