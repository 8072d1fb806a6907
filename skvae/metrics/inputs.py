"""What the metrics are given: an estimator, or a Pipeline or a search that holds one."""

import numpy as np
import torch
from sklearn.pipeline import Pipeline

from skvae.distributions import Gaussian

__all__ = ["last_step", "posterior_of", "split_last"]


def last_step(estimator, X):
    """Return the estimator at the end of a fitted Pipeline or search, and X as it arrives there.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.metrics.inputs import last_step
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


def posterior_of(estimator, X, metric):
    """Return q(z|x), a float64 :class:`~skvae.distributions.Gaussian`, for a metric so named."""
    estimator, X = last_step(estimator, X)
    if not hasattr(estimator, "posterior"):
        raise TypeError(
            f"{metric} needs an estimator with a posterior method, or a Pipeline that ends in one. "
            f"Got {type(estimator).__name__} instead. Use a VAE, such as VAETransformer."
        )
    mean, std = (torch.as_tensor(np.asarray(array)) for array in estimator.posterior(X))
    return Gaussian(mean.double(), std.double().log())
