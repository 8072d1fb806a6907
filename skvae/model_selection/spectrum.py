"""The largest beta at which a linear model keeps each principal direction of the data."""

from functools import partial

import numpy as np
from sklearn.utils import check_array

from skvae._typing import MatrixLike
from skvae.base.hyperparameters import POSITIVE, check_argument, check_integer, one_of
from skvae.base.principal import principal_components
from skvae.base.validation import valid_numbers
from skvae.base.variational import VARIANCE_FLOOR, held_noise_variance

__all__ = ["suggest_beta"]


def suggest_beta(
    X: MatrixLike, n_components: int, *, noise_variance: float | str = "learned"
) -> np.ndarray:
    r"""Return the beta at which each principal direction of X collapses.

    Let :math:`\lambda_1 \geq \dots \geq \lambda_d` be the eigenvalues of the covariance of X, which
    has d columns. A linear beta-VAE keeps direction k, one of its ``n_components``, while beta is
    below

    .. math::
        \beta_k = \frac{\lambda_k}{\sigma^2} \text{ (held)}, \quad
        \beta_k = \max_{k \leq l \leq q} \frac{(d - l) \lambda_l}{\sum_{j > l} \lambda_j}
        \text{ (learned, q components)}

    where the term for l = d is 1. The first formula is for a fixed noise variance. A learned noise
    variance is the mean variance of the directions that are not kept. Direction k is also kept
    whenever a smaller direction l is kept, which is why the second formula has a maximum. A beta
    below the last value keeps all components. A beta between the values k + 1 and k keeps k of
    them. A beta above the first value keeps none. The values are exact at the optimum of a
    :class:`~skvae.BetaVAETransformer` with ``hidden_layer_sizes=()``. For other networks they give
    the order of magnitude: a nonlinear decoder explains more variance with the same component, and
    keeps it at a larger beta.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows to be fitted, at least two, in the same units as in the fit. For a table, the codes
        that a TableEncoder returns.
    n_components : int
        Number of latent dimensions, at most n_features.
    noise_variance : {"learned", "pca"} or float, default="learned"
        The parameter of the estimator; see :class:`~skvae.BetaVAETransformer`. The variance is
        learned, fixed by a PCA, or fixed at a number (:math:`\sigma^2`).

    Returns
    -------
    ndarray of shape (n_components,), float64
        In decreasing order; 0 for directions without variance.

    Raises
    ------
    ValueError
        If ``n_components`` or ``noise_variance`` is out of its range, or X is constant.

    References
    ----------
    Lucas et al. (2019), Don't blame the ELBO! A linear VAE perspective on posterior collapse,
    NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.model_selection import suggest_beta
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # variances 2, 0.5
    >>> suggest_beta(X, 2, noise_variance=0.1)
    array([20.,  5.])
    >>> suggest_beta(X, 2, noise_variance="learned")
    array([4., 1.])
    """
    validate = partial(check_array, dtype="numeric", input_name="X", ensure_min_samples=2)
    X = valid_numbers(partial(validate, ensure_all_finite="allow-nan"), X, allow_nan=True)
    X = valid_numbers(validate, _without_holes(X)).astype(np.float64, copy=False)
    check_integer("n_components", n_components, "suggest_beta")
    constraint = [*one_of("learned", "pca"), *POSITIVE]
    check_argument("noise_variance", noise_variance, constraint, "suggest_beta")
    n_samples, n_features = X.shape
    if n_components > min(n_samples, n_features):
        raise ValueError(
            f"suggest_beta needs n_components of at most the numbers of rows and of columns. Got "
            f"n_components={n_components} for X of shape {X.shape} instead. Ask for fewer."
        )
    if not (X - X[0]).any():
        raise ValueError(
            "suggest_beta needs rows that differ. Got a constant X instead. Give more."
        )
    components = principal_components(X, n_components, random_state=0)
    variances = np.zeros(n_components)
    variances[: len(components.variances)] = components.variances.numpy()
    floor, held = VARIANCE_FLOOR * X.var(0).mean(), noise_variance
    if noise_variance == "learned":
        n_kept = np.minimum(np.arange(1, n_components + 1), n_features - 1)
        left = [float(components.noise_variance(n_directions)) for n_directions in n_kept]
        held = np.maximum(left, floor)
    elif noise_variance == "pca":
        held = max(held_noise_variance(components, n_samples), floor)
    # While a smaller direction is kept, the larger ones are kept too.
    return np.maximum.accumulate(np.divide(variances, held)[::-1])[::-1]


def _without_holes(X):
    """Return X, or raise an error if it has missing values, for which there is no PCA."""
    if X.dtype.kind == "f" and np.isnan(X).any():
        raise ValueError(
            "suggest_beta needs rows in which everything was observed. Got NaN instead. Fill it, "
            "as a VAEImputer does, or leave such rows out."
        )
    return X
