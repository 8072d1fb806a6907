"""What a divergence from the prior is spent on: information, dependence, or the wrong shape."""

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
MARGIN = 3.0  # nats below log N from which the mutual information is held down
RESOLUTION = 1e-9  # of a control variate's spread, relative to the divergence


@dataclass(frozen=True, eq=False, repr=False)
class KLDecomposition(Result):
    """The parts of the mean KL(q(z|x) || p(z)), in nats; see :func:`kl_decomposition`.

    Attributes
    ----------
    kl : float
        The whole, without error.
    mutual_information, total_correlation, dimension_wise_kl : float
        Its parts, which sum to it.
    kl_per_dimension : ndarray of shape (n_components,)
        The shares of ``kl``, without error.
    dimension_wise_kl_per_dimension : ndarray of shape (n_components,)
        The shares of ``dimension_wise_kl``.
    mutual_information_se, total_correlation_se, dimension_wise_kl_se : float
        Standard errors of the parts, from the draws alone.
    dimension_wise_kl_per_dimension_se : ndarray of shape (n_components,)
        Likewise.
    saturated : bool
        Whether the rows are too few for the mutual information there is.
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
        """Return the table, and a word of warning where it is due."""
        return super().__repr__() + ("\nsaturated: too few rows" if self.saturated else "")


def kl_decomposition(
    estimator: Estimator, X: MatrixLike, *, n_samples: int = 10_000, random_state: Seed = None
) -> KLDecomposition:
    r"""Decompose the mean divergence of the posteriors from the prior.

    .. math:: \frac{1}{N} \sum_n KL(q(z|x_n) \,\|\, p(z)) =
              \underbrace{E \log \frac{q(z|x)}{q(z)}}_{\text{mutual information}} +
              \underbrace{E \log \frac{q(z)}{\prod_j q(z_j)}}_{\text{total correlation}} +
              \underbrace{\sum_j KL(q(z_j) \,\|\, p(z_j))}_{\text{dimension-wise KL}}

    Here :math:`q(z) = \frac{1}{N} \sum_n q(z|x_n)` is the exact mixture of all rows of X, and
    the expectations are over draws z of a row's posterior, as many of each row used. The
    divergence itself is known in closed form, row by row: the draws' error in it is taken
    out of the parts by regression, so that they sum to it to rounding.

    Parameters
    ----------
    estimator : estimator with ``posterior``, or Pipeline or search that holds one
        Fitted. A Pipeline's other steps transform X first.
    X : array-like of shape (N, n_features)
        The rows whose mixture q(z) is.
    n_samples : int, default=10_000
        Number of draws z, at least 100. Every row has ``n_samples // N`` of them, and at
        least two; if it is less than N, a random half as many rows have two each. The
        time is that of ``n_samples * N * n_components`` densities (up to twice that for N near
        ``n_samples``); the memory is that of the posteriors and the draws.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws; None draws afresh at every call.

    Returns
    -------
    KLDecomposition
        All in nats. It prints as a table, a row for the whole and each part and a column for each
        dimension, and ``to_frame()`` is that table.

    Warns
    -----
    UserWarning
        If the divergence exceeds log N - 3 (and 0), the result's ``saturated``. N rows cannot
        show more than log N nats of mutual information, and what there is beyond shows as
        total correlation: where that is truly 0, ten dimensions and 10,000 rows give 0.3,
        3.0, 6.8 and 13.8 nats of it at a true mutual information of 6.9, 12, 16 and 23.

    Notes
    -----
    A draw has the terms m = log q(z|x) - log q(z), t = log q(z) - sum_j log q(z_j) and
    w_j = log q(z_j) - log p(z_j). They are fitted by least squares on (1, r, k), where r is
    their sum less its row's divergence, and k the latter less the mean over all rows:
    both have mean zero. The intercepts are the estimates. Standard errors are of the residuals'
    spread among the draws of one row; only where rows were left out does the spread over rows
    enter, by its share (two-stage sampling). They are the error of drawing, not that of having
    these rows and no others.

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
    """Return the :class:`KLDecomposition` of the posteriors of some rows, without a warning."""
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
        f"N = {n_rows} rows, of which log N is {math.log(n_rows):.4g} instead: mutual "
        f"information beyond that cannot show, and counts as total correlation. Give more rows, "
        f"or compare by gaussian_total_correlation."
    )


def _rows_to_draw(n_rows, n_draws, rng):
    """Return the rows to use, all or a random half as many as draws, and the draws of each."""
    if n_draws >= n_rows:
        return np.arange(n_rows), max(2, n_draws // n_rows)
    return rng.permutation(n_rows)[: n_draws // 2], 2


def _terms(posterior, rows, noise):
    """Return the columns m, t, the sum over w_j, and every w_j, of one draw for each row."""
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
    """Return the means of the terms given controls of mean zero, and the residuals.

    A control that is constant over the draws, but for rounding at this size, has no slope to fit:
    the first term, that of the mutual information, takes it whole, so the sum stays right.
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

    Sampling in two stages, rows without replacement and then draws of each: the rows' own
    spread enters as far as rows were left out.
    """
    n_rows, n_each, _ = draws.shape
    within = draws.var(axis=1, ddof=1).mean(0)
    between = draws.mean(1).var(axis=0, ddof=1) if n_rows > 1 else 0.0
    return np.sqrt(((1 - share) * between + share * within / n_each) / n_rows)


def gaussian_total_correlation(estimator: Estimator, X: MatrixLike) -> float:
    r"""Return the total correlation of a Gaussian with the aggregate posterior's covariance.

    .. math:: \frac{1}{2} \Big( \sum_j \log \Sigma_{jj} - \log \det \Sigma \Big), \quad
              \Sigma = Cov(\mu(x)) + diag(E \, \sigma^2(x))

    It is 0 if and only if the codes are uncorrelated, whatever the number of rows: there are
    no draws, and no cap such as that of :func:`kl_decomposition`. It does not see a
    dependence without correlation.

    Parameters
    ----------
    estimator : estimator with ``posterior``, or Pipeline or search that holds one
        Fitted. A Pipeline's other steps transform X first.
    X : array-like of shape (n_samples, n_features)
        The rows whose mixture the aggregate posterior is.

    Returns
    -------
    float
        In nats; infinite where codes determine one another.

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
        return math.inf  # codes that determine one another
    return max(0.0, -0.5 * float(torch.logdet(correlation)))
