"""The KL divergence from the prior, split into information, dependence and wrong shape."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import check_random_state

from skvae._results import Result
from skvae._typing import Estimator, MatrixLike, Seed
from skvae._warnings import warn
from skvae.base.hyperparameters import check_integer
from skvae.metrics.inputs import posterior_of
from skvae.nn.aggregate import log_mixture
from skvae.nn.distributions import LOG_2PI, Gaussian, kl_per_dimension

__all__ = ["KLDecomposition", "decompose", "gaussian_total_correlation", "kl_decomposition"]

LEAST_DRAWS = 100
MARGIN = 3.0  # nats: above log N - MARGIN the estimate of the mutual information is cut off
RESOLUTION = 1e-9  # smallest spread of a control variate that is used, relative to the divergence


@dataclass(frozen=True, eq=False, repr=False)
class KLDecomposition(Result):
    """The parts of the mean KL(q(z|x) || p(z)), in nats; see :func:`kl_decomposition`.

    Attributes
    ----------
    kl : float
        The whole divergence; exact.
    mutual_information, total_correlation, dimension_wise_kl : float
        The three parts. Their sum is ``kl``.
    kl_per_dimension : ndarray of shape (n_components,)
        The share of each dimension in ``kl``; exact.
    dimension_wise_kl_per_dimension : ndarray of shape (n_components,)
        The share of each dimension in ``dimension_wise_kl``.
    mutual_information_se, total_correlation_se, dimension_wise_kl_se : float
        Standard errors of the parts. They measure the random draws alone.
    dimension_wise_kl_per_dimension_se : ndarray of shape (n_components,)
        Standard errors of the shares, also from the draws alone.
    saturated : bool
        Whether there are too few rows to measure this much mutual information.
    """

    kl: float
    mutual_information: float
    total_correlation: float
    dimension_wise_kl: float
    kl_per_dimension: np.ndarray
    dimension_wise_kl_per_dimension: np.ndarray
    mutual_information_se: float
    total_correlation_se: float
    dimension_wise_kl_se: float
    dimension_wise_kl_per_dimension_se: np.ndarray
    saturated: bool

    def _table(self):
        names = ["kl", "mutual_information", "total_correlation", "dimension_wise_kl"]
        columns = [
            ("nats", [getattr(self, name) for name in names]),
            ("standard_error", [0.0, *(getattr(self, f"{name}_se") for name in names[1:])]),
        ]
        shares = zip(self.kl_per_dimension, self.dimension_wise_kl_per_dimension, strict=True)
        for place, (whole, own) in enumerate(shares):
            columns.append((f"z{place}", [whole, None, None, own]))
        return names, columns

    def __repr__(self):
        """Return the table, followed by a warning if the result is saturated."""
        return super().__repr__() + ("\nsaturated: too few rows" if self.saturated else "")


def kl_decomposition(
    estimator: Estimator, X: MatrixLike, *, n_samples: int = 10_000, random_state: Seed = None
) -> KLDecomposition:
    r"""Split the mean KL divergence of the posteriors from the prior into three parts.

    .. math:: \frac{1}{N} \sum_n KL(q(z|x_n) \,\|\, p(z)) =
              \underbrace{E \log \frac{q(z|x)}{q(z)}}_{\text{mutual information}} +
              \underbrace{E \log \frac{q(z)}{\prod_j q(z_j)}}_{\text{total correlation}} +
              \underbrace{\sum_j KL(q(z_j) \,\|\, p(z_j))}_{\text{dimension-wise KL}}

    Here :math:`q(z) = \frac{1}{N} \sum_n q(z|x_n)` is the exact mixture over all rows of X. The
    expectations are means over draws z from the rows' posteriors, with the same number of draws
    for each row used. The divergence of each row has a closed form. Regression removes the error
    that the draws make in it, so that the three parts sum to the exact divergence up to rounding.

    Parameters
    ----------
    estimator : estimator with ``posterior``, or Pipeline or search that holds one
        The fitted model. If it is a Pipeline, its other steps transform X first.
    X : array-like of shape (N, n_features)
        The rows that form the mixture q(z).
    n_samples : int, default=10_000
        Number of draws z, at least 100. Each row gets ``n_samples // N`` draws, and at least two.
        If ``n_samples`` is less than N, ``n_samples // 2`` random rows get two draws each. The
        time is that of computing ``n_samples * N * n_components`` densities (up to twice as many if
        N is close to ``n_samples``). The memory holds the posteriors and the draws.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws. None gives new draws at every call.

    Returns
    -------
    KLDecomposition
        All values are in nats. It prints as a table with one row for the whole and for each part,
        and one column for each dimension. ``to_frame()`` returns this table.

    Warns
    -----
    UserWarning
        If the divergence is above both 0 and log N - 3; ``saturated`` is then True. N rows cannot
        show more than log N nats of mutual information. The estimate counts the rest as total
        correlation. An example with a true total correlation of 0, ten dimensions and 10,000 rows:
        where the true mutual information is 6.9, 12, 16 and 23 nats, the estimated total
        correlation is 0.3, 3.0, 6.8 and 13.8 nats.

    Notes
    -----
    Each draw has the terms m = log q(z|x) - log q(z), t = log q(z) - sum_j log q(z_j) and
    w_j = log q(z_j) - log p(z_j). Least squares fits each term on (1, r, k). Here r is the sum of
    the terms minus the divergence of the draw's row, and k is the divergence of that row minus the
    mean over all rows. Both r and k have mean zero, so the intercepts are the estimates. The
    standard errors come from the spread of the residuals between draws of one row. Only if some
    rows were left out does the spread between rows enter too, in proportion to their share
    (two-stage sampling). The standard errors do not include the error of having these rows and no
    others.

    References
    ----------
    Hoffman & Johnson (2016), ELBO surgery, NIPS workshop. Chen et al. (2018), Isolating
    sources of disentanglement in VAEs, section 3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.metrics import kl_decomposition
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, noise_variance=0.5, max_epochs=5, random_state=0).fit(X)
    >>> parts = kl_decomposition(vae, X, n_samples=1000, random_state=0)
    >>> total = parts.mutual_information + parts.total_correlation + parts.dimension_wise_kl
    >>> bool(abs(total - parts.kl) < 1e-9)
    True
    >>> list(parts.to_frame().columns)
    ['nats', 'standard_error', 'z0', 'z1']
    """
    check_integer("n_samples", n_samples, "kl_decomposition", least=LEAST_DRAWS)
    rng = check_random_state(random_state)
    posterior = posterior_of(estimator, X, "kl_decomposition")
    parts = decompose(posterior, n_samples, rng)
    if parts.saturated:
        _warn_of_saturation(parts.kl, len(posterior.mean))
    return parts


def decompose(posterior, n_samples, rng):
    """Return the :class:`KLDecomposition` of some rows' posteriors, without any warning."""
    n_rows, n_components = posterior.mean.shape
    of_rows = kl_per_dimension(posterior).numpy()
    per_dimension = of_rows.mean(0)
    of_rows = of_rows.sum(1)
    kl = float(per_dimension.sum())
    saturated = kl > max(math.log(n_rows) - MARGIN, 0.0)
    rows, n_each = _rows_to_draw(n_rows, n_samples, rng)
    share = len(rows) / n_rows
    rows = np.repeat(rows, n_each)
    noise = torch.from_numpy(rng.standard_normal((len(rows), n_components)))
    terms = _terms(posterior, rows, noise)
    total = terms[:, :2].sum(1) + terms[:, 3:].sum(1)
    controls = [total - of_rows[rows], of_rows[rows] - kl]
    estimates, residuals = _regression(terms, controls, kl)
    errors = _standard_errors(residuals.reshape(-1, n_each, residuals.shape[1]), share)
    return KLDecomposition(
        kl=kl,
        mutual_information=float(estimates[0]),
        total_correlation=float(estimates[1]),
        dimension_wise_kl=float(estimates[2]),
        kl_per_dimension=per_dimension,
        dimension_wise_kl_per_dimension=estimates[3:],
        mutual_information_se=float(errors[0]),
        total_correlation_se=float(errors[1]),
        dimension_wise_kl_se=float(errors[2]),
        dimension_wise_kl_per_dimension_se=errors[3:],
        saturated=saturated,
    )


def _warn_of_saturation(kl, n_rows):
    warn(
        f"The mean divergence should be below log N - {MARGIN:g}. Got {kl:.4g} nats for "
        f"N = {n_rows} rows, where log N is {math.log(n_rows):.4g}, instead: mutual information "
        f"above log N cannot be measured, and counts as total correlation. Give more rows, or "
        f"compare by gaussian_total_correlation."
    )


def _rows_to_draw(n_rows, n_draws, rng):
    """Return the rows to use, which are all or ``n_draws // 2`` random ones, and draws per row."""
    if n_draws >= n_rows:
        return np.arange(n_rows), max(2, n_draws // n_rows)
    return rng.permutation(n_rows)[: n_draws // 2], 2


def _terms(posterior, rows, noise):
    """Return the columns m, t, the sum of all w_j, and each w_j, for one draw of each row."""
    mean, log_scale = posterior.mean[rows], posterior.log_scale[rows]
    z = Gaussian(mean, log_scale).sample(noise)
    log_q_z, log_marginals = log_mixture(posterior, z)
    log_conditional = -(0.5 * noise.square() + log_scale + 0.5 * LOG_2PI).sum(1)
    shapes = log_marginals + 0.5 * (z.square() + LOG_2PI)
    columns = (
        log_conditional - log_q_z,
        log_q_z - log_marginals.sum(1),
        shapes.sum(1),
        *shapes.T,
    )
    return torch.stack(columns, 1).numpy()


def _regression(terms, controls, size):
    """Return the means of the terms, corrected by controls of mean zero, and the residuals.

    A control that is constant up to rounding has no slope that could be fitted. It is then
    subtracted from the first term, the mutual information, so that the sum stays correct.
    """
    kept = [np.ones(len(terms))]
    for control in controls:
        spread = control.std()
        if spread > RESOLUTION * (1 + size):
            kept.append(control / spread)
        else:
            terms[:, 0] -= control
    design = np.column_stack(kept)
    coefficients = np.linalg.lstsq(design, terms)[0]
    return coefficients[0], terms - design @ coefficients


def _standard_errors(draws, share):
    """Return the standard errors of the means of draws, (rows, draws of a row, terms).

    The sampling has two stages: rows without replacement, then draws for each row. The spread
    between rows counts only in proportion to the share of rows that were left out.
    """
    n_rows, n_each, _ = draws.shape
    within = draws.var(axis=1, ddof=1).mean(0)
    between = draws.mean(1).var(axis=0, ddof=1) if n_rows > 1 else 0.0
    return np.sqrt(((1 - share) * between + share * within / n_each) / n_rows)


def gaussian_total_correlation(estimator: Estimator, X: MatrixLike) -> float:
    r"""Return the total correlation of a Gaussian with the aggregate posterior's covariance.

    .. math:: \frac{1}{2} \Big( \sum_j \log \Sigma_{jj} - \log \det \Sigma \Big), \quad
              \Sigma = Cov(\mu(x)) + diag(E \, \sigma^2(x))

    It is 0 if and only if the codes are uncorrelated, for any number of rows. It needs no draws
    and has no upper limit, unlike the total correlation of :func:`kl_decomposition`. It cannot
    detect a dependence that leaves the codes uncorrelated.

    Parameters
    ----------
    estimator : estimator with ``posterior``, or Pipeline or search that holds one
        The fitted model. If it is a Pipeline, its other steps transform X first.
    X : array-like of shape (n_samples, n_features)
        The rows that form the aggregate posterior, a mixture.

    Returns
    -------
    float
        In nats; infinite where some codes are a linear function of others.

    References
    ----------
    Watanabe (1960), Information theoretical analysis of multivariate correlation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.metrics import gaussian_total_correlation
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> gaussian_total_correlation(vae, X) >= 0
    True
    """
    posterior = posterior_of(estimator, X, "gaussian_total_correlation")
    centred = posterior.mean - posterior.mean.mean(0)
    covariance = centred.T @ centred / len(centred)
    covariance.diagonal().add_(posterior.scale.square().mean(0))
    scale = covariance.diagonal().sqrt()
    correlation = covariance / torch.outer(scale, scale)
    rounding = len(correlation) * torch.finfo(correlation.dtype).eps
    if torch.linalg.eigvalsh(correlation)[0] <= rounding:
        return math.inf  # some codes are a linear function of others
    return max(0.0, -0.5 * float(torch.logdet(correlation)))
