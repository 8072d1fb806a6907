"""Which columns make a row improbable: what its score is with their typical values instead."""

from numbers import Real

import numpy as np

from skvae._results import ResultColumns
from skvae.outlier.tables import cells_of, columns_of, replaced, take

__all__ = ["Explanation", "contributions", "explanation"]

ORDERS = 10  # and their opposites: three columns that are odd together get alike shares
CHUNK_ENTRIES = 2**22  # of changed rows that are scored at a time
LARGEST = np.finfo(np.float64).max / 4  # a score of -inf has no differences


class Explanation(ResultColumns):
    """Which columns make rows less normal, as attributes and entries of a dict.

    Of each row the most harmful column comes first.

    Attributes
    ----------
    row : ndarray of shape (n_lines,)
        The row's label in the index of X, or its number.
    column : ndarray of shape (n_lines,)
        The column's name.
    value : ndarray of shape (n_lines,)
        What the row has there; of a block the name of the column that is 1.
    typical : ndarray of shape (n_lines,)
        The median of the rows fitted; of what is no number the most frequent value.
    contribution : ndarray of shape (n_lines,)
        In units of the score, negative where the row is less normal by it.
    """


def contributions(score, X, typical, *, groups=None, ignored=None):
    r"""Return what each column's value does to the score of each row: its Shapley value.

    In some order of the columns, those of a row x get the typical values t one after the other,
    and each makes a difference to the score. A column contributes the mean of its differences over
    :math:`2 M` orders, M drawn at random and each also backwards, so that

    .. math:: \sum_j c_j(x) = s(x) - s(t)

    The mean over all orders is the Shapley value [1]_, to which this comes close; where the score
    is quadratic, as the density of a PCA, every pair of opposite orders has it exactly.

    Parameters
    ----------
    score : callable
        Of rows: (n_samples,), float64.
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    typical : list of length n_features
        A value for each column.
    groups : list of list of int, default=None
        Columns that get their typical values together; None for each by itself.
    ignored : ndarray of bool of shape (n_samples, n_features), default=None
        Where there is nothing to replace: those places stay what they are, and contribute 0.

    Returns
    -------
    ndarray of shape (n_samples, n_groups), float64
        Negative where a column makes the row less normal.

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
    places = np.flatnonzero(of_groups.any(axis=0))  # where nothing changes, nothing is scored
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
    """Return contributions with a line for each row and column, a row's most harmful column first.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    contributions : ndarray of shape (n_samples, n_features)
        Negative where a column makes the row less normal.
    typical : list of length n_features
        A value for each column.
    names : sequence of str
        Of the columns.
    n_features : int, default=None
        How many columns of each row; None for all.
    groups : list of list of int, default=None
        As of :func:`contributions`. The columns of a one-hot block have one line, with the names
        of the first and the last as "column", and those of the columns that are 1 as "value" and
        "typical": None where there is none.

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
    """Return the value of each group of columns, of a block the name of the column that is 1."""
    values = np.full((len(cells), len(groups)), None, dtype=object)
    for place, group in enumerate(groups):
        if len(group) == 1:
            values[:, place] = cells[:, group[0]]
            continue
        for column in group:
            values[cells[:, column] == 1, place] = names[column]
    return values


def _name(group, names):
    """Return the name of one column, or of the first and the last of a block."""
    return names[group[0]] if len(group) == 1 else f"{names[group[0]]} ... {names[group[-1]]}"


def _scores_of_changed(score, X, differs, order, typical):
    """Yield the scores of all rows with the typical values of the first columns, of two, ..."""
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
    """Return where the values of X are not the typical ones."""
    usual = replaced(take(X, np.array([0])), np.ones((1, X.shape[1]), dtype=bool), typical)
    pairs = zip(columns_of(X), columns_of(usual), strict=True)
    return np.stack([values != value[0] for values, value in pairs], axis=1)


def _finite(scores):
    """Return scores that differences can be taken of."""
    return np.maximum(scores, -LARGEST)


def _numbers(values):
    """Return values as numbers where all of them are."""
    are_numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    return values.astype(np.float64) if are_numbers else values
