"""Estimators that contain others: the last step of a Pipeline or a search, and seeds."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

__all__ = ["last_step", "seeded_clone", "split_last", "to_go_on"]


def last_step(estimator, X, having=None):
    """Return the last estimator of a fitted Pipeline or search, and X transformed up to it.

    ``having`` is the name of a method or None. If it is given, the last step with this method is
    returned. For example, in a Pipeline of a VAE and a classifier this may be the VAE. If no step
    has the method, the last step is returned.

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
    before, estimator = split_last(estimator, having)
    for steps in before:
        X = steps.transform(X)
    return estimator, X


def split_last(estimator, having=None):
    """Return the steps before the last estimator of a fitted Pipeline or search, and the estimator.

    An estimator that fits its own Pipeline, in ``pipeline_``, counts as that Pipeline. The steps
    are a list of Pipelines in the order in which X passes through them. The list is empty for a
    single estimator, and has several entries if Pipelines are nested. ``having`` is as in
    :func:`last_step`.
    """
    before = []
    while True:
        if isinstance(estimator, Pipeline):
            end = _place(estimator, having)
            before += [estimator[:end]] if end else []
            estimator = estimator[end]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(getattr(estimator, "pipeline_", None), Pipeline):  # a TableTransformer
            estimator = estimator.pipeline_
        else:
            return before, estimator


def _place(pipeline, having):
    """Return the index of the last step with the method ``having``, or of the last step."""
    places = range(len(pipeline) - 1, -1, -1)
    if having is None:
        return places[0]
    having_it = (
        place for place in places if hasattr(split_last(pipeline[place], having)[1], having)
    )
    return next(having_it, places[0])


def seeded_clone(estimator, random_state):
    """Return a clone in which every ``random_state`` that is None is replaced by a seed.

    This includes the ``random_state`` of nested estimators.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skvae.base.pipelines import seeded_clone
    >>> seeded_clone(PCA(2), 0)
    PCA(n_components=2, random_state=209652396)
    >>> seeded_clone(PCA(2, random_state=3), 0)
    PCA(n_components=2, random_state=3)
    """
    cloned, rng = clone(estimator), check_random_state(random_state)
    unset = [
        name
        for name, value in sorted(cloned.get_params().items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    if unset:  # a FrozenEstimator's set_params returns nothing
        cloned.set_params(**{name: rng.randint(2**31 - 1) for name in unset})
    return cloned


def to_go_on(estimator, random_state, checkpoint):
    """Return a seeded clone to train; one that nothing seeds draws for its checkpoint.

    A killed fit is to go on with the seed that it drew, and the checkpoint keeps that.

    Parameters
    ----------
    estimator : estimator
        Of another one.
    random_state : int, RandomState instance or None
        Of that one.
    checkpoint : path or None
        Where the training is kept.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skvae.base.pipelines import to_go_on
    >>> to_go_on(PCA(2), None, "fit")
    PCA(n_components=2)
    >>> to_go_on(PCA(2), 0, "fit")
    PCA(n_components=2, random_state=209652396)
    """
    unseeded = random_state is None and checkpoint is not None
    return clone(estimator) if unseeded else seeded_clone(estimator, random_state)
