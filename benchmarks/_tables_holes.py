"""The entries that tables.py removes, and the errors of the imputed values."""

import numpy as np
from _tables_data import categories_of, numbers_of
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["MECHANISMS", "accuracy", "removed_entries", "rmse", "with_holes"]

MECHANISMS = ("at random", "not at random")
# Slope of the log odds in the normal score. A value one standard deviation higher is removed e^1.5
# = 4.5 times as often.
SLOPE = 1.5


def removed_entries(table, rate, mechanism, seed):
    """Return a mask of the entries to remove, (n_samples, n_columns), an equal share per column.

    If a column has m values, ``round(rate * m)`` of them are drawn without replacement. "at random"
    gives all values the same weight. For "not at random", the weights grow with the value. The
    levels of a category then have a random order.
    """
    rng = np.random.default_rng(seed)
    removed = np.zeros(table.shape, dtype=bool)
    numbers = set(numbers_of(table))
    for place, name in enumerate(table):
        present = np.flatnonzero(table[name].notna())
        log_weight = np.zeros(len(present))
        if mechanism == "not at random":
            values = table[name].to_numpy()[present]
            if name not in numbers:
                _, codes = np.unique(values.astype(str), return_inverse=True)
                values = rng.permutation(codes.max(initial=-1) + 1)[codes]
            log_weight = SLOPE * _normal_scores(values)
        # The largest sums of log weights and Gumbel draws are a draw without replacement.
        keys = log_weight + rng.gumbel(size=len(present))
        removed[present[np.argsort(-keys)[: round(rate * len(present))]], place] = True
    return removed


def _normal_scores(values):
    """Return the normal quantiles of the ranks. Ties have their mean rank."""
    return ndtri((rankdata(values) - 0.5) / len(values))


def with_holes(table, removed):
    """Return a table with NaN in place of the removed entries."""
    return table.mask(removed)


def rmse(table, filled, removed):
    """Return the root mean squared error of the removed numbers, in standard deviations.

    The standard deviation of a column is that of its original values. Constant columns are not
    counted. Without removed numbers the result is NaN.
    """
    errors = []
    for name in numbers_of(table):
        gone = removed[:, table.columns.get_loc(name)]
        spread = table[name].std(ddof=0)
        if spread > 0:
            errors.append((filled[name] - table[name]).to_numpy(float)[gone] / spread)
    errors = np.concatenate(errors) if errors else np.empty(0)
    return float(np.sqrt(np.mean(errors**2))) if len(errors) else np.nan


def accuracy(table, filled, removed):
    """Return the share of removed categories that are restored."""
    right = [
        (filled[name] == table[name]).to_numpy()[removed[:, table.columns.get_loc(name)]]
        for name in categories_of(table)
    ]
    right = np.concatenate(right) if right else np.empty(0)
    return float(right.mean()) if len(right) else np.nan
