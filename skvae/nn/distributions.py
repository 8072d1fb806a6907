"""Densities and divergences of codes and of data: p(x|z), q(z|x), p(z), log q(z)."""

import math
from functools import cached_property, lru_cache

import torch
from torch.nn import functional

__all__ = [
    "ACTIVE_VARIANCE",
    "Gaussian",
    "active_dimensions",
    "kl_per_dimension",
    "kl_to_standard_normal",
    "standard_normal_log_prob",
    "whitened_noise",
]

LOG_2PI = math.log(2 * math.pi)
ACTIVE_VARIANCE = 0.01  # a dimension is active if the variance of its mean over the rows is larger


class Gaussian:
    r"""Independent normal variables, one for each column.

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
    >>> from skvae.nn.distributions import Gaussian
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


def kl_to_standard_normal(posterior):
    r"""Return the divergence of a Gaussian from N(0, I), one value per row, in nats.

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
    >>> from skvae.nn.distributions import Gaussian, kl_to_standard_normal
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
    >>> from skvae.nn.distributions import Gaussian, kl_per_dimension
    >>> kl_per_dimension(Gaussian(torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2)))
    tensor([[0.0000, 0.5000]])
    """
    squares = posterior.mean.square() + posterior.scale.square()
    return 0.5 * (squares - 1) - posterior.log_scale


def active_dimensions(mean, threshold=ACTIVE_VARIANCE):
    """Return which columns of an array of codes have a variance over ``threshold``.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.nn.distributions import active_dimensions
    >>> active_dimensions(np.array([[-1.0, 0.1], [1.0, 0.1]]))
    array([ True, False])
    """
    return mean.var(axis=0, dtype="float64") > threshold


def standard_normal_log_prob(z):
    r"""Return log p(z) of every row under N(0, I), (n_samples,), in nats.

    .. math:: -\frac{1}{2} \sum_j z_j^2 + \log 2 \pi

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.distributions import standard_normal_log_prob
    >>> standard_normal_log_prob(torch.zeros(1, 2))
    tensor([-1.8379])
    """
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def whitened_noise(n_components):
    r"""Return noise vectors whose mean is exactly 0 and whose second moment is exactly I.

    They are antithetic: for every :math:`\epsilon` there is also :math:`-\epsilon`. Their number is
    ``2 * n_components``, but at least 16. They are the same at every call. The mean of any
    quadratic function over them equals its expectation under N(0, I).

    Parameters
    ----------
    n_components : int
        Length of a vector.

    Returns
    -------
    tensor of shape (n_vectors, n_components), float64

    Examples
    --------
    >>> from skvae.nn.distributions import whitened_noise
    >>> noise = whitened_noise(3)
    >>> noise.shape
    torch.Size([16, 3])
    >>> bool(((noise.T @ noise / 16).diagonal() - 1).abs().max() < 1e-12)
    True
    """
    return _whitened_noise(n_components).clone()


@lru_cache(maxsize=1)  # a model asks for the same vectors at every call
def _whitened_noise(n_components):
    n_half = max(8, n_components)
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(n_half, n_components, generator=generator, dtype=torch.float64)
    orthonormal, _ = torch.linalg.qr(draws)
    half = math.sqrt(n_half) * orthonormal
    return torch.cat((half, -half))
