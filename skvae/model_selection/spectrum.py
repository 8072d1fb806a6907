"""Which beta keeps which principal direction of the data."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_array

from skvae._typing import MatrixLike
from skvae.base.hyperparameters import POSITIVE, check_argument, check_integer, one_of
from skvae.base.variational import VARIANCE_FLOOR, pca_noise_variance

__all__ = ["suggest_beta"]


def suggest_beta(
    X: MatrixLike, n_components: int, *, noise_variance: float | str = "pca"
) -> np.ndarray:
    r"""Return the beta at which each principal direction of X collapses.

    With :math:`\lambda_1 \geq \dots \geq \lambda_d` the eigenvalues of the covariance of X (d
    columns), a linear beta-VAE keeps direction k, of its ``n_components``, while beta is below

    .. math::
        \beta_k = \frac{\lambda_k}{\sigma^2} \text{ (held)}, \quad
        \beta_k = \frac{d \, \lambda_k}{k \lambda_k + \sum_{j > k} \lambda_j} \text{ (learned)}

    So a beta under the last value keeps all components, one between the values k + 1 and k
    keeps k of them, and one over the first keeps none. The values are exact for
    ``hidden_layer_sizes=()`` and a :class:`~skvae.BetaVAETransformer`, at the optimum. Of other
    networks they tell the order of magnitude: a decoder that bends explains more variance
    with the same component, and keeps it under a larger beta.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows to be fitted, at least two, in the units they will be fitted in.
    n_components : int
        Number of latent dimensions, at most n_features.
    noise_variance : {"pca", "learned"} or float, default="pca"
        That of the estimator, see :class:`~skvae.BetaVAETransformer`: held at a PCA's or at a
        number (:math:`\sigma^2`), or learned along with beta.

    Returns
    -------
    ndarray of shape (n_components,), float64
        Decreasing; 0 for directions without variance.

    Raises
    ------
    ValueError
        If ``n_components`` or ``noise_variance`` is out of its range, or X constant.

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
    array([1.6, 1. ])
    """
    X = check_array(X, dtype=np.float64, ensure_min_samples=2)
    check_integer("n_components", n_components, "suggest_beta")
    constraint = [*one_of("pca", "learned"), *POSITIVE]
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
    X = X - X.mean(0)
    variance = X.var(0)
    spectrum = PCA(n_components, random_state=0).fit(X).explained_variance_
    spectrum = spectrum * (n_samples - 1) / n_samples  # as training sees it: over n
    # What is left of directions without variance is rounding.
    spectrum[spectrum <= max(X.shape) * np.finfo(X.dtype).eps * spectrum[0]] = 0.0
    if noise_variance == "learned":
        kept = np.arange(1, n_components + 1)
        left = np.maximum(variance.sum() - np.cumsum(spectrum), 0.0)
        total = kept * spectrum + left
        return np.divide(n_features * spectrum, total, out=np.zeros_like(total), where=spectrum > 0)
    if noise_variance == "pca":
        floor = VARIANCE_FLOOR * variance.mean()
        noise_variance = max(pca_noise_variance(X, n_components, random_state=0), floor)
    return spectrum / noise_variance
