"""What rows that were fitted tell of each column: its usual value, how far off it can be, and
which values were seen at all."""

import numpy as np
from scipy.sparse import csr_array, dia_array, issparse

from skvae.outlier.tables import (
    cells_of,
    columns_of,
    has_numbers,
    is_whole,
    replaced,
    take,
    texts_of,
)

__all__ = ["ROUNDING", "ColumnRanges", "SeenValues"]

# Ranges beyond the ends of a column, where a value is as odd as it can be. Its square has twelve
# digits, which leave float32 room for the units of the column and the number of columns.
FARTHEST = 1e6
MOST_CATEGORIES = 0.5  # of the rows: text that is different in more is free, or a key
ROUNDING = 1e-6  # relative, within which a value is the one that was seen: float32 has 1.2e-7


class ColumnRanges:
    """The usual value of every column, and the farthest one that is told from farther ones.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows, for which NaN is no value.

    Attributes
    ----------
    typical : list of length n_features
        The median of numbers, of integers the lower one of two; else the most frequent value.
    low, high : ndarray of shape (n_features,)
        The least and the greatest value less and plus a million ranges; infinite where a column
        has no range, or is not of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.columns import ColumnRanges
    >>> ranges = ColumnRanges(np.array([[0.0], [1.0], [1.0]]))
    >>> ranges.typical, ranges.within(np.array([[1e30]]))
    ([1.0], array([[1000001.]]))
    """

    def __init__(self, X):
        low, high = [], []
        self.typical = [_value(X, place, *usual) for place, usual in enumerate(_usual(X))]
        for place, values in enumerate(columns_of(X)):
            least, most = _ends(values)
            is_told = most > least and has_numbers(X, place)
            reach = FARTHEST * (most - least) if is_told else np.inf
            low.append(least - reach)
            high.append(most + reach)
        self.low, self.high = np.array(low), np.array(high)

    def take_levels(self, X, categories):
        """Make the level that is commonest in X the typical one, of blocks and of codes."""
        if not categories:
            return
        totals, commonest = zip(*map(_total_and_commonest, columns_of(X)), strict=True)
        for columns in categories:
            level = max(columns, key=totals.__getitem__)
            for place in columns:
                value = commonest[place] if len(columns) == 1 else place == level
                self.typical[place] = type(self.typical[place])(value)

    def within(self, X):
        """Return X, its numbers no farther off than they can be; X itself where none is."""
        if issparse(X):
            low, high = self.low[X.indices], self.high[X.indices]
            data = np.clip(X.data, np.minimum(low, 0), np.maximum(high, 0))
            parts = (data.astype(X.dtype, copy=False), X.indices, X.indptr)
            return csr_array(parts, X.shape, copy=True)  # sorted in place, indices are no more X's
        if isinstance(X, np.ndarray):
            with np.errstate(invalid="ignore"):
                if not (np.less(X, self.low).any() or np.greater(X, self.high).any()):
                    return X
            return np.clip(X, self.low, self.high).astype(X.dtype, copy=False)
        for place, values in enumerate(columns_of(X)):
            if values.dtype != object:
                for end, off in (
                    (self.low, values < self.low[place]),
                    (self.high, values > self.high[place]),
                ):
                    if off.any():
                        mask = np.zeros(X.shape, dtype=bool)
                        mask[:, place] = off
                        whole = is_whole(X, place)
                        X = replaced(X, mask, [int(x) if whole else x for x in np.nan_to_num(end)])
        return X


class SeenValues:
    """The values that a model has seen, of columns that have few: one number, or categories.

    A number in a column that was constant, or a category that there was none of, is one that the
    model knows nothing of, in whatever unit. Text that is different in more than half of the rows
    is no category.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        The rows that a model was fitted to. Of a CSR matrix a column without entries is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.columns import SeenValues
    >>> seen = SeenValues(np.array([[0.0, 2.0], [1.0, 2.0]]))
    >>> seen.restore(np.array([[5.0, 2.0], [5.0, 3.0]]))
    (array([[5., 2.],
           [5., 2.]]), array([0, 1]))
    """

    def __init__(self, X):
        self.values, self.categories, constants = [None] * X.shape[1], {}, {}
        if issparse(X):
            self.constant = np.flatnonzero(np.bincount(X.nonzero()[1], minlength=X.shape[1]) == 0)
            self.constants = np.zeros(len(self.constant))
            return
        for place, values in enumerate(columns_of(X)):
            if values.dtype == object:
                seen = set(values)
                if len(seen) <= MOST_CATEGORIES * X.shape[0]:
                    self.categories[place] = seen
                    self.values[place] = _value(X, place, *_usual_text(values))
            else:
                least, most = _ends(values)
                if least == most:
                    constants[place] = least
                    self.values[place] = _value(X, place, least, np.nanargmin(values))
        self.constant = np.array(list(constants), dtype=int)
        self.constants = np.array(list(constants.values()))

    @property
    def has_any(self):
        """Whether there is a column that a new value can be told in."""
        return bool(len(self.constant) or self.categories)

    def restore(self, X, ignored=None):
        """Return X with a value that was seen wherever one was not, and how many a row has.

        Parameters
        ----------
        X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
            Rows.
        ignored : ndarray of bool of shape (n_samples, n_features), default=None
            Where nothing was observed, which is not a value that is new.

        Returns
        -------
        X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
            The constant, or the most frequent category, in place of a value that is new.
        n_unseen : ndarray of int of shape (n_samples,)
        """
        if issparse(X):
            unseen = X[:, self.constant]
            seen = X @ _all_but(self.constant, X.shape[1])
            return csr_array(seen, dtype=X.dtype), np.asarray((unseen != 0).sum(axis=1)).ravel()
        unseen = self._unseen(X)
        unseen = unseen if ignored is None else unseen & ~ignored
        n_unseen = unseen.sum(axis=1)
        return (replaced(X, unseen, self.values) if n_unseen.any() else X), n_unseen

    def _unseen(self, X):
        """Return a mask of the values that were not seen."""
        mask = np.zeros(X.shape, dtype=bool)
        if isinstance(X, np.ndarray):
            mask[:, self.constant] = _differ(X[:, self.constant], self.constants)
            return mask
        for place, seen in self.categories.items():
            mask[:, place] = [value not in seen for value in texts_of(X, place)]
        constants = dict(zip(self.constant, self.constants, strict=True))
        for place, values in enumerate(columns_of(X) if constants else []):
            if place in constants and values.dtype != object:
                mask[:, place] = _differ(values, constants[place])
        return mask


def _differ(values, constant):
    return np.abs(values - constant) > ROUNDING * np.abs(constant)


def _all_but(columns, n_features):
    """Return the diagonal matrix that makes some columns zero."""
    kept = np.ones(n_features)
    kept[columns] = 0
    return dia_array((kept[None], [0]), shape=(n_features, n_features)).tocsr()


def _usual(X):
    """Yield the usual value of each column, and a row that has it."""
    for place, values in enumerate(columns_of(X)):
        if values.dtype == object:
            yield _usual_text(values)
        elif np.isnan(values).all():
            yield np.nan, 0
        else:
            order = np.argsort(values, kind="stable")[: np.sum(~np.isnan(values))]  # nan is last
            middle = order[(len(order) - 1) // 2]
            median = values[middle]
            if not is_whole(X, place):
                median = (median + values[order[len(order) // 2]]) / 2
            yield float(median), middle


def _usual_text(values):
    """Return the most frequent value, the first of several, and a row that has it."""
    different, first, counts = np.unique(values.astype(str), return_index=True, return_counts=True)
    return different[np.argmax(counts)], first[np.argmax(counts)]


def _value(X, place, usual, row):
    """Return a usual value as X has it: a float is one, anything else is what that row holds."""
    if isinstance(X, np.ndarray) or issparse(X) or not is_whole(X, place):
        return usual
    return cells_of(take(X, np.array([row])))[0, place]


def _total_and_commonest(values):
    """Return the sum of a column's numbers, and the one that most rows have."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return levels @ counts, levels[np.argmax(counts)] if len(levels) else np.nan


def _ends(values):
    """Return the least and the greatest number: nan where there is none, or values are not."""
    if values.dtype == object:
        return np.nan, np.nan
    return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
