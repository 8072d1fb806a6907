"""Scores of the codes that a search may select by: against known factors, or by their use."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skvae._typing import Estimator
from skvae.base.pipelines import last_step
from skvae.metrics.inputs import posterior_of

__all__ = ["downstream_scorer", "latent_scorer"]


def latent_scorer(
    metric: Callable[..., Any], *, stds: bool = False, **options: Any
) -> Callable[..., float]:
    """Return a scorer of codes against known factors, for ``scoring=``.

    The scorer is called with a fitted estimator, rows X and their factors y, and returns
    ``metric(y, codes, **options)``, the codes being what ``transform`` returns of X.

    Parameters
    ----------
    metric : callable
        ``metric(factors, codes, **options)`` returns a float, higher being better, as the scores
        of :mod:`skvae.metrics` do.
    stds : bool, default=False
        Also give the metric ``stds=``, the standard deviations of the posteriors.
    **options
        Of the metric, such as ``random_state=0``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``. It can be pickled where the metric can.

    Notes
    -----
    A fold must have every level of every factor. The rows of a full factorial stand in order, so
    shuffle them: ``cv=KFold(3, shuffle=True, random_state=0)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV, KFold
    >>> from skvae.metrics import sap_score
    >>> from skvae.model_selection import latent_scorer
    >>> factors = np.indices((6, 6)).reshape(2, -1).T
    >>> X = factors @ [[2.0, 0.0, 2.0], [0.0, 1.0, 0.0]]
    >>> search = GridSearchCV(
    ...     PCA(),
    ...     {"n_components": [1, 2]},
    ...     scoring=latent_scorer(sap_score),
    ...     cv=KFold(3, shuffle=True, random_state=0),
    ... )
    >>> search.fit(X, factors).best_params_
    {'n_components': 2}
    """
    return _LatentScorer(metric, stds, options)


def downstream_scorer(
    estimator: Estimator, *, cv: Any = 5, scoring: Any = None
) -> Callable[..., float]:
    """Return a scorer of codes by what a simple model makes of them, for ``scoring=``.

    The scorer is called with a fitted transformer, rows X and their targets y, and returns the mean
    of ``cross_val_score(estimator, codes, y, cv=cv, scoring=scoring)``, the codes being what
    ``transform`` returns of X: accuracy for a classifier, R2 for a regressor.

    Parameters
    ----------
    estimator : classifier or regressor
        Cloned for every fold; seed one that draws.
    cv : int, cross-validation generator or iterable, default=5
        Of the rows that the search holds out.
    scoring : str or callable, default=None
        Of the estimator; None takes its ``score``.

    Returns
    -------
    callable
        ``scorer(transformer, X, y)``. It can be pickled where the estimator can.

    Notes
    -----
    A Pipeline of the transformer and the estimator, searched as a whole, answers the same question
    with the estimator fitted on the training rows: do so where the pipeline is what you
    want. The scorer serves to judge one search of transformers by several scores at once.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skvae.model_selection import downstream_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     PCA(), {"n_components": [1, 3]}, scoring=downstream_scorer(GaussianNB())
    ... )
    >>> search.fit(X, y).best_params_
    {'n_components': 3}
    """
    return _DownstreamScorer(estimator, cv, scoring)


def _codes(estimator, X):
    estimator, X = last_step(estimator, X, "transform")
    return np.asarray(estimator.transform(X))


def _check_targets(y, scorer, what):
    if y is None:
        raise ValueError(
            f"{scorer} needs {what} of the rows as y. Got None instead. Give fit of the search "
            f"them beside X."
        )


class _LatentScorer:
    """The callable that :func:`latent_scorer` returns."""

    def __init__(self, metric, stds, options):
        self.metric = metric
        self.stds = stds
        self.options = options

    def __call__(self, estimator, X, y=None):
        _check_targets(y, "latent_scorer", "the known factors")
        if not self.stds:
            return self.metric(y, _codes(estimator, X), **self.options)
        posterior = posterior_of(estimator, X, "latent_scorer with stds=True")
        stds = posterior.scale.numpy()
        return self.metric(y, posterior.mean.numpy(), stds=stds, **self.options)

    def __repr__(self):
        words = [getattr(self.metric, "__name__", repr(self.metric))]
        words += ["stds=True"] * self.stds
        words += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"latent_scorer({', '.join(words)})"


class _DownstreamScorer:
    """The callable that :func:`downstream_scorer` returns."""

    def __init__(self, estimator, cv, scoring):
        self.estimator = estimator
        self.cv = cv
        self.scoring = scoring

    def __call__(self, estimator, X, y=None):
        _check_targets(y, "downstream_scorer", "the targets")
        scores = cross_val_score(
            clone(self.estimator), _codes(estimator, X), y, cv=self.cv, scoring=self.scoring
        )
        return float(scores.mean())

    def __repr__(self):
        return f"downstream_scorer({self.estimator!r}, cv={self.cv!r}, scoring={self.scoring!r})"
