"""Scores of models that a search may select by, for ``scoring=``."""

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
SEED = 0  # of draws: the same for all candidates


def elbo_scorer(estimator: Estimator, X: MatrixLike, y: Any = None) -> float:
    r"""Score by the evidence lower bound at beta 1, whatever beta trained the model.

    The mean of ``score_samples``, in nats: a lower bound of the mean :math:`\log p(x)`. It selects
    the model under which new rows are most probable, not the one that disentangles.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        Fitted. A Pipeline's steps before it transform X first; those behind, such as a
        classifier, are left out.
    X : array-like of shape (n_samples, n_features)
        Rows, held out by a search.
    y : None
        Ignored.

    Returns
    -------
    float
        In nats, higher being better. Values compare among candidates that see the same rows in
        the same units.

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
    r"""Score by the importance-weighted bound of the log-likelihood, with 100 draws a row.

    It is nearer to :math:`\log p(x)` than the evidence lower bound of :func:`elbo_scorer`, and so
    does not favour models whose posteriors are easily met. The draws are the same for all
    candidates.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        Fitted. A Pipeline's steps before it transform X first; those behind, such as a
        classifier, are left out.
    X : array-like of shape (n_samples, n_features)
        Rows, held out by a search.
    y : None
        Ignored.

    Returns
    -------
    float
        In nats, the mean over the rows, higher being better.

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
    r"""Score by how well rows are reconstructed, minus the mean squared error of a feature.

    .. math:: -\frac{1}{n d} \sum_{i=1}^n \| x_i - g(f(x_i)) \|^2

    Any transformer with ``inverse_transform`` has it, such as PCA. It selects more components,
    longer training and the smallest beta.

    Parameters
    ----------
    estimator : transformer with ``inverse_transform``, or Pipeline or search that holds one
        Fitted. A Pipeline's steps before it transform X first, and the error is in the units of
        what comes out of them; those behind, such as a classifier, are left out.
    X : array-like of shape (n_samples, n_features)
        Rows, held out by a search.
    y : None
        Ignored.

    Returns
    -------
    float
        In squared units of X, higher being better.

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
    """Score by the number of codes that vary, as :func:`skvae.metrics.active_units` counts them.

    More is better: beside another score it shows which candidates collapsed.

    Parameters
    ----------
    estimator : transformer, or Pipeline or search that holds one
        Fitted. A Pipeline's steps before it transform X first; those behind, such as a
        classifier, are left out.
    X : array-like of shape (n_samples, n_features)
        Rows, held out by a search.
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
    """Score by how independent the codes are, minus their Gaussian total correlation.

    :func:`skvae.metrics.gaussian_total_correlation` of codes drawn from the posteriors, in closed
    form, so it is the same measure for all candidates, whatever their beta and number of rows.
    A collapsed model has the best value there is, 0: look at it beside another score.

    Parameters
    ----------
    estimator : variational autoencoder, or Pipeline or search that holds one
        Fitted. A Pipeline's steps before it transform X first; those behind, such as a
        classifier, are left out.
    X : array-like of shape (n_samples, n_features)
        Rows, held out by a search.
    y : None
        Ignored.

    Returns
    -------
    float
        In nats, at most 0, higher being better.

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
    """Return the last step, which must have p(x), and X as it arrives there."""
    estimator, X = last_step(estimator, X, "posterior")
    if not hasattr(estimator, "posterior"):
        raise TypeError(
            f"{scorer} needs an estimator with a density, or a Pipeline that ends in one. Got "
            f"{type(estimator).__name__} instead. Use a VAE, such as VAETransformer."
        )
    return estimator, X
