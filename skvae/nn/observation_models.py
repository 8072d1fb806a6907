"""What is observed: p(x|z) around the decoder's output, and its noise variance."""

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.distributions import Gaussian
from skvae.nn.likelihoods import Scaled

__all__ = ["GaussianObservation", "Observation"]


class GaussianObservation(nn.Module):
    r"""p(x|z) = N(g(z), noise variance), the variance shared by the columns or one for each.

    A learned variance is no parameter of the optimizer. In training mode it follows the
    running mean of the squared residual of the batches, as batch normalisation follows its
    statistics: the variance that maximises the likelihood is that mean.

    Parameters
    ----------
    n_features : int
        Number of columns.
    per_feature : bool, default=False
        One variance for each column.
    learned : bool, default=True
        Whether the variance follows the residual.
    """

    distribution = Gaussian
    rate = 0.1

    def __init__(self, n_features, *, per_feature=False, learned=True):
        super().__init__()
        self.learned = learned
        shape = (n_features,) if per_feature else ()
        self.register_buffer("log_scale", torch.zeros(shape))
        self.register_buffer("running_variance", torch.ones(shape))
        self.register_buffer("floor", torch.zeros(shape))

    def start(self, variance, floor):
        """Begin at this noise variance, never to fall below ``floor``."""
        self.floor.copy_(floor)
        self.running_variance.copy_(variance).clamp_(min=self.floor)
        self.hold(self.running_variance)

    def hold(self, variance):
        """Use this noise variance; the running mean stays what it is."""
        self.log_scale = 0.5 * torch.log(torch.maximum(variance.to(self.floor), self.floor))

    def residual(self, x, location):
        """Return the mean squared residual, shared or of each column."""
        if self.log_scale.ndim == 0:
            return functional.mse_loss(location.detach(), x)
        return functional.mse_loss(location.detach(), x, reduction="none").mean(0)

    def track(self, x, location):
        """Move a learned variance towards the residual of this batch."""
        if self.learned:
            residual = self.residual(x, location)
            self.running_variance = self.running_variance.lerp(residual, self.rate)
            self.hold(self.running_variance)

    def initial_location(self, mean, scale):
        """Return centre and scale of the decoder's output for data of this mean and scale."""
        return mean, scale

    def forward(self, location):
        return Gaussian(location, self.log_scale)


class Observation(nn.Module):
    """p(x|z), a distribution whose one parameter is the decoder's output.

    Parameters
    ----------
    distribution : type
        One of :mod:`skvae.nn.likelihoods`.
    input_scale : float, default=1.0
        The factor of x that the distribution is of.
    """

    def __init__(self, distribution, input_scale=1.0):
        super().__init__()
        self.distribution = distribution
        self.input_scale = input_scale

    def track(self, x, location):
        """Nothing to follow: there is no noise variance."""

    def initial_location(self, mean, scale):
        """Return the decoder's output for columns of these means, and scale 1."""
        return self.distribution.location(mean * self.input_scale), torch.ones_like(scale)

    def forward(self, location):
        likelihood = self.distribution(location)
        return likelihood if self.input_scale == 1 else Scaled(likelihood, self.input_scale)
