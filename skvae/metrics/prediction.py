"""What the scores that predict factors from codes share: rows held out, a linear classifier."""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skvae.metrics.factors import active_codes

__all__ = [
    "LARGEST_SEED",
    "SOLVER_ITERATIONS",
    "linear_probabilities",
    "split_levels",
    "split_rows",
    "standardised",
]

LARGEST_SEED = np.iinfo(np.int32).max
HELD_OUT = 1 / 3  # of the rows
DEPENDENT = 1e-8  # of the largest singular value, below which a direction is one of rounding
SOLVER_ITERATIONS = 1000
NEWTON_COEFFICIENTS = 1000  # beyond which a Hessian costs too much


def standardised(codes):
    """Return codes of mean 0 and variance 1, and 0 for constant codes."""
    return (codes - codes.mean(axis=0)) / np.where(active_codes(codes), codes.std(axis=0), np.inf)


def split_rows(n_samples, rng):
    """Return the indices of rows to learn from, and of a random third of them to score on."""
    return _split(np.zeros(n_samples, dtype=np.intp), rng)


def split_levels(levels, place, metric, rng):
    """Return such indices with a third of the rows of every level, and all levels in both.

    ``place`` is the factor's column, and ``metric`` the name of who asks.
    """
    if np.bincount(levels).min() < 2:
        raise ValueError(
            f"{metric} needs two rows or more of each level of a factor that it classifies. Got "
            f"one of some level in column {place} instead. Give more rows."
        )
    return _split(levels, rng)


def _split(levels, rng):
    order = rng.permutation(len(levels))
    order = order[np.argsort(levels[order], kind="stable")]
    counts = np.bincount(levels)
    held_out = np.clip(np.rint(HELD_OUT * counts).astype(np.intp), 1, counts - 1)
    rank = np.arange(len(levels)) - (np.cumsum(counts) - counts)[levels[order]]
    scored = rank < held_out[levels[order]]
    return np.sort(order[~scored]), np.sort(order[scored])


def linear_probabilities(codes, levels, learned, scored):
    """Return the probabilities of every level in the rows scored, (n_scored, n_levels).

    They are those of multinomial logistic regression without a penalty, so that any invertible
    linear map of the codes has the same, up to the solver's tolerance.
    """
    codes = standardised(codes)
    directions, values, _ = np.linalg.svd(codes, full_matrices=False)
    features = directions[:, values > DEPENDENT * values[0]] * np.sqrt(len(codes))
    if features.shape[1] == 0:
        shares = np.bincount(levels[learned]) / len(learned)
        return np.tile(shares, (len(scored), 1))
    small = (features.shape[1] + 1) * (levels.max() + 1) <= NEWTON_COEFFICIENTS
    classifier = LogisticRegression(
        C=np.inf, solver="newton-cholesky" if small else "lbfgs", max_iter=SOLVER_ITERATIONS
    )
    with warnings.catch_warnings():
        # Levels that the codes separate have no maximum: any point near it will do.
        for category in (ConvergenceWarning, LinAlgWarning):
            warnings.simplefilter("ignore", category)
        classifier.fit(features[learned], levels[learned])
    return classifier.predict_proba(features[scored])
