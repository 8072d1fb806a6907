"""Densities of data on an interval, and the names of all likelihoods p(x|z).

A likelihood is a class that is called with the decoder's output. It has ``support``, ``discrete``,
``location`` (from a mean to the decoder's output), ``mean``, ``draw`` and ``log_prob``, and an
entry in ``LIKELIHOODS``.
"""

import math

import torch
from torch.nn import functional

from skvae.nn.distributions import Gaussian

__all__ = ["LIKELIHOODS", "Bernoulli", "ContinuousBernoulli", "Scaled"]

MEANS = (0.01, 0.99)  # range of column means from which a decoder on [0, 1] starts
BISECTIONS = 40
# Below SMALL_LOGIT, a series is more precise than the formula. TINY_LOGIT keeps the formula finite.
SMALL_LOGIT, TINY_LOGIT = 0.1, 1e-6


class Bernoulli:
    r"""Independent binary variables, one for each column.

    .. math:: \log p(x) = \sum_j x_j \log \pi_j + (1 - x_j) \log(1 - \pi_j)

    For grey values, 0 < x < 1, this is minus a cross-entropy, and not a density.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\log(\pi / (1 - \pi))`.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.likelihoods import Bernoulli
    >>> Bernoulli(torch.zeros(1, 2)).log_prob(torch.ones(1, 2))
    tensor([-1.3863])
    """

    support = (0.0, 1.0)
    discrete = True

    def __init__(self, logits):
        self.logits = logits

    @staticmethod
    def location(mean):
        """Return the logits of these means, a mean of 0 or 1 kept at a finite distance."""
        return torch.logit(mean.clamp(*MEANS))

    @property
    def mean(self):
        r"""The probability of a one, :math:`\pi`."""
        return torch.sigmoid(self.logits)

    def draw(self, generator):
        """Return independent draws, zeros and ones in the shape of ``logits``."""
        return (_uniform(self.logits, generator) < self.mean).to(self.logits)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats."""
        return -functional.binary_cross_entropy_with_logits(self.logits, x, reduction="none")

    def log_prob(self, x):
        """Return the log-probability of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)


class ContinuousBernoulli:
    r"""Independent variables on [0, 1] with densities proportional to :math:`e^{\eta x}`.

    .. math:: \log p(x) = \sum_j \eta_j x_j - \log \frac{e^{\eta_j} - 1}{\eta_j}

    The last term is the normalisation that a Bernoulli lacks for grey values.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\eta`. 0 gives the uniform density.

    References
    ----------
    Loaiza-Ganem & Cunningham (2019), The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders, NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.likelihoods import ContinuousBernoulli
    >>> ContinuousBernoulli(torch.zeros(1, 2)).log_prob(torch.tensor([[0.2, 0.9]]))
    tensor([0.])
    """

    support = (0.0, 1.0)
    discrete = False

    def __init__(self, logits):
        self.logits = logits

    @staticmethod
    def location(mean):
        """Return the logits of these means, a mean of 0 or 1 kept at a finite distance."""
        mean = mean.clamp(*MEANS)
        low, high = torch.full_like(mean, -1 / MEANS[0]), torch.full_like(mean, 1 / MEANS[0])
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = ContinuousBernoulli(middle).mean < mean
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2

    @property
    def mean(self):
        r"""The mean, :math:`1 / (1 - e^{-\eta}) - 1 / \eta`."""
        size, small = self._size()
        series = self.logits / 12 - self.logits**3 / 720
        exact = self.logits.sign() * (-1 / torch.expm1(-size) - 1 / size - 0.5)
        return 0.5 + torch.where(small, series, exact)

    def draw(self, generator):
        """Return independent draws, in the shape of ``logits``, by inversion."""
        size, _ = self._size()
        below = -torch.log1p(_uniform(size, generator) * torch.expm1(-size)) / size
        return torch.where(self.logits < 0, below, 1 - below).clamp(0, 1)

    def log_prob_per_feature(self, x):
        """Return the log-density of every entry of x, in nats."""
        size, small = self._size()
        squares = self.logits.square()
        series = squares / 24 - squares.square() / 2880
        exact = size / 2 + torch.log(-torch.expm1(-size)) - torch.log(size)
        return self.logits * (x - 0.5) - torch.where(small, series, exact)

    def log_prob(self, x):
        """Return the log-density of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)

    def _size(self):
        """Return the absolute logits, clipped above 0, and a mask of where the series is used."""
        size = self.logits.abs()
        return size.clamp(min=TINY_LOGIT), size < SMALL_LOGIT


def _uniform(like, generator):
    """Return uniform draws from [0, 1) with the shape, dtype and device of a tensor."""
    return torch.rand(like.shape, generator=generator, dtype=like.dtype).to(like.device)


class Scaled:
    r"""The distribution of x, given the distribution of :math:`c x`.

    .. math:: \log p(x) = \log p_{cx}(c x) + d \log c

    The last term is the Jacobian for d columns. Discrete distributions do not have it.

    Parameters
    ----------
    distribution : likelihood
        Distribution of the scaled values.
    factor : float
        c, positive.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.likelihoods import ContinuousBernoulli, Scaled
    >>> Scaled(ContinuousBernoulli(torch.zeros(1, 1)), 0.5).log_prob(torch.ones(1, 1))
    tensor([-0.6931])
    """

    def __init__(self, distribution, factor):
        self.distribution = distribution
        self.factor = factor
        self.log_factor = 0.0 if distribution.discrete else math.log(factor)

    @property
    def mean(self):
        """The mean in the units of x."""
        return self.distribution.mean / self.factor

    def draw(self, generator):
        """Return independent draws in the units of x."""
        return self.distribution.draw(generator) / self.factor

    def log_prob_per_feature(self, x):
        """Return the log-density of every entry of x, in nats."""
        return self.distribution.log_prob_per_feature(x * self.factor) + self.log_factor

    def log_prob(self, x):
        """Return the log-density of every row of x, in nats, (n_samples,)."""
        return self.distribution.log_prob(x * self.factor) + x.shape[-1] * self.log_factor


LIKELIHOODS = {
    "gaussian": Gaussian,
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
}
