"""What scores share that predict factors from codes: held-out rows and a linear classifier."""

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
HELD_OUT = 1 / 3  # share of the rows
DEPENDENT = 1e-8  # of the largest singular value; a direction below it is only rounding
SOLVER_ITERATIONS = 1000
NEWTON_COEFFICIENTS = 1000  # with more coefficients than this, a Hessian costs too much


def standardised(codes):
    """Return codes scaled to mean 0 and variance 1; constant codes become 0."""
    return (codes - codes.mean(axis=0)) / np.where(active_codes(codes), codes.std(axis=0), np.inf)


def split_rows(n_samples, rng):
    """Return the indices of the training rows, and of a random third of the rows for scoring."""
    return _split(np.zeros(n_samples, dtype=np.intp), rng)


def split_levels(levels, place, metric, rng):
    """Return the same for a third of the rows of each level, so that both parts have all levels.

    ``place`` is the column of the factor. ``metric`` is the name of the metric, for the error.
    """
    if np.bincount(levels).min() < 2:
        raise ValueError(
            f"{metric} needs at least two rows of each level of a factor that it classifies. Got "
            f"a level with one row in column {place} instead. Give more rows."
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
    """Return the probability of each level for the scored rows, (n_scored, n_levels).

    The model is multinomial logistic regression without a penalty. Any invertible linear map of the
    codes therefore gives the same probabilities, up to the tolerance of the solver.
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
        # If the codes separate the levels, the fit does not converge: any point on its way will do.
        for category in (ConvergenceWarning, LinAlgWarning):
            warnings.simplefilter("ignore", category)
        classifier.fit(features[learned], levels[learned])
    return classifier.predict_proba(features[scored])
