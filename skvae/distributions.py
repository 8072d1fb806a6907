"""Densities and divergences of codes and of data: p(x|z), q(z|x), p(z), log q(z)."""

import math
from functools import cached_property

import torch
from torch.nn import functional

__all__ = [
    "Bernoulli",
    "Gaussian",
    "kl_to_standard_normal",
    "log_aggregate_posterior",
    "standard_normal_log_prob",
    "whitened_noise",
]

LOG_2PI = math.log(2 * math.pi)
# exp of less is lost beside 1 even in float64, and would become a subnormal number, on which
# processors are many times slower.
NEGLIGIBLE = -60.0


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

    @property
    def mean(self):
        r"""The probability of a one, :math:`\pi`."""
        return torch.sigmoid(self.logits)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats."""
        return -functional.binary_cross_entropy_with_logits(self.logits, x, reduction="none")

    def log_prob(self, x):
        """Return the log-probability of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)


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


def log_aggregate_posterior(posterior, z, n_samples, sampling="mws"):
    r"""Estimate log q(z) and log prod_j q(z_j) from one mini-batch, in nats.

    The aggregate posterior :math:`q(z) = \frac{1}{N} \sum_n q(z|n)` is a mixture
    over all N training rows, of which a batch holds M. The estimate is

    .. math:: \log \hat q(z_i) = \log \sum_j W_{ij} \, q(z_i | n_j)

    - ``"mws"``, minibatch weighted sampling: :math:`W_{ij} = 1 / (NM)`. It is
      the batch's own mixture less log N: the gradient is right, the value is not.
    - ``"mss"``, minibatch stratified sampling in its symmetric form:
      :math:`W_{ii} = 1 / N`, else :math:`W_{ij} = (N-1) / (N(M-1))`. The rows sum
      to one, and :math:`\hat q` is unbiased over batches drawn without replacement
      (its logarithm is biased downwards, as every logarithm of a mean is).

    The weights belong to the pair (i, j), and enter each column's marginal once.

    Parameters
    ----------
    posterior : Gaussian
        q(z|n_j) of the batch, (M, n_components).
    z : tensor of shape (M, n_components)
        Row i is a draw from q(z|n_i).
    n_samples : int
        N, the number of training rows.
    sampling : {"mws", "mss"}, default="mws"
        The estimator.

    Returns
    -------
    log_q_z, log_prod_q_z : tensors of shape (M,)

    References
    ----------
    Chen et al. (2018), Isolating sources of disentanglement in VAEs, section 4.1
    and appendix C.

    Examples
    --------
    A collapsed posterior is N(0, I) in every row, and so is its mixture:

    >>> import torch
    >>> from skvae.distributions import Gaussian, log_aggregate_posterior
    >>> collapsed = Gaussian(torch.zeros(2, 1), torch.zeros(2, 1))
    >>> log_q_z, _ = log_aggregate_posterior(collapsed, torch.zeros(2, 1), 10, "mss")
    >>> log_q_z
    tensor([-0.9189, -0.9189])
    """
    n_batch = len(z)
    if sampling == "mws":
        log_weight, self_weight = -math.log(n_samples * n_batch), 1.0
    else:
        log_weight = math.log((n_samples - 1) / (n_samples * (n_batch - 1)))
        self_weight = (n_batch - 1) / (n_samples - 1)
    joint, marginals = _LogMixture.apply(posterior.mean, posterior.log_scale, z, self_weight)
    return joint + log_weight, marginals + z.shape[-1] * log_weight


class _LogMixture(torch.autograd.Function):
    """log sum_j w_ij q(z_i|n_j), and the same of each column summed over the columns.

    w_ij is 1, and ``self_weight`` where i = j. The derivative is written out because the
    arrays of (n_components, M, M) entries are all the cost: this takes half of the passes
    over them that autograd would.
    """

    @staticmethod
    def forward(ctx, mean, log_scale, z, self_weight):
        # Contiguous columns first: the results of what follows take the layout of its operands.
        mean, log_scale, z = (t.T.contiguous() for t in (mean, log_scale, z))
        mean, log_scale = mean.unsqueeze(1), log_scale.unsqueeze(1)
        precision = torch.exp(-log_scale)  # [d, 1, j]: of the standard deviation
        standardised = (z.unsqueeze(2) - mean).mul_(precision)  # [d, i, j]
        density = torch.addcmul(
            -log_scale - 0.5 * LOG_2PI, standardised, standardised, value=-0.5
        )  # log q(z_id | n_j)
        joint, joint_sum, log_joint = _weighted_sum(density.sum(0), self_weight)
        density, density_sum, log_marginals = _weighted_sum(density, self_weight)
        ctx.save_for_backward(precision, standardised, joint, joint_sum, density, density_sum)
        return log_joint, log_marginals.sum(0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_joint, grad_marginals):
        precision, standardised, joint, joint_sum, density, density_sum = ctx.saved_tensors
        of_joint = joint * (grad_joint / joint_sum).unsqueeze(-1)
        # [d, i, j]: derivative by log q(z_id | n_j)
        weight = torch.addcmul(of_joint, density, (grad_marginals / density_sum).unsqueeze(-1))
        pull = weight * standardised
        grad_z = -(pull @ precision.mT).squeeze(-1).T
        grad_mean = (pull.sum(1) * precision.squeeze(1)).T
        grad_log_scale = (pull.mul_(standardised).sum(1) - weight.sum(1)).T
        return grad_mean, grad_log_scale, grad_z, None


def _weighted_sum(log_terms, self_weight):
    """Return exp(log_terms - their maximum) with weights, its sum, and the log of the whole.

    Consumes ``log_terms``, of which the last axis is summed.
    """
    maximum = log_terms.amax(-1, keepdim=True)
    terms = log_terms.sub_(maximum).clamp_(min=NEGLIGIBLE).exp_()
    if self_weight != 1:
        terms.diagonal(dim1=-2, dim2=-1).mul_(self_weight)
    total = terms.sum(-1)
    return terms, total, total.log() + maximum.squeeze(-1)


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
