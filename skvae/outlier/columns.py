"""What the training rows say about each column: its usual value, its farthest value that is still
distinguished, and which values occurred."""

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

# A value is limited to this many ranges beyond the ends of its column. The square of the limit has
# twelve digits, which leaves room in float32 for the column's unit and the number of columns.
FARTHEST = 1e6
MOST_CATEGORIES = 0.5  # of the rows: text with more distinct values is free text, or a key
ROUNDING = 1e-6  # relative difference up to which two values are equal: float32 has 1.2e-7


class ColumnRanges:
    """The usual value of every column, and the limits beyond which all values count the same.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows. NaN does not count as a value.

    Attributes
    ----------
    typical : list of length n_features
        The median of numbers (of integers the lower of the two middle values), or else the most
        frequent value.
    low, high : ndarray of shape (n_features,)
        The smallest value minus a million ranges, and the largest plus a million ranges. They are
        infinite if a column is constant or not numeric.

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
        """Use the most frequent category in X as the typical one, for one-hot blocks and codes."""
        if not categories:
            return
        totals, commonest = zip(*map(_total_and_commonest, columns_of(X)), strict=True)
        for columns in categories:
            level = max(columns, key=totals.__getitem__)
            for place in columns:
                value = commonest[place] if len(columns) == 1 else place == level
                self.typical[place] = type(self.typical[place])(value)

    def within(self, X):
        """Return X with its numbers clipped to the limits, or X itself if all are within."""
        if issparse(X):
            low, high = self.low[X.indices], self.high[X.indices]
            data = np.clip(X.data, np.minimum(low, 0), np.maximum(high, 0))
            parts = (data.astype(X.dtype, copy=False), X.indices, X.indptr)
            return csr_array(parts, X.shape, copy=True)  # sorting in place must not change X
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
    """The values that occurred in columns with few of them: a single number, or categories.

    In a column that was constant, the model knows nothing about any other number, in any unit. The
    same is true of a category that never occurred. Text that differs in more than half of the rows
    is not a category.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        The rows that a model was fitted to. A column of a CSR matrix without entries is constant.

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
        """Whether any column could contain a new value."""
        return bool(len(self.constant) or self.categories)

    def restore(self, X, ignored=None):
        """Return X with new values replaced by known ones, and the number replaced in each row.

        Parameters
        ----------
        X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
            Rows.
        ignored : ndarray of bool of shape (n_samples, n_features), default=None
            Where nothing was observed. A missing value is not a new value.

        Returns
        -------
        X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
            Each new value is replaced by the constant, or by the most frequent category.
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
        """Return a mask of the values that did not occur in the training rows."""
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
    """Return the diagonal matrix that sets some columns to zero."""
    kept = np.ones(n_features)
    kept[columns] = 0
    return dia_array((kept[None], [0]), shape=(n_features, n_features)).tocsr()


def _usual(X):
    """Yield the usual value of each column, and a row that contains it."""
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
    """Return the most frequent value (the first one, if several tie), and a row with it."""
    different, first, counts = np.unique(values.astype(str), return_index=True, return_counts=True)
    return different[np.argmax(counts)], first[np.argmax(counts)]


def _value(X, place, usual, row):
    """Return a usual value in the type of X: a float itself, or else the content of that row."""
    if isinstance(X, np.ndarray) or issparse(X) or not is_whole(X, place):
        return usual
    return cells_of(take(X, np.array([row])))[0, place]


def _total_and_commonest(values):
    """Return the sum of a column's numbers, and its most frequent number."""
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return levels @ counts, levels[np.argmax(counts)] if len(levels) else np.nan


def _ends(values):
    """Return the smallest and the largest number, or nan if there are no numbers."""
    if values.dtype == object:
        return np.nan, np.nan
    return float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
