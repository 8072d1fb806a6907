"""The steps of a Pipeline in torch: from rows to codes and back, and a score for each row.

A step is a module. Its attribute ``offers`` lists the methods that can be exported. All methods can
be traced: none of them branches on a value or on the number of rows.
"""

import math

import torch
from torch import nn

from skvae.base.probabilities import ROUNDING
from skvae.nn.distributions import kl_to_standard_normal, whitened_noise
from skvae.nn.expectations import DECODED_ENTRIES

__all__ = [
    "Chain",
    "ElementwiseStep",
    "NetworkStep",
    "ScalerStep",
    "Step",
    "VariationalStep",
]

INVERSE = {"add": "sub", "sub": "add", "mul": "div", "div": "mul"}


class Step(nn.Module):
    """A transformer: ``code`` and ``decode`` are its ``transform`` and ``inverse_transform``.

    Parameters
    ----------
    n_features : int
        Number of columns of a row.
    """

    offers: tuple[str, ...] = ("code", "reconstruction", "reconstruction_error")

    def __init__(self, n_features):
        super().__init__()
        self.n_features = n_features

    def reconstruction(self, x):
        """Return the rows decoded from their own codes, (n_samples, n_features)."""
        return self.decode(self.code(x))

    def reconstruction_error(self, x):
        """Return the mean squared error of each row's reconstruction, (n_samples,)."""
        return (self.reconstruction(x) - x).square().mean(-1)


class NetworkStep(Step):
    """An autoencoder: its network, in evaluation mode."""

    offers = (*Step.offers, "score_samples")

    def __init__(self, network, n_features):
        super().__init__(n_features)
        self.network = network

    def code(self, x):
        """Return the codes of rows, (n_samples, n_components)."""
        return self.network.code(x)

    def decode(self, z):
        """Return the mean of p(x|z), (n_samples, n_features)."""
        return self.network.decode(z).mean

    def score_samples(self, x):
        """Return minus the reconstruction error, (n_samples,), float64."""
        return -self.reconstruction_error(x).double()


class VariationalStep(NetworkStep):
    """A variational autoencoder: its score is the evidence lower bound at beta 1.

    Parameters
    ----------
    network : VariationalNetwork
        In evaluation mode.
    n_features : int
        Number of columns of a row.
    support : tuple of float
        The smallest and the largest scaled value that has a density.
    input_scale : float
        The factor that scales the rows.
    """

    def __init__(self, network, n_features, support, input_scale):
        super().__init__(network, n_features)
        noise = whitened_noise(network.n_components)
        self.register_buffer("noise", noise.to(next(network.parameters()).dtype))
        self.support, self.input_scale = support, input_scale
        # The estimator decodes one row like this. For more rows, memory grows in proportion.
        self.n_at_a_time = max(1, DECODED_ENTRIES // network.width)

    def score_samples(self, x):
        """Return the bound, (n_samples,), float64; NaN for rows without a density."""
        posterior = self.network.encode(x)
        vectors = self.noise.split(self.n_at_a_time)
        log_prob = sum(self._log_prob(x, posterior, some) for some in vectors) / len(self.noise)
        return self._where_supported(x, (log_prob - kl_to_standard_normal(posterior)).double())

    def _log_prob(self, x, posterior, noise):
        """Return the sum of log p(x|z) over some noise vectors, (n_samples,)."""
        z = posterior.sample(noise[:, None]).flatten(0, 1)
        log_prob = self.network.decode(z).log_prob(x.repeat(len(noise), 1))
        return log_prob.unflatten(0, (len(noise), -1)).sum(0)

    def _where_supported(self, x, score):
        low, high = self.support
        if math.isinf(low) and math.isinf(high):
            return score
        scaled = x * self.input_scale
        inside = (scaled.amin(-1) >= low - ROUNDING) & (scaled.amax(-1) <= high + ROUNDING)
        return torch.where(inside, score, math.nan)


class ScalerStep(Step):
    """Arithmetic of columns with constants, one operation after another, then clipping.

    Parameters
    ----------
    operations : list of (str, tensor of shape (n_features,))
        The operation is "add", "sub", "mul" or "div", and the tensor is its second operand. If the
        tensor is float64 and the rows are not, the operation is done in float64 and its result is
        rounded, as NumPy does for an operation in place.
    n_features : int
        Number of columns of a row.
    limits : tuple of float, default=None
        The smallest and the largest result.
    """

    def __init__(self, operations, n_features, limits=None):
        super().__init__(n_features)
        self.names = [name for name, _ in operations]
        self.limits = limits
        for place, (_, constant) in enumerate(operations):
            self.register_buffer(f"constant{place}", constant)

    def code(self, x):
        """Return the rows scaled."""
        for place, name in enumerate(self.names):
            x = self._computed(x, name, place)
        return x if self.limits is None else x.clamp(*self.limits)

    def decode(self, z):
        """Return the original rows from scaled ones, except for what was clipped."""
        for place, name in reversed(list(enumerate(self.names))):
            z = self._computed(z, INVERSE[name], place)
        return z

    def _computed(self, x, name, place):
        constant = getattr(self, f"constant{place}")
        return getattr(torch, name)(x.to(constant.dtype), constant).to(x.dtype)


class ElementwiseStep(Step):
    """A function of every entry, and its inverse, computed in float64."""

    def __init__(self, function, inverse, n_features):
        super().__init__(n_features)
        self.function, self.inverse = function, inverse

    def code(self, x):
        """Return the function's values."""
        return self.function(x.double()).to(x.dtype)

    def decode(self, z):
        """Return the inverse function's values."""
        return self.inverse(z.double()).to(z.dtype)


class Chain(Step):
    """The steps of a Pipeline; the score of the last step is in the units of its own input."""

    def __init__(self, steps):
        super().__init__(steps[0].n_features)
        self.steps = nn.ModuleList(steps)
        self.offers = steps[-1].offers

    def code(self, x):
        """Return the output of the last step."""
        return self.steps[-1].code(self._arriving(x))

    def decode(self, z):
        """Return rows from codes, step by step."""
        for step in reversed(self.steps):
            z = step.decode(z)
        return z

    def score_samples(self, x):
        """Return the last step's score, (n_samples,), float64."""
        return self.steps[-1].score_samples(self._arriving(x))

    def detector(self, x):
        """Return the last step's decisions, a dict."""
        return self.steps[-1].detector(self._arriving(x))

    def _arriving(self, x):
        for step in self.steps[:-1]:
            x = step.code(x)
        return x
