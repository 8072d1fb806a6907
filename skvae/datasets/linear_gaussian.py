"""Rows of a linear Gaussian model, for which a linear VAE's optimum is known in closed form."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch, check_random_state

from skvae._typing import Floats, Seed
from skvae.datasets.dataset import Dataset
from skvae.datasets.grids import check_integer, check_number

__all__ = ["make_linear_gaussian"]

FUNCTION = "make_linear_gaussian"


def make_linear_gaussian(
    n_samples: int = 100,
    *,
    n_features: int = 10,
    eigenvalues: Floats = (5.0, 3.0, 2.0),
    noise_variance: float = 0.5,
    mean: ArrayLike = 0.0,
    exact: bool = False,
    random_state: Seed = None,
) -> Bunch:
    r"""Draw rows of probabilistic PCA, whose covariance has the given eigenvalues.

    .. math::
        x = W z + b + \sigma \varepsilon, \quad z \sim N(0, I_k), \quad
        \varepsilon \sim N(0, I_d), \quad W = U (\Lambda - \sigma^2 I)^{1/2}

    where the matrix :math:`\Lambda` has the :math:`k` given eigenvalues on its diagonal. The
    columns of :math:`U` are orthonormal directions drawn uniformly. The covariance
    :math:`W W^T + \sigma^2 I` has the eigenvalues
    :math:`\lambda_1, \dots, \lambda_k, \sigma^2, \dots, \sigma^2`.

    Consider a linear VAE with :math:`k` latent variables and a learned noise variance that all
    features share. For rows with exactly this mean and covariance (``exact=True``), its optimum is
    known, up to order and sign: the decoder is :math:`W z + b` with noise :math:`\sigma^2`, and the
    encoder is the exact posterior

    .. math::
        z_j | x \sim N\big(\sqrt{\lambda_j - \sigma^2} \, u_j^T (x - b) / \lambda_j,
        \; \sigma^2 / \lambda_j\big)

    The evidence lower bound then equals the log-likelihood, whose mean is
    :math:`-\frac12 (d \log 2\pi + \log\det(W W^T + \sigma^2 I) + d)`. The divergence from the prior
    is :math:`\frac12 \sum_j \log(\lambda_j / \sigma^2)`. A dimension whose eigenvalue is
    :math:`\sigma^2` collapses. In a beta-VAE with this noise variance fixed,
    :math:`\beta \sigma^2` replaces :math:`\sigma^2` in the posterior, and the dimensions with
    :math:`\lambda_j \le \beta \sigma^2` collapse.

    Parameters
    ----------
    n_samples : int, default=100
        Number of rows.
    n_features : int, default=10
        Number of columns, :math:`d`.
    eigenvalues : sequence of float, default=(5.0, 3.0, 2.0)
        The :math:`k \le d` largest eigenvalues of the covariance, in descending order, none smaller
        than ``noise_variance``. If they are distinct, the directions are identified.
    noise_variance : float, default=0.5
        All other eigenvalues, :math:`\sigma^2`; greater than 0.
    mean : float or array-like of shape (n_features,), default=0.0
        The mean of the rows, :math:`b`.
    exact : bool, default=False
        If True, the rows themselves have exactly this mean and covariance (with divisor
        ``n_samples``). If False, only the distribution that they are drawn from has. For exact
        rows, the latent variables and the noise are whitened together. The latent variables then
        have exactly the mean and covariance of the prior too, and the rows are not quite
        independent. This needs more rows than ``n_features`` plus the number of eigenvalues.
    random_state : int, RandomState instance or None, default=None
        Controls the directions, the latent variables and the noise.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_samples, n_features), float64
        - latents : ndarray of shape (n_samples, k), the :math:`z` of each row
        - weights : ndarray of shape (n_features, k), :math:`W`
        - mean : ndarray of shape (n_features,), :math:`b`
        - noise_variance : float
        - eigenvalues : ndarray of shape (n_features,), all of them, in descending order
        - log_likelihood : float, the mean of log p(x) in nats per row; no mean evidence lower bound
          can be higher
        - kl : float, the divergence from the prior at the optimum, in nats per row

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    Tipping & Bishop (1999), Probabilistic principal component analysis, JRSS B.

    Lucas, Tucker, Grosse & Norouzi (2019), Don't blame the ELBO! A linear VAE perspective on
    posterior collapse, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.datasets import make_linear_gaussian
    >>> rows = make_linear_gaussian(
    ...     50, n_features=4, eigenvalues=(3.0, 2.0), noise_variance=1.0, exact=True, random_state=0
    ... )
    >>> np.linalg.eigvalsh(np.cov(rows.data, rowvar=False, ddof=0)).round(12)
    array([1., 1., 2., 3.])
    >>> round(rows.kl, 4)  # log(3 * 2) / 2
    0.8959
    """
    check_integer(FUNCTION, "n_samples", n_samples)
    check_integer(FUNCTION, "n_features", n_features)
    check_number(FUNCTION, "noise_variance", noise_variance, lambda v: 0 < v < np.inf, "(0, inf)")
    leading = _checked_eigenvalues(eigenvalues, n_features, noise_variance)
    mean = _checked_mean(mean, n_features)
    n_latents = len(leading)
    if exact and n_samples <= n_features + n_latents:
        raise ValueError(
            f"make_linear_gaussian needs more than {n_features + n_latents} n_samples, the number "
            f"of features and of eigenvalues, for exact=True. Got {n_samples} instead. Draw more, "
            f"or set exact=False."
        )
    rng = check_random_state(random_state)
    directions = _orthonormal(rng.standard_normal((n_features, n_latents)))
    weights = directions * np.sqrt(leading - noise_variance)
    normal = rng.standard_normal((n_samples, n_latents + n_features))
    if exact:
        normal = _orthonormal(normal - normal.mean(axis=0)) * np.sqrt(n_samples)
    latents, noise = normal[:, :n_latents], normal[:, n_latents:]
    spectrum = np.full(n_features, float(noise_variance))
    spectrum[:n_latents] = leading
    return Dataset(
        data=latents @ weights.T + mean + np.sqrt(noise_variance) * noise,
        latents=latents,
        weights=weights,
        mean=mean,
        noise_variance=float(noise_variance),
        eigenvalues=spectrum,
        log_likelihood=float(-0.5 * np.sum(np.log(2 * np.pi * spectrum) + 1)),
        kl=float(0.5 * np.sum(np.log(leading / noise_variance))),
    )


def _orthonormal(columns):
    """Return columns made orthonormal by the Gram-Schmidt process, which keeps their signs."""
    orthonormal, triangle = np.linalg.qr(columns)
    return orthonormal * np.sign(np.diagonal(triangle))


def _checked_eigenvalues(eigenvalues, n_features, noise_variance):
    checked = _floats(eigenvalues)
    if (
        checked is None
        or checked.ndim != 1
        or not 1 <= len(checked) <= n_features
        or (np.diff(checked) > 0).any()
        or checked[-1] < noise_variance
    ):
        raise ValueError(
            f"make_linear_gaussian needs eigenvalues to be at most n_features = {n_features} "
            f"numbers in descending order, none less than noise_variance = {noise_variance}. Got "
            f"{eigenvalues!r} instead. Give such numbers, as in eigenvalues=({noise_variance},)."
        )
    return checked


def _checked_mean(mean, n_features):
    checked = _floats(mean)
    if checked is None or checked.shape not in ((), (n_features,)):
        raise ValueError(
            f"make_linear_gaussian needs mean to be a number or n_features = {n_features} numbers. "
            f"Got {mean!r} instead. Give one for each column, or one for all."
        )
    return np.full(n_features, checked)


def _floats(values):
    """Return values as an array of finite float64, or None if this is not possible."""
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return values if np.isfinite(values).all() else None
