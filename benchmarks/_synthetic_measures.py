"""How similar synthetic rows are to real rows, and to the rows from which they were made."""

import numpy as np
from _tables_data import categories_of, numbers_of
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp, spearmanr

__all__ = ["copied", "distance_of_levels", "distance_of_numbers", "nearer_to", "pair_distance"]

N_PARTS = 5  # a number is cut into so many levels where it is compared with a category


def distance_of_numbers(real, other):
    """Return the mean Kolmogorov-Smirnov distance of the marginals of numbers, from 0 to 1.

    This distance is the greatest difference of the distribution functions. Missing values count as
    less than all numbers.
    """
    pairs = [[_low(table[name]) for table in (real, other)] for name in numbers_of(real)]
    return float(np.mean([ks_2samp(*pair).statistic for pair in pairs]))


def distance_of_levels(real, other):
    """Return the mean total variation between the marginals of categories, from 0 to 1.

    This is half the sum of the differences between the shares of levels. "missing" is a level.
    """
    distances = []
    for name in categories_of(real):
        shares = [_text(table[name]).value_counts(normalize=True) for table in (real, other)]
        distances.append(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    return float(np.mean(distances))


def pair_distance(real, other):
    """Return the mean absolute difference of association over the pairs of columns.

    The association of two numbers is Spearman's correlation. That of other pairs is Cramér's V,
    with numbers cut at the fifths of the real ones.
    """
    numbers, names = set(numbers_of(real)), list(real)
    cut = [_levels(table, real) for table in (real, other)]
    differences = []
    for place, first in enumerate(names):
        for second in names[:place]:
            if first in numbers and second in numbers:
                both = [spearman(table[first], table[second]) for table in (real, other)]
            else:
                both = [cramers_v(table[first], table[second]) for table in cut]
            differences.append(abs(both[0] - both[1]))
    return float(np.mean(differences))


def spearman(first, second):
    """Return the correlation of ranks, or 0 if one column does not vary."""
    kept = (first.notna() & second.notna()).to_numpy()
    pair = first.to_numpy()[kept], second.to_numpy()[kept]
    if any(len(np.unique(values)) < 2 for values in pair):
        return 0.0
    return spearmanr(*pair).statistic


def cramers_v(first, second):
    r"""Return :math:`\sqrt{\chi^2 / (n (k - 1))}`, where k is the smaller number of levels."""
    (_, rows), (_, columns) = (np.unique(x, return_inverse=True) for x in (first, second))
    counts = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(counts, (rows, columns), 1)
    if min(counts.shape) < 2:
        return 0.0
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    chi2 = ((counts - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi2 / counts.sum() / (min(counts.shape) - 1)))


def _levels(table, real):
    """Return a table of levels. Numbers are cut at the fifths of the real ones."""
    cut = {name: _text(table[name]).to_numpy() for name in categories_of(real)}
    for name in numbers_of(real):
        ends = np.nanquantile(real[name], np.arange(1, N_PARTS) / N_PARTS)
        cut[name] = np.where(table[name].isna(), -1, np.searchsorted(ends, table[name]))
    return cut


def copied(rows, training):
    """Return the share of rows that equal a row of a table in all cells."""
    seen = set(_cells(training))
    return float(np.mean([row in seen for row in _cells(rows)]))


def _cells(table):
    texts = [_text(table[name]) for name in categories_of(table)]
    return zip(*texts, *(_low(table[name]) for name in numbers_of(table)), strict=True)


def nearer_to(rows, training, held_out):
    """Return the share of rows whose nearest real row is in training. A tie counts half.

    The two real tables have the same number of rows. So rows that do not depend on either have 0.5.
    A distance is a sum over the columns. A number adds its difference, in standard deviations of
    the real column. A category adds 1 if the levels differ.
    """
    held_out = held_out[: len(training)]
    training = training[: len(held_out)]
    nearest = [_distances(rows, table, training).min(1) for table in (training, held_out)]
    closer, equal = nearest[0] < nearest[1], nearest[0] == nearest[1]
    return float(np.mean(closer + 0.5 * equal))


def _distances(rows, table, reference):
    total = np.zeros((len(rows), len(table)))
    for name in numbers_of(reference):
        mean, spread = reference[name].mean(), reference[name].std(ddof=0)
        cells = [frame[name].fillna(mean).to_numpy()[:, None] for frame in (rows, table)]
        total += cdist(*cells, "cityblock") / (spread if spread > 0 else 1.0)
    for name in categories_of(reference):
        cells = [_text(frame[name]).to_numpy() for frame in (rows, table)]
        total += cells[0][:, None] != cells[1]
    return total


def _text(column):
    """Return levels as text. "missing" is a level."""
    return column.astype(object).where(column.notna(), "missing").astype(str)


def _low(column):
    """Return numbers. A missing value is less than any number."""
    return column.astype(float).fillna(-np.inf).to_numpy()
