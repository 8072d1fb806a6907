"""The aggregate posterior q(z), the mixture of the posteriors of all training rows."""

import math

import torch

from skvae.distributions import LOG_2PI

__all__ = ["log_aggregate_posterior"]

# exp of less is lost beside 1 even in float64, and would become a subnormal number, on which
# processors are many times slower.
NEGLIGIBLE = -60.0


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
    >>> from skvae.aggregate import log_aggregate_posterior
    >>> from skvae.distributions import Gaussian
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
