"""What tables.py takes away, and how far what was filled in is from it."""

import numpy as np
from _tables_data import categories_of, numbers_of
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["MECHANISMS", "accuracy", "removed_entries", "rmse", "with_holes"]

MECHANISMS = ("at random", "not at random")
# Of the log odds by a normal score: a value a standard deviation higher goes e^1.5 = 4.5 times as
# soon.
SLOPE = 1.5


def removed_entries(table, rate, mechanism, seed):
    """Return which entries are taken away, (n_samples, n_columns), the same share of every column.

    Of the m values that a column has, ``round(rate * m)`` are drawn without replacement: all alike,
    or "not at random" with weights that grow with the value itself. Levels of a category are
    ordered at random for that.
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
        # The largest of weights' logarithms and Gumbel draws are a draw without replacement.
        keys = log_weight + rng.gumbel(size=len(present))
        removed[present[np.argsort(-keys)[: round(rate * len(present))]], place] = True
    return removed


def _normal_scores(values):
    """Return normal quantiles of the ranks, of ties the mean rank."""
    return ndtri((rankdata(values) - 0.5) / len(values))


def with_holes(table, removed):
    """Return a table with NaN in place of what is taken away."""
    return table.mask(removed)


def rmse(table, filled, removed):
    """Return the root mean squared error of the numbers taken away, in standard deviations.

    Of every column that of the values it had; a constant column does not count. NaN where no
    number was taken away.
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
    """Return the share of the categories taken away that are filled with what they were."""
    right = [
        (filled[name] == table[name]).to_numpy()[removed[:, table.columns.get_loc(name)]]
        for name in categories_of(table)
    ]
    right = np.concatenate(right) if right else np.empty(0)
    return float(right.mean()) if len(right) else np.nan
