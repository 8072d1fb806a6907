"""What ends a Pipeline or a search, and what goes before it."""

from sklearn.pipeline import Pipeline

__all__ = ["last_step", "split_last"]


def last_step(estimator, X):
    """Return the estimator at the end of a fitted Pipeline or search, and X as it arrives there.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.base.pipelines import last_step
    >>> X = np.array([[0.0, 1.0], [2.0, 5.0]])
    >>> last_step(make_pipeline(StandardScaler(), PCA(1)).fit(X), X)
    (PCA(n_components=1), array([[-1., -1.], [ 1.,  1.]]))
    """
    before, estimator = split_last(estimator)
    for steps in before:
        X = steps.transform(X)
    return estimator, X


def split_last(estimator):
    """Return the steps before the end of a fitted Pipeline or search, and the estimator there.

    The steps are a list of Pipelines, the one that X meets first in front: empty for an
    estimator by itself, of more than one where Pipelines are nested.
    """
    before = []
    while True:
        if isinstance(estimator, Pipeline):
            before += [estimator[:-1]] if len(estimator) > 1 else []
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return before, estimator
