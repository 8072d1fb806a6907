"""What a search may select by: scorers for ``scoring=``."""

import numpy as np

from skvae.metrics.inputs import last_step, posterior_of

__all__ = ["latent_scorer"]


def latent_scorer(metric, *, stds=False, **options):
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


class _LatentScorer:
    """The callable that :func:`latent_scorer` returns."""

    def __init__(self, metric, stds, options):
        self.metric = metric
        self.stds = stds
        self.options = options

    def __call__(self, estimator, X, y=None):
        if y is None:
            raise ValueError(
                "latent_scorer needs the known factors of the rows as y. Got None instead. Give "
                "fit of the search X and the factors."
            )
        options = self.options
        if self.stds:
            posterior = posterior_of(estimator, X, "latent_scorer with stds=True")
            codes = posterior.mean.numpy()
            options = {"stds": posterior.scale.numpy(), **options}
        else:
            estimator, X = last_step(estimator, X)
            codes = np.asarray(estimator.transform(X))
        return self.metric(y, codes, **options)

    def __repr__(self):
        words = [getattr(self.metric, "__name__", repr(self.metric))]
        words += ["stds=True"] * self.stds
        words += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"latent_scorer({', '.join(words)})"
