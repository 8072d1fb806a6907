"""Which columns make a row improbable: how its score changes with typical values instead."""

from numbers import Real

import numpy as np

from skvae._results import ResultColumns
from skvae.outlier.tables import cells_of, columns_of, replaced, take

__all__ = ["Explanation", "contributions", "explanation"]

ORDERS = 10  # with their reverses, enough for similar shares of three columns that are odd together
CHUNK_ENTRIES = 2**22  # entries of changed rows that are scored at once
LARGEST = np.finfo(np.float64).max / 4  # replaces -inf, which has no finite differences


class Explanation(ResultColumns):
    """Which columns make rows less normal, as attributes and as dict entries.

    For each row, the most harmful column comes first.

    Attributes
    ----------
    row : ndarray of shape (n_lines,)
        The label of the row in the index of X, or its number.
    column : ndarray of shape (n_lines,)
        The name of the column.
    value : ndarray of shape (n_lines,)
        The value in this row. For a one-hot block, the name of the column that is 1.
    typical : ndarray of shape (n_lines,)
        The median of the training rows. If the column is not numeric, the most frequent value.
    contribution : ndarray of shape (n_lines,)
        In units of the score. It is negative if the column makes the row less normal.
    """


def contributions(score, X, typical, *, groups=None, ignored=None):
    r"""Return the effect of each column's value on the score of each row: its Shapley value.

    Put the columns in some order, and replace the values of a row x by the typical values t, one
    column after another. Each replacement changes the score. The contribution of a column is its
    mean change over :math:`2 M` orders: M random orders, and the reverse of each. Together,

    .. math:: \sum_j c_j(x) = s(x) - s(t)

    The mean over all orders would be the Shapley value [1]_, and the result is close to it. If the
    score is quadratic, as the log-density of a PCA is, every pair of an order and its reverse gives
    the exact value.

    Parameters
    ----------
    score : callable
        Takes rows and returns their scores, (n_samples,), float64.
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    typical : list of length n_features
        The typical value of each column.
    groups : list of list of int, default=None
        Columns that are replaced together. None replaces each column by itself.
    ignored : ndarray of bool of shape (n_samples, n_features), default=None
        Places without a value to replace. They stay as they are, and contribute 0.

    Returns
    -------
    ndarray of shape (n_samples, n_groups), float64
        Negative if a column makes the row less normal.

    References
    ----------
    .. [1] E. Strumbelj and I. Kononenko (2014), Explaining prediction models and individual
       predictions with feature contributions, Knowledge and Information Systems 41.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.explanations import contributions
    >>> contributions(lambda X: -X.prod(axis=1), np.array([[2.0, 3.0]]), [0.0, 0.0])
    array([[-3., -3.]])
    """
    groups = [[place] for place in range(X.shape[1])] if groups is None else groups
    differs = _differ(X, typical)
    differs = differs if ignored is None else differs & ~ignored
    of_groups = np.stack([differs[:, group].any(axis=1) for group in groups], axis=1)
    places = np.flatnonzero(of_groups.any(axis=0))  # columns that differ in no row need no scores
    own, total = _finite(score(X)), np.zeros(of_groups.shape)
    rng = np.random.RandomState(0)  # the same orders at every call
    orders = [rng.permutation(places) for _ in range(ORDERS)]
    for order in [*orders, *(order[::-1] for order in orders)]:
        before = own
        scores = _scores_of_changed(score, X, differs, [groups[place] for place in order], typical)
        for place, after in zip(order, scores, strict=True):
            total[:, place] += before - after
            before = after
    return np.where(of_groups, total, 0.0) / (2 * ORDERS)


def explanation(X, contributions, typical, names, n_features=None, *, groups=None):
    """Return contributions as lines, one per row and column; the most harmful column first.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    contributions : ndarray of shape (n_samples, n_features)
        Negative if a column makes the row less normal.
    typical : list of length n_features
        The typical value of each column.
    names : sequence of str
        Names of the columns.
    n_features : int, default=None
        Number of columns to list for each row. None lists all.
    groups : list of list of int, default=None
        As in :func:`contributions`. A one-hot block has one line. Its "column" gives the names of
        the first and the last column. Its "value" and "typical" are the names of the columns that
        are 1, or None if no column is.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.explanations import explanation
    >>> explanation(np.array([[5.0, 6.0]]), np.array([[0.0, -9.0]]), [5.0, 1.0], ["a", "b"])
    row  column  value  typical  contribution
      0  b       6.000    1.000        -9.000
      0  a       5.000    5.000         0.000
    """
    columns = np.argsort(contributions, axis=1, kind="stable")[:, :n_features]
    values, typical = cells_of(X), np.array([*typical, None], dtype=object)[:-1]
    if groups is not None:
        values, typical = (_of_groups(cells, groups, names) for cells in (values, typical[None]))
        names, typical = [_name(group, names) for group in groups], typical[0]
    rows = np.asarray(X.index) if hasattr(X, "iloc") else np.arange(X.shape[0])
    return Explanation(
        row=np.repeat(rows, columns.shape[1]),
        column=np.asarray(names)[columns].ravel(),
        value=_numbers(np.take_along_axis(values, columns, axis=1).ravel()),
        typical=_numbers(typical[columns].ravel()),
        contribution=np.take_along_axis(contributions, columns, axis=1).ravel(),
    )


def _of_groups(cells, groups, names):
    """Return the value of each group; for a one-hot block, the name of the column that is 1."""
    values = np.full((len(cells), len(groups)), None, dtype=object)
    for place, group in enumerate(groups):
        if len(group) == 1:
            values[:, place] = cells[:, group[0]]
            continue
        for column in group:
            values[cells[:, column] == 1, place] = names[column]
    return values


def _name(group, names):
    """Return the name of a single column, or of the first and the last column of a block."""
    return names[group[0]] if len(group) == 1 else f"{names[group[0]]} ... {names[group[-1]]}"


def _scores_of_changed(score, X, differs, order, typical):
    """Yield the scores of all rows with typical values in the first column, the first two, ..."""
    n_rows, n_columns = X.shape
    turns = np.full(n_columns, len(order))
    for turn, group in enumerate(order):
        turns[group] = turn
    at_once = max(1, CHUNK_ENTRIES // (n_rows * n_columns))
    for first in range(0, len(order), at_once):
        some = np.arange(first, min(first + at_once, len(order)))
        changed = np.repeat(turns <= some[:, None], n_rows, axis=0)
        changed &= np.tile(differs, (len(some), 1))
        rows = take(X, np.tile(np.arange(n_rows), len(some)))
        yield from _finite(score(replaced(rows, changed, typical))).reshape(len(some), n_rows)


def _differ(X, typical):
    """Return where the values of X differ from the typical ones."""
    usual = replaced(take(X, np.array([0])), np.ones((1, X.shape[1]), dtype=bool), typical)
    pairs = zip(columns_of(X), columns_of(usual), strict=True)
    return np.stack([values != value[0] for values, value in pairs], axis=1)


def _finite(scores):
    """Return scores with -inf replaced, so that differences are finite."""
    return np.maximum(scores, -LARGEST)


def _numbers(values):
    """Return values as float64 if all of them are numbers."""
    are_numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    return values.astype(np.float64) if are_numbers else values
