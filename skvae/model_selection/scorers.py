"""Scorers of models for a search, for ``scoring=``."""

from typing import Any

import numpy as np

from skvae._typing import Estimator, MatrixLike
from skvae.base.pipelines import last_step
from skvae.base.validation import dense
from skvae.metrics import active_units, gaussian_total_correlation

__all__ = [
    "active_units_scorer",
    "elbo_scorer",
    "log_likelihood_scorer",
    "reconstruction_scorer",
    "total_correlation_scorer",
]

N_IMPORTANCE = 100
SEED = 0  # every candidate gets the same draws


def elbo_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    r"""Score a model by its evidence lower bound at beta 1, for any beta used in training.

    This is the mean of ``score_samples``, in nats, a lower bound of the mean :math:`\log p(x)`. It
    selects the model that gives new rows the highest probability. It does not select for
    disentanglement.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        The fitted model. The steps of a Pipeline before it transform X first. The steps after it,
        such as a classifier, are ignored.
    X : array-like of shape (n_samples, n_features)
        Rows that a search has held out.
    y : None
        Ignored.

    Returns
    -------
    float
        In nats; higher is better. Compare values only between candidates that are given the same
        rows in the same units.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skvae import BetaVAETransformer
    >>> from skvae.model_selection import elbo_scorer
    >>> vae = BetaVAETransformer(2, max_epochs=20, lr=0.01, random_state=0)
    >>> search = GridSearchCV(vae, {"beta": [1.0, 20.0]}, scoring=elbo_scorer)
    >>> search.fit(load_iris().data).best_params_
    {'beta': 1.0}
    """
    estimator, X = _with_density(estimator, X, "elbo_scorer")
    return float(np.mean(estimator.score_samples(X)))


def log_likelihood_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    r"""Score a model by the importance-weighted log-likelihood bound, with 100 draws per row.

    This bound is closer to :math:`\log p(x)` than the evidence lower bound of :func:`elbo_scorer`.
    It therefore does not favour models whose true posterior the encoder can easily approximate.
    All candidates get the same draws.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        The fitted model. The steps of a Pipeline before it transform X first. The steps after it,
        such as a classifier, are ignored.
    X : array-like of shape (n_samples, n_features)
        Rows that a search has held out.
    y : None
        Ignored.

    Returns
    -------
    float
        The mean over the rows, in nats; higher is better.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.model_selection import elbo_scorer, log_likelihood_scorer
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=20, lr=0.01, random_state=0).fit(X)
    >>> log_likelihood_scorer(vae, X) > elbo_scorer(vae, X)
    True
    """
    estimator, X = _with_density(estimator, X, "log_likelihood_scorer")
    values = estimator.log_likelihood(X, n_importance=N_IMPORTANCE, random_state=SEED)
    return float(np.mean(values))


def reconstruction_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    r"""Score a model by its reconstructions: minus the mean squared error over rows and features.

    .. math:: -\frac{1}{n d} \sum_{i=1}^n \| x_i - g(f(x_i)) \|^2

    This works for any transformer with ``inverse_transform``, such as PCA. The score favours more
    components, longer training and the smallest beta.

    Parameters
    ----------
    estimator : transformer with ``inverse_transform``, or Pipeline or search that holds one
        The fitted model. The steps of a Pipeline before it transform X first, and the error is in
        the units after these steps. The steps after it, such as a classifier, are ignored.
    X : array-like of shape (n_samples, n_features)
        Rows that a search has held out.
    y : None
        Ignored.

    Returns
    -------
    float
        In squared units of X; higher is better.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import cross_val_score
    >>> from skvae.model_selection import reconstruction_scorer
    >>> cross_val_score(PCA(2), load_iris().data, scoring=reconstruction_scorer).mean().round(3)
    np.float64(-0.028)
    """
    estimator, X = last_step(estimator, X, "inverse_transform")
    if hasattr(estimator, "reconstruction_error"):
        return -float(np.mean(estimator.reconstruction_error(X)))
    rows = np.asarray(estimator.inverse_transform(estimator.transform(X)))
    return -float(np.mean((dense(X).astype(np.float64, copy=False) - rows) ** 2))


def active_units_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    """Score a model by its number of active codes; see :func:`skvae.metrics.active_units`.

    A higher number is better. Use it next to another score, to see which candidates collapsed.

    Parameters
    ----------
    estimator : transformer, or Pipeline or search that holds one
        The fitted model. The steps of a Pipeline before it transform X first. The steps after it,
        such as a classifier, are ignored.
    X : array-like of shape (n_samples, n_features)
        Rows that a search has held out.
    y : None
        Ignored.

    Returns
    -------
    float
        From 0 to n_components.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from skvae.model_selection import active_units_scorer
    >>> X = load_iris().data
    >>> active_units_scorer(PCA(3).fit(X), X)
    3.0
    """
    return float(active_units(estimator, X))


def total_correlation_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    """Score a model by how independent its codes are: minus their Gaussian total correlation.

    The score is minus :func:`skvae.metrics.gaussian_total_correlation` of codes drawn from the
    posteriors. It has a closed form, so candidates can be compared for any beta and any number of
    rows. A fully collapsed model has the best possible value, 0, so use it next to another score.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        The fitted model. The steps of a Pipeline before it transform X first. The steps after it,
        such as a classifier, are ignored.
    X : array-like of shape (n_samples, n_features)
        Rows that a search has held out.
    y : None
        Ignored.

    Returns
    -------
    float
        In nats, at most 0; higher is better.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.model_selection import total_correlation_scorer
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> total_correlation_scorer(vae, X) <= 0
    True
    """
    return -gaussian_total_correlation(estimator, X)


def _with_density(estimator, X, scorer):
    """Return the last step, which must have a density p(x), and X transformed up to it."""
    estimator, X = last_step(estimator, X, "posterior")
    if not hasattr(estimator, "posterior"):
        raise TypeError(
            f"{scorer} needs an estimator with a density, or a Pipeline that ends in one. Got "
            f"{type(estimator).__name__} instead. Use a VAE, such as VAETransformer."
        )
    return estimator, X
