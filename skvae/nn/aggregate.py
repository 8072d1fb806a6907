"""The aggregate posterior q(z), the mixture of the posteriors of all training rows."""

import math

import torch

from skvae.nn.distributions import LOG_2PI

__all__ = ["batch_weights", "log_aggregate_posterior", "log_mixture", "log_mixture_slopes"]

# Smaller exponents of 2 are clipped here. Their powers do not change a sum with 1, even in float64.
# Some would be subnormal numbers, with which processors are many times slower.
NEGLIGIBLE = -87.0
LOG2_E = math.log2(math.e)
CHUNK_ENTRIES = 2**18  # pairs of rows of a batch, times dimensions: arrays of 1 MB of float32
# Draws and rows in a chunk of the exact mixture: its two arrays of 512 kB stay in the cache.
CHUNK_DRAWS, CHUNK_ROWS = 64, 1024


def log_aggregate_posterior(posterior, z, n_samples, sampling="mws"):
    r"""Estimate log q(z) and log prod_j q(z_j) from one mini-batch, in nats.

    The aggregate posterior :math:`q(z) = \frac{1}{N} \sum_n q(z|n)` is a mixture
    over all N training rows, of which a batch holds M. The estimate is

    .. math:: \log \hat q(z_i) = \log \sum_j W_{ij} \, q(z_i | n_j)

    - ``"mws"``, minibatch weighted sampling: :math:`W_{ij} = 1 / (NM)`. This is
      the log-density of the batch's own mixture minus log N. It is too low by up to log N.
    - ``"mss"``, minibatch stratified sampling in its symmetric form:
      :math:`W_{ii} = 1 / N`, and :math:`W_{ij} = (N-1) / (N(M-1))` for i and j that differ. The
      weights of a row i sum to one. :math:`\hat q` is unbiased over batches drawn without
      replacement. Its logarithm is biased downwards, like every logarithm of an estimated mean.

    Each weight belongs to a pair (i, j), and enters the marginal of each column once.

    The estimate is informative only while the divergence of the posteriors is below log M. If the
    divergence is far above log M, each :math:`z_i` is near its own posterior only, and
    :math:`\log \hat q(z_i)` is :math:`\log q(z_i|n_i)` plus a constant. Then the gradient of the
    total correlation equals that of the whole divergence, and the gradient of the mutual
    information is 0. Near log M, the two estimators differ, even in sign.

    Parameters
    ----------
    posterior : Gaussian
        The posteriors q(z|n_j) of the batch, (M, n_components).
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
    A collapsed posterior is N(0, I) for every row, and so is the mixture:

    >>> import torch
    >>> from skvae.nn.aggregate import log_aggregate_posterior
    >>> from skvae.nn.distributions import Gaussian
    >>> collapsed = Gaussian(torch.zeros(2, 1), torch.zeros(2, 1))
    >>> log_q_z, _ = log_aggregate_posterior(collapsed, torch.zeros(2, 1), 10, "mss")
    >>> log_q_z
    tensor([-0.9189, -0.9189])
    """
    log_weight, self_weight = batch_weights(len(z), n_samples, sampling)
    joint, marginals = _LogMixture.apply(posterior.mean, posterior.log_scale, z, self_weight)
    return joint + log_weight, marginals + z.shape[-1] * log_weight


def batch_weights(n_batch, n_samples, sampling):
    """Return the logarithm of W_ij, and W_ii / W_ij, of :func:`log_aggregate_posterior`."""
    if sampling == "mws":
        return -math.log(n_samples * n_batch), 1.0
    log_weight = math.log((n_samples - 1) / (n_samples * (n_batch - 1)))
    return log_weight, (n_batch - 1) / (n_samples - 1)


class _LogMixture(torch.autograd.Function):
    """log sum_j w_ij q(z_i|n_j), and the sum over the columns of the same for each column.

    w_ij is ``self_weight`` for i = j, and 1 otherwise. :func:`log_mixture_slopes` computes the
    derivatives.
    """

    @staticmethod
    def forward(ctx, mean, log_scale, z, self_weight):
        ctx.save_for_backward(mean, log_scale, z)
        ctx.self_weight = self_weight
        values, _ = log_mixture_slopes(mean, log_scale, z, self_weight)
        return values

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_joint, grad_marginals):
        grads = (grad_joint, grad_marginals)
        _, slopes = log_mixture_slopes(*ctx.saved_tensors, ctx.self_weight, grads)
        return *slopes, None


def log_mixture_slopes(mean, log_scale, z, self_weight, grads=None):
    """Return the log-densities of a batch's mixtures, and the derivatives of a loss.

    The cost is that of (n_components, M, M) entries. Only one array of this size is in memory. The
    rest is computed for some dimensions at a time, which stay in the cache. Exponents have base 2,
    since exp2 takes half the time of exp.

    Parameters
    ----------
    mean, log_scale, z : tensors of shape (M, n_components)
        Mean and log standard deviation of the posteriors, and a draw from each.
    self_weight : float
        Weight of the draw's own posterior. The other posteriors have weight 1.
    grads : pair of floats or tensors of shape (M,), default=None
        Derivatives of a loss by ``log_joint`` and by ``log_marginals``. None: only the values are
        computed.

    Returns
    -------
    values : (log_joint, log_marginals)
        log sum_j w_ij q(z_i|n_j), and the sum over the columns of the same for each column; (M,)
        each.
    slopes : tuple of three tensors of shape (M, n_components), or None
        Derivatives of the loss by ``mean``, ``log_scale`` and ``z``.
    """
    # Transpose first: later results have the memory layout of their operands.
    mean, log_scale, z = (t.T.contiguous() for t in (mean, log_scale, z))
    precision = torch.exp(-log_scale)  # [d, j]: 1 / standard deviation
    constant = (-log_scale - 0.5 * LOG_2PI) * LOG2_E
    n_components, n_batch = z.shape
    n_dims = max(1, CHUNK_ENTRIES // n_batch**2)
    chunks = [slice(start, start + n_dims) for start in range(0, n_components, n_dims)]
    standardised = z.new_empty((n_components, n_batch, n_batch))  # [d, i, j]
    joint = constant.sum(0).repeat(n_batch, 1)  # log2 q(z_i | n_j)
    for dims in chunks:
        part = standardised[dims]
        torch.sub(z[dims].unsqueeze(2), mean[dims].unsqueeze(1), out=part)
        part.mul_(precision[dims].unsqueeze(1))
        for of_dimension in part:
            joint.addcmul_(of_dimension, of_dimension, value=-0.5 * LOG2_E)
    joint, joint_sum, joint_top = _weighted_sum(joint, self_weight)
    if grads is not None:
        joint.mul_((grads[0] / joint_sum).unsqueeze(-1))
    found = []
    for dims in chunks:
        part = standardised[dims]
        density = torch.addcmul(constant[dims].unsqueeze(1), part, part, value=-0.5 * LOG2_E)
        density, total, top = _weighted_sum(density, self_weight)
        found.append((total, top))
        if grads is not None:
            # [d, i, j]: derivative by log q(z_id | n_j)
            of_marginals = (grads[1] / total).unsqueeze(-1)
            weight = torch.addcmul(joint, density, of_marginals, out=density)
            found[-1] += _pulls(weight, part, precision[dims])
    total, top, *pulls = map(torch.cat, zip(*found, strict=True))
    values = (joint_sum.log2() + joint_top) / LOG2_E, (total.log2() + top).sum(0) / LOG2_E
    if grads is None:
        return values, None
    weights, first, second, by_z = pulls
    slopes = first * precision, second - weights, -by_z
    return values, tuple(slope.T for slope in slopes)


def _pulls(weight, standardised, precision):
    """Return four weighted sums over pairs [d, i, j], each (n_dims, M).

    Three are sums over i: of the weights, of the weights times the standardised distance, and of
    the weights times its square. One is a sum over j: of weight times distance times precision.
    ``weight`` is overwritten.
    """
    weights = weight.sum(1)
    pull = weight.mul_(standardised)
    # The vector is the left factor: as the right factor, the product takes ten times as long.
    first, by_z = pull.sum(1), (precision.unsqueeze(1) @ pull.mT).squeeze(1)
    return weights, first, pull.mul_(standardised).sum(1), by_z


def _weighted_sum(log2_terms, self_weight):
    """Return weighted 2^(log2_terms - maximum), its sum over the last axis, and the maximum.

    ``log2_terms`` is overwritten.
    """
    maximum = log2_terms.amax(-1, keepdim=True)
    terms = log2_terms.sub_(maximum).clamp_(min=NEGLIGIBLE).exp2_()
    if self_weight != 1:
        terms.diagonal(dim1=-2, dim2=-1).mul_(self_weight)
    return terms, terms.sum(-1), maximum.squeeze(-1)


@torch.no_grad()
def log_mixture(posterior, z):
    r"""Return the exact log q(z) and log q(z_j) of the mixture of all rows, in nats.

    .. math:: \log q(z) = \log \frac{1}{N} \sum_{n=1}^N \prod_j q(z_j|n), \quad
              \log q(z_j) = \log \frac{1}{N} \sum_{n=1}^N q(z_j|n)

    The N x S x n_components densities are computed in chunks, so the memory is that of the
    arguments and of the result, for any number of rows and points. It is not differentiable.

    Parameters
    ----------
    posterior : Gaussian
        The posteriors q(z|n) of all rows, (N, n_components).
    z : tensor of shape (S, n_components)
        Any points, in the dtype of the posterior.

    Returns
    -------
    log_q_z : tensor of shape (S,)
        Logarithm of the joint density.
    log_q_z_per_dimension : tensor of shape (S, n_components)
        Logarithms of the marginal densities.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.aggregate import log_mixture
    >>> from skvae.nn.distributions import Gaussian
    >>> two = Gaussian(torch.tensor([[-1.0], [1.0]]), torch.zeros(2, 1))
    >>> log_mixture(two, torch.zeros(1, 1))
    (tensor([-1.4189]), tensor([[-1.4189]]))
    """
    n_rows, n_components = posterior.mean.shape
    mean, log_scale, z = (
        t.T.contiguous() for t in (posterior.mean, posterior.log_scale.expand(n_rows, -1), z)
    )
    log_factor = -log_scale - 0.5 * math.log(2)
    factor = log_factor.exp()  # ((z - mean) * factor)^2 is half the squared standardised z
    log_joint, log_marginals = _log_sums(mean, factor, log_factor.sum(0), z)
    # The marginals are plain sums, whose terms are clipped from below at a tiny floor. If a point
    # is so far from all rows that the clipping matters, its sum is computed again by logsumexp.
    rounding = math.log(torch.finfo(z.dtype).eps)
    bound = log_factor.amax(1, keepdim=True) + (_exponent_floor(z) + math.log(n_rows) - rounding)
    for dimension, point in (log_marginals < bound).nonzero().tolist():
        standardised = (z[dimension, point] - mean[dimension]).mul_(factor[dimension])
        terms = torch.addcmul(log_factor[dimension], standardised, standardised, value=-1)
        log_marginals[dimension, point] = terms.logsumexp(0)
    log_constant = math.log(n_rows) + 0.5 * math.log(math.pi)
    joint_constant = math.log(n_rows) + 0.5 * n_components * math.log(math.pi)
    return log_joint - joint_constant, log_marginals.sub_(log_constant).T


def _log_sums(mean, factor, log_weight, z):
    """Return log sum_n w_n exp(-h_n) and log sum_n factor_dn exp(-h_dn) for every point.

    h_dn is ((z_d - mean_dn) factor_dn)^2, and h_n is its sum over d. ``log_weight`` has shape
    (N,). The rows of all other arguments are the dimensions.
    """
    (n_components, n_rows), n_points = mean.shape, z.shape[1]
    log_joint = z.new_full((n_points,), -math.inf)
    marginals = torch.zeros_like(z)
    floor = _exponent_floor(z)
    terms, total = z.new_empty(2, CHUNK_DRAWS, CHUNK_ROWS)
    for start in range(0, n_points, CHUNK_DRAWS):
        points = slice(start, min(start + CHUNK_DRAWS, n_points))
        for first in range(0, n_rows, CHUNK_ROWS):
            rows = slice(first, min(first + CHUNK_ROWS, n_rows))
            term = terms[: points.stop - start, : rows.stop - first]
            joint = total[: points.stop - start, : rows.stop - first]
            joint.copy_(log_weight[rows])
            for d in range(n_components):
                torch.sub(z[d, points].unsqueeze(1), mean[d, rows], out=term)
                term.mul_(factor[d, rows])
                joint.sub_(term.mul_(term))
                marginals[d, points] += term.neg_().clamp_(min=floor).exp_() @ factor[d, rows]
            _, of_rows, top = _weighted_sum(joint.mul_(LOG2_E), 1.0)
            of_rows = of_rows.log2().add_(top).div_(LOG2_E)
            torch.logaddexp(log_joint[points], of_rows, out=log_joint[points])
    return log_joint, marginals.log_()


def _exponent_floor(like):
    """Return an exponent near the smallest whose exp is a normal number; others are slow."""
    return 0.99 * math.log(torch.finfo(like.dtype).tiny)
