"""Scorers for a search that judge the codes: by known factors, or by a model trained on them."""

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
    """Return a scorer for ``scoring=`` that compares codes with known factors.

    The search calls the scorer with a fitted estimator, rows X and their factors y. It returns
    ``metric(y, codes, **options)``, where ``codes`` is what ``transform`` returns for X.

    Parameters
    ----------
    metric : callable
        ``metric(factors, codes, **options)`` returns a float, and higher is better. The scores of
        :mod:`skvae.metrics` have this form.
    stds : bool, default=False
        If True, the metric also gets ``stds=``, the standard deviations of the posteriors.
    **options
        Keyword arguments of the metric, such as ``random_state=0``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``. It can be pickled if the metric can.

    Notes
    -----
    Each fold must contain every level of every factor. The rows of a grid of factors are ordered,
    so shuffle them: ``cv=KFold(3, shuffle=True, random_state=0)``.

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
    """Return a scorer for ``scoring=`` that trains a simple model on the codes and scores it.

    The search calls the scorer with a fitted transformer, rows X and their targets y. It returns
    the mean of ``cross_val_score(estimator, codes, y, cv=cv, scoring=scoring)``, where ``codes``
    is what ``transform`` returns for X: the accuracy of a classifier, or the R2 of a regressor.

    Parameters
    ----------
    estimator : classifier or regressor
        It is cloned for every fold. Give it a ``random_state`` if it is random.
    cv : int, cross-validation generator or iterable, default=5
        How to split the rows that the search holds out.
    scoring : str or callable, default=None
        The score of the estimator. None uses its ``score`` method.

    Returns
    -------
    callable
        ``scorer(transformer, X, y)``. It can be pickled if the estimator can.

    Notes
    -----
    If you want the best Pipeline of a transformer and an estimator, search over this Pipeline
    instead: its estimator is then fitted on the training rows. Use this scorer to judge one search
    over transformers by several scores at once.

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
            f"{scorer} needs {what} of the rows as y. Got None instead. Call the search's fit as "
            f"fit(X, y)."
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
