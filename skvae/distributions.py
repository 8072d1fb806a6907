"""Densities and divergences of codes and of data: p(x|z), q(z|x), p(z), log q(z)."""

import math
from functools import cached_property

import torch
from torch.nn import functional

__all__ = [
    "Bernoulli",
    "ContinuousBernoulli",
    "Gaussian",
    "kl_per_dimension",
    "kl_to_standard_normal",
    "standard_normal_log_prob",
    "whitened_noise",
]

LOG_2PI = math.log(2 * math.pi)
MEANS = (0.01, 0.99)  # of a column, as a decoder on [0, 1] begins with
BISECTIONS = 40
# Below SMALL_LOGIT a series is more precise than the formula; TINY_LOGIT keeps the latter finite.
SMALL_LOGIT, TINY_LOGIT = 0.1, 1e-6


class Gaussian:
    r"""Independent normal variables, one a column.

    .. math:: \log p(x) = -\sum_j \frac{(x_j - \mu_j)^2}{2 \sigma_j^2}
              + \log \sigma_j + \frac{1}{2} \log 2 \pi

    Parameters
    ----------
    mean : tensor of shape (n_samples, n_columns)
        :math:`\mu`.
    log_scale : tensor that broadcasts against ``mean``
        :math:`\log \sigma`.

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import Gaussian
    >>> Gaussian(torch.zeros(1, 2), torch.zeros(())).log_prob(torch.zeros(1, 2))
    tensor([-1.8379])
    """

    support = (-math.inf, math.inf)

    def __init__(self, mean, log_scale):
        self.mean = mean
        self.log_scale = log_scale

    @cached_property
    def scale(self):
        """The standard deviation, in the shape of ``log_scale``."""
        return self.log_scale.exp()

    def sample(self, noise):
        """Return mean + scale * noise, differentiable in both."""
        return torch.addcmul(self.mean, self.scale, noise)

    def draw(self, generator):
        """Return independent draws, in the shape of ``mean``."""
        noise = torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype)
        return self.sample(noise.to(self.mean.device))

    def log_prob_per_feature(self, x):
        """Return the log-density of every entry of x, in nats, broadcast."""
        standardised = (x - self.mean) * torch.exp(-self.log_scale)
        return -0.5 * (standardised.square() + LOG_2PI) - self.log_scale

    def log_prob(self, x):
        """Return the log-density of every row of x, in nats, (n_samples,)."""
        if self.log_scale.shape == self.mean.shape:
            return self.log_prob_per_feature(x).sum(-1)
        squares = functional.mse_loss(self.mean, x, reduction="none")  # one fused kernel
        precision = torch.exp(-2 * self.log_scale)
        constant = self.log_scale + 0.5 * LOG_2PI
        if self.log_scale.ndim == 0:
            return -0.5 * precision * squares.sum(-1) - x.shape[-1] * constant
        return -0.5 * (squares @ precision) - constant.sum()


class Bernoulli:
    r"""Independent binary variables, one a column.

    .. math:: \log p(x) = \sum_j x_j \log \pi_j + (1 - x_j) \log(1 - \pi_j)

    On grey values, 0 < x < 1, this is minus a cross-entropy and no density.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\log(\pi / (1 - \pi))`.

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import Bernoulli
    >>> Bernoulli(torch.zeros(1, 2)).log_prob(torch.ones(1, 2))
    tensor([-1.3863])
    """

    support = (0.0, 1.0)

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

    What a Bernoulli's term lacks on grey values is this normalisation.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\eta`; 0 is the uniform density.

    References
    ----------
    Loaiza-Ganem & Cunningham (2019), The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders, NeurIPS.

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import ContinuousBernoulli
    >>> ContinuousBernoulli(torch.zeros(1, 2)).log_prob(torch.tensor([[0.2, 0.9]]))
    tensor([0.])
    """

    support = (0.0, 1.0)

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
        """Return the logits' absolute values, away from 0, and where the series takes over."""
        size = self.logits.abs()
        return size.clamp(min=TINY_LOGIT), size < SMALL_LOGIT


def _uniform(like, generator):
    """Return uniform draws from [0, 1) in shape, dtype and device of a tensor."""
    return torch.rand(like.shape, generator=generator, dtype=like.dtype).to(like.device)


def kl_to_standard_normal(posterior):
    r"""Return the divergence of a Gaussian from N(0, I), row by row, in nats.

    .. math:: \frac{1}{2} \sum_j \mu_j^2 + \sigma_j^2 - 1 - 2 \log \sigma_j

    Parameters
    ----------
    posterior : Gaussian
        Mean and log-scale of shape (n_samples, n_components).

    Returns
    -------
    tensor of shape (n_samples,)

    References
    ----------
    Kingma & Welling (2014), Auto-encoding variational Bayes, appendix B.

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import Gaussian, kl_to_standard_normal
    >>> kl_to_standard_normal(Gaussian(torch.ones(1, 3), torch.zeros(1, 3)))
    tensor([1.5000])
    """
    mean, scale = posterior.mean, posterior.scale
    squares = torch.addcmul(mean * mean, scale, scale).sum(-1)
    return 0.5 * (squares - mean.shape[-1]) - posterior.log_scale.sum(-1)


def kl_per_dimension(posterior):
    r"""Return the divergence of every column of a Gaussian from N(0, 1), in nats.

    .. math:: \frac{1}{2} (\mu_j^2 + \sigma_j^2 - 1) - \log \sigma_j

    Parameters
    ----------
    posterior : Gaussian
        Mean and log-scale of shape (n_samples, n_components).

    Returns
    -------
    tensor of shape (n_samples, n_components)

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import Gaussian, kl_per_dimension
    >>> kl_per_dimension(Gaussian(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2)))
    tensor([[0.0000, 0.5000]])
    """
    squares = posterior.mean.square() + posterior.scale.square()
    return 0.5 * (squares - 1) - posterior.log_scale


def standard_normal_log_prob(z):
    r"""Return log p(z) of every row under N(0, I), (n_samples,), in nats.

    .. math:: -\frac{1}{2} \sum_j z_j^2 + \log 2 \pi

    Examples
    --------
    >>> import torch
    >>> from skvae.distributions import standard_normal_log_prob
    >>> standard_normal_log_prob(torch.zeros(1, 2))
    tensor([-1.8379])
    """
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def whitened_noise(n_components):
    r"""Return noise vectors with mean 0 and second moment I, exactly.

    They are antithetic (with :math:`\epsilon` comes :math:`-\epsilon`), at least
    ``2 * n_components`` and never fewer than 16, and always the same ones. The mean
    of any quadratic over them is its expectation under N(0, I).

    Parameters
    ----------
    n_components : int
        Length of a vector.

    Returns
    -------
    tensor of shape (n_vectors, n_components), float64

    Examples
    --------
    >>> from skvae.distributions import whitened_noise
    >>> noise = whitened_noise(3)
    >>> noise.shape
    torch.Size([16, 3])
    >>> bool(((noise.T @ noise / 16).diagonal() - 1).abs().max() < 1e-12)
    True
    """
    n_half = max(8, n_components)
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(n_half, n_components, generator=generator, dtype=torch.float64)
    orthonormal, _ = torch.linalg.qr(draws)
    half = math.sqrt(n_half) * orthonormal
    return torch.cat((half, -half))
