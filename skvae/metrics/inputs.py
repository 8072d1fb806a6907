"""Input of the metrics that take a model: an estimator, or a Pipeline or search that holds one."""

import numpy as np
import torch

from skvae.base.pipelines import last_step
from skvae.metrics.factors import check_size
from skvae.nn.distributions import Gaussian

__all__ = ["posterior_of"]


def posterior_of(estimator, X, metric):
    """Return q(z|x) as a float64 :class:`~skvae.nn.Gaussian`, for the metric of that name."""
    estimator, X = last_step(estimator, X, "posterior")
    if not hasattr(estimator, "posterior"):
        raise TypeError(
            f"{metric} needs an estimator with a posterior method, or a Pipeline that ends in one. "
            f"Got {type(estimator).__name__} instead. Use a VAE, such as VAETransformer."
        )
    parts = [np.asarray(part, dtype=np.float64) for part in estimator.posterior(X)]
    for part in parts:
        check_size(part, metric)
    mean, std = map(torch.as_tensor, parts)
    return Gaussian(mean, std.log())
