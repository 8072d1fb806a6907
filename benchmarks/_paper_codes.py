"""The codes of images, their evidence lower bound, and the parts of their divergence."""

import math
import warnings
from copy import copy

import numpy as np
from _paper_data import floats
from _paper_errors import kept

from skvae.metrics import kl_decomposition

__all__ = ["Codes", "bound", "decomposition"]


class Codes:
    """The codes of images, encoded once. The metrics use this in place of an estimator."""

    def __init__(self, estimator, X, seed):
        if hasattr(estimator, "posterior"):
            self.mean, self.std = estimator.posterior(X)
            noise = np.random.default_rng(seed).standard_normal(self.mean.shape)
            self.draws = self.mean + self.std * noise.astype(self.mean.dtype)
        else:
            self.mean, self.std = estimator.transform(X), None
            self.draws = self.mean

    def without(self, left_out):
        """Return the codes without one group of images, see :mod:`_paper_errors`."""
        rows, part = kept(len(self.mean), left_out), copy(self)
        part.mean, part.draws = self.mean[rows], self.draws[rows]
        part.std = None if self.std is None else self.std[rows]
        return part

    def transform(self, X):
        """Return the means of the encoded images."""
        return self.mean

    def posterior(self, X):
        """Return the means and the standard deviations."""
        return self.mean, self.std


def bound(estimator, codes, pixels, variance):
    r"""Return the ELBO, with one draw of z for each image and the divergence in closed form.

    Also return the ELBO with the best noise variance for these images. This variance is the mean
    squared error s of the draws, and the ELBO is :math:`-\frac{d}{2} (\log 2 \pi s + 1) - KL`.
    """
    mean, std = (part.astype(np.float64) for part in codes.posterior(None))
    kl = (0.5 * (mean**2 + std**2 - 1) - np.log(std)).sum(1)
    decoded = floats(estimator.inverse_transform(codes.draws))
    squares = ((decoded - pixels) ** 2).mean(1, np.float64)
    d, best = pixels.shape[1], float(squares.mean())
    elbo = -d / 2 * (squares / variance + math.log(2 * math.pi * variance)) - kl
    return {
        "elbo": float(elbo.mean()),
        "elbo_se": float(elbo.std(ddof=1) / math.sqrt(len(elbo))),
        "elbo_best_variance": -d / 2 * (math.log(2 * math.pi * best) + 1) - float(kl.mean()),
        "best_variance": best,
        "test_kl": float(kl.mean()),
    }


def decomposition(codes, seed):
    """Return the parts of the divergence over training rows, and the divergence per dimension."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mean divergence should be below")  # a table's mark
        parts = kl_decomposition(codes, None, random_state=seed)
    names = ("mutual_information", "total_correlation", "dimension_wise_kl")
    names = ["kl", "saturated", *names, *(f"{name}_se" for name in names)]
    return {name: getattr(parts, name) for name in names} | {
        "kl_per_dimension": parts.kl_per_dimension.tolist(),
    }
