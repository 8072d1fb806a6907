"""The standard errors of measures, by ten repetitions that each leave out a tenth of the images.

This is the grouped jackknife (Quenouille, Tukey). It suits every measure: a share, an AUC, a
distance between two sets of images, and a function of several of these. The groups are the same
images for all models. So the error of a difference of two models is that of pairs. It includes the
randomness of the images, which are a sample. It does not include the randomness of the seed, which
gives another fit. It needs a measure that changes smoothly with the images. A count, such as the
number of factors found, has no error here, and no claim.
"""

import numpy as np
from scipy.stats import t

__all__ = ["N_GROUPS", "WITHIN", "kept", "replicated", "standard_error"]

N_GROUPS = 10
WITHIN = float(t.ppf(0.975, N_GROUPS - 1))  # half a 95 % interval, in standard errors
DIGITS = 5  # significant digits of the numbers that are kept only for the errors
# No claim uses these, so they need no errors.
UNCLAIMED = {
    *("dimension", "moved", "changed", "others"),  # of interventions
    *("recall", "false", "chance"),  # of readings
    *("precision", "feature_precision"),
    *("legible", "n_found", "reconstruction_auc", "reconstruction_frechet", "varied"),
}


def kept(n_rows, left_out):
    """Return the indices of the rows without one group. ``None`` leaves out no group."""
    rows = np.arange(n_rows)
    return rows if left_out is None else rows[rows % N_GROUPS != left_out]


def standard_error(replicates):
    """Return the standard errors of statistics, from their values without each group.

    ``replicates`` has shape (n_groups, ...).
    """
    replicates = np.asarray(replicates, dtype=np.float64)
    squares = (replicates - replicates.mean(0)) ** 2
    return np.sqrt((len(replicates) - 1) / len(replicates) * squares.sum(0))


def replicated(parts):
    """Return a row of measures. Its entry ``without`` has a row for each group that is left out.

    Parameters
    ----------
    parts : iterable of callable
        Each takes the number of the group to leave out, or None. It returns a dict, a part of the
        row.
    """
    row, *without = (
        {key: value for part in parts for key, value in part(left_out).items()}
        for left_out in (None, *range(N_GROUPS))
    )
    return row | {"without": [_claimed(part) for part in without]}


def _claimed(measure):
    """Return a measure, or a dict or list of measures, with only what the errors need."""
    if isinstance(measure, dict):
        return {key: _claimed(part) for key, part in measure.items() if key not in UNCLAIMED}
    if isinstance(measure, list):
        return [_claimed(part) for part in measure]
    return float(f"{measure:.{DIGITS}g}") if isinstance(measure, float) else measure
