"""How sure a measure is: the same of the images without a tenth of them, ten times.

The jackknife of groups (Quenouille, Tukey) serves every measure alike: a share, an AUC, a distance
of two sets of images, and what is computed of several of these. The groups are the same images for
all models, so that a difference of two models has the error of pairs. What it knows is that the
images are a sample; that another seed gives another fit, it does not. It is for what changes
smoothly with the images: a count, such as that of factors found, has no error here, and no claim.
"""

import numpy as np
from scipy.stats import t

__all__ = ["N_GROUPS", "WITHIN", "kept", "replicated", "standard_error"]

N_GROUPS = 10
WITHIN = float(t.ppf(0.975, N_GROUPS - 1))  # standard errors to either side of a 95 % interval
DIGITS = 5  # significant, of what is kept for the errors alone
# What no claim is about: it needs no error.
UNCLAIMED = {
    *("dimension", "moved", "changed", "others"),  # of interventions
    *("recall", "false", "chance"),  # of readings
    *("precision", "feature_precision"),
    *("legible", "n_found", "reconstruction_auc", "reconstruction_frechet", "varied"),
}


def kept(n_rows, left_out):
    """Return the numbers of the rows without one group of them; all for a group of None."""
    rows = np.arange(n_rows)
    return rows if left_out is None else rows[rows % N_GROUPS != left_out]


def standard_error(replicates):
    """Return the standard errors of statistics from them without each group, (n_groups, ...)."""
    replicates = np.asarray(replicates, dtype=np.float64)
    squares = (replicates - replicates.mean(0)) ** 2
    return np.sqrt((len(replicates) - 1) / len(replicates) * squares.sum(0))


def replicated(parts):
    """Return a row of measures, and in its ``without`` a row without each group.

    Parameters
    ----------
    parts : iterable of callable
        Each gives some of the row, a dict, from the number of the group to leave out or None.
    """
    row, *without = (
        {key: value for part in parts for key, value in part(left_out).items()}
        for left_out in (None, *range(N_GROUPS))
    )
    return row | {"without": [_claimed(part) for part in without]}


def _claimed(measure):
    """Return a measure, or a dict or list of these, with what the errors need."""
    if isinstance(measure, dict):
        return {key: _claimed(part) for key, part in measure.items() if key not in UNCLAIMED}
    if isinstance(measure, list):
        return [_claimed(part) for part in measure]
    return float(f"{measure:.{DIGITS}g}") if isinstance(measure, float) else measure
