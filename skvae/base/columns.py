"""Find the likelihood of every column, and check that its values are in the support."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skvae.base.hyperparameters import check_argument, one_of
from skvae.nn.layout import COUNTS, KINDS, Part
from skvae.training.batches import BLOCK_ENTRIES, dense_rows

__all__ = [
    "LARGEST_CODE",
    "are_alike",
    "check_ends",
    "check_values",
    "column_ends",
    "parts_of",
    "with_levels",
]

LARGEST_CODE = 2**24  # networks are trained in float32, which is exact for integers up to it
ROUNDING = 1e-6  # scaled data may exceed an interval by this: the precision of float32
SUPPORTS = {
    "bernoulli": (0, 1),
    "continuous-bernoulli": (0, 1),
    "poisson": (0, np.inf),
    "negative-binomial": (0, np.inf),
    "categorical": (0, 1),
}


def are_alike(likelihood, missing):
    """Return whether the columns need no parts: one likelihood, no counts, no missing values.

    Examples
    --------
    >>> from skvae.base.columns import are_alike
    >>> are_alike("gaussian", None), are_alike("poisson", None), are_alike("gaussian", "mask")
    (True, False, False)
    """
    return isinstance(likelihood, str) and likelihood not in COUNTS and missing is None


def parts_of(likelihood, X, names, n_features):
    """Return the parts that pairs of (kind, columns) describe, without levels.

    Parameters
    ----------
    likelihood : str or sequence of (kind, columns)
        A kind for all columns, or pairs. The columns of a pair are given as in a
        ColumnTransformer: a name, an index, a list of these, a slice, a boolean mask, or a
        callable that returns one of these for X.
    X : DataFrame or array of shape (n_samples, n_features)
        The argument of the callables.
    names : sequence of str or None
        Names of the columns.
    n_features : int
        Number of columns.

    Returns
    -------
    list of Part

    Examples
    --------
    >>> from skvae.base.columns import parts_of
    >>> parts = parts_of([("gaussian", slice(0, 2)), ("poisson", "n")], None, ["a", "b", "n"], 3)
    >>> [(part.kind, part.columns) for part in parts]
    [('gaussian', (0, 1)), ('poisson', (2,))]
    """
    if isinstance(likelihood, str):
        return [Part(likelihood, tuple(range(n_features)))]
    parts = []
    for pair in likelihood:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                f"likelihood must be a kind, or pairs (kind, columns). Got {pair!r} among the "
                f"pairs instead. Give each kind with its columns."
            )
        kind, columns = pair
        check_argument("likelihood", kind, one_of(*KINDS), "fit")
        places = _places(columns(X) if callable(columns) else columns, names, n_features)
        if places:
            parts.append(Part(kind, places))
    times = np.bincount([place for part in parts for place in part.columns], minlength=n_features)
    (wrong,) = np.nonzero(times != 1)
    if len(wrong):
        raise ValueError(
            f"Every column of X must be in exactly one pair of likelihood. Got column "
            f"{_name(names, wrong[0])} in {times[wrong[0]]} pairs instead. Name it once."
        )
    return parts


def with_levels(parts, X):
    """Return the parts with the levels of every categorical column of codes, as found in X."""
    return [
        part._replace(levels=_levels(X, part.columns[0]))
        if part.kind == "categorical" and len(part.columns) == 1
        else part
        for part in parts
    ]


def _levels(X, place):
    column = X[:, [place]].toarray().ravel() if issparse(X) else np.asarray(X[:, place])
    levels = np.unique(column[column == column])  # nan is not equal to itself
    codes = levels.astype(np.float64)
    if (codes != np.round(codes)).any() or (np.abs(codes) > LARGEST_CODE).any():
        raise ValueError(
            f"A 'categorical' pair of one column must hold codes, integers of at most "
            f"{LARGEST_CODE}. Got values such as {codes[0]:.8g} in column {place} instead. Use an "
            f"OrdinalEncoder, or likelihood 'gaussian' for it."
        )
    return tuple(codes.tolist()) or (0.0,)


def check_ends(parts, least, most, names):
    """Raise an error if a column has values outside the support of its kind.

    ``least`` and ``most`` have shape (n_features,). They are infinite if a column has no value.
    """
    for part in parts:
        if part.kind not in SUPPORTS or part.levels:
            continue
        places = np.array(part.columns)
        low, high = SUPPORTS[part.kind]
        off = (least[places] < low - ROUNDING) | (most[places] > high + ROUNDING)
        off &= least[places] <= most[places]
        if off.any():
            place = places[np.argmax(off)]
            interval = f"[{low}, {high}]" if high == 1 else "[0, inf)"
            raise ValueError(
                f"The {part.kind!r} likelihood needs values in {interval}. Got values in "
                f"[{least[place]:.8g}, {most[place]:.8g}] in column {_name(names, place)} instead. "
                f"Use another kind for it, or scale it."
            )


def check_values(parts, X, rows, names):
    """Raise an error if training rows have invalid counts or categories.

    Counts must be whole numbers, one-hot blocks must have a single 1, and codes must be known
    levels.

    Parameters
    ----------
    parts : sequence of Part
        Parts with their levels.
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows. NaN is a missing value.
    rows : ndarray of int
        Indices of the rows to check.
    names : sequence of str or None
        Names of the columns.
    """
    counts = [place for part in parts if part.kind in COUNTS for place in part.columns]
    categorical = [part for part in parts if part.kind == "categorical"]
    if not (counts or categorical):
        return
    step = max(1, BLOCK_ENTRIES // X.shape[1])
    for start in range(0, len(rows), step):
        chunk = dense_rows(X, rows[start : start + step])
        whole = chunk[:, counts] == np.round(chunk[:, counts])
        whole |= chunk[:, counts] != chunk[:, counts]
        if not whole.all():
            row, column = np.argwhere(~whole)[0]
            raise ValueError(
                f"Counts must be whole numbers. Got {chunk[row, counts[column]]:.8g} in column "
                f"{_name(names, counts[column])} instead. Use likelihood 'gaussian' for it."
            )
        for part in categorical:
            _check_categories(part, chunk[:, part.columns], names)


def _check_categories(part, values, names):
    missing = np.isnan(values)
    if part.levels:
        known = np.isin(values, part.levels) | missing
        if not known.all():
            raise ValueError(
                f"A 'categorical' column of codes must hold levels that were in the first training "
                f"rows. Got {values[~known][0]:.8g} in column {_name(names, part.columns[0])} "
                f"instead. Fit again, to all rows."
            )
        return
    hot = np.isin(values, (0, 1)).all(1) & (np.nansum(values, 1) == 1)
    hot |= missing.all(1)
    if not hot.all():
        raise ValueError(
            f"The columns of a 'categorical' pair must be one-hot: a single 1 in every row, and 0 "
            f"elsewhere. Got {values[np.argmin(hot)].tolist()} in the columns from "
            f"{_name(names, part.columns[0])} on instead. Give every variable its own pair, also a "
            f"column of codes."
        )


def column_ends(X):
    """Return the minimum and the maximum of every column, infinite if it has no value.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.base.columns import column_ends
    >>> column_ends(np.array([[1.0, np.nan], [3.0, np.nan]]))
    (array([ 1., inf]), array([  3., -inf]))
    """
    least, most = np.full(X.shape[1], np.inf), np.full(X.shape[1], -np.inf)
    step = max(1, BLOCK_ENTRIES // X.shape[1])
    for start in range(0, X.shape[0], step):
        chunk = dense_rows(X, slice(start, start + step))
        least = np.fmin(least, np.fmin.reduce(chunk))
        most = np.fmax(most, np.fmax.reduce(chunk))
    return least, most


def _places(columns, names, n_features):
    """Return the indices of columns that are given as in a ColumnTransformer."""
    if isinstance(columns, slice):
        return tuple(range(n_features)[_slice_of_places(columns, names)])
    if isinstance(columns, str | Integral):
        columns = [columns]
    if not isinstance(columns, list):  # an array, or an index of pandas
        columns = np.asarray(columns).tolist()
    if columns and all(isinstance(column, bool) for column in columns):
        if len(columns) != n_features:
            raise ValueError(
                f"A mask of columns must have one value for each of the {n_features} columns of X. "
                f"Got {len(columns)} instead. Give one for each."
            )
        return tuple(np.flatnonzero(columns).tolist())
    return tuple(_place(column, names, n_features) for column in columns)


def _slice_of_places(columns, names):
    """Return a slice of indices for a slice of indices or of names.

    As in pandas, a slice of names includes its end.
    """
    start, stop = columns.start, columns.stop
    if isinstance(start, str):
        start = _place(start, names, 0)
    if isinstance(stop, str):
        stop = _place(stop, names, 0) + 1
    return slice(start, stop, columns.step)


def _place(column, names, n_features):
    if isinstance(column, str):
        if names is None or column not in names:
            known = "X without names" if names is None else f"columns {', '.join(names)}"
            raise ValueError(
                f"likelihood must name columns of X. Got {column!r} for {known} instead. Fit a "
                f"DataFrame that has it, or give its index."
            )
        return [*names].index(column)
    if not isinstance(column, Integral) or not -n_features <= column < n_features:
        raise ValueError(
            f"likelihood must name columns of X, or give indices below {n_features}. Got "
            f"{column!r} instead. Use one of them."
        )
    return int(column) % n_features


def _name(names, place):
    return f"{place}" if names is None else f"{names[place]!r}"
