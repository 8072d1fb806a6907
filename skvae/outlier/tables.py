"""Rows in any container (array, CSR matrix, data frame), and their columns."""

from functools import partial

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import validate_data

from skvae._frames import check_finite, is_missing
from skvae.base.validation import check_names, dense, valid_numbers

__all__ = [
    "cells_of",
    "columns_of",
    "has_numbers",
    "is_mixed",
    "is_whole",
    "own_columns_of",
    "replaced",
    "take",
    "texts_of",
    "valid_frame",
    "valid_rows",
]

LEAST_ROWS = 3  # of which each model then gets two


def valid_rows(detector, X, *, reset):
    """Return X, validated: a frame if names were fitted, or else an array or a CSR matrix.

    NaN is allowed here: the transformer accepts it or raises an error.

    Parameters
    ----------
    detector : estimator
        A fitted detector, unless ``reset``.
    X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows.
    reset : bool
        True in ``fit``: the detector then takes the number and names of the columns from X.

    Returns
    -------
    {array, DataFrame, CSR matrix} of shape (n_samples, n_features)
        Numbers without infinities.
    """
    validate = partial(
        validate_data,
        detector,
        accept_sparse="csr" if get_tags(detector).input_tags.sparse else False,
        dtype="numeric",
        reset=reset,
        ensure_all_finite="allow-nan",
        ensure_min_samples=LEAST_ROWS if reset else 1,
    )
    rows = _own(valid_numbers(validate, X, allow_nan=True))
    named = hasattr(detector, "feature_names_in_") and hasattr(X, "columns")
    if not named or issparse(rows):
        return rows
    if np.asarray(X[:1]).dtype.kind in "biuf":  # not text that represents numbers
        return X
    if hasattr(X, "astype"):
        return X.astype(rows.dtype)
    return type(X)(dict(zip(X.columns, rows.T, strict=True)))


def _own(rows):
    """Return rows in the machine's byte order; a CSR matrix is sorted and without duplicates."""
    if issparse(rows):
        if not rows.has_canonical_format:
            rows = rows.copy()
            rows.sum_duplicates()
        return rows
    return rows.astype(rows.dtype.newbyteorder("="), copy=False)


def valid_frame(detector, X, *, reset):
    """Return a frame of mixed columns after checking its column names and its numbers."""
    check_names(X)
    validate_data(detector, X, skip_check_array=True, reset=reset)
    for place, values in enumerate(columns_of(X)):
        if values.dtype != object:
            check_finite(values, X.columns[place])
    least = LEAST_ROWS if reset else 1
    if X.shape[0] < least:
        raise ValueError(
            f"Found array with {X.shape[0]} sample(s) (shape={X.shape}) while a minimum of {least} "
            f"is required by {type(detector).__name__}."
        )
    return X


def take(X, rows):
    """Return some rows of X, in the same container."""
    return X[rows] if isinstance(X, np.ndarray) or issparse(X) else _safe_indexing(X, rows)


def columns_of(X):
    """Yield the columns as arrays: float64 for numbers, dates and text of numbers, else text.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.outlier.tables import columns_of
    >>> list(columns_of(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})))
    [array([1., 2.]), array(['x', 'y'], dtype=object)]
    """
    if isinstance(X, np.ndarray):
        yield from X.T.astype(np.float64, copy=False)
    elif issparse(X):
        columns = X.tocsc()
        for first, last in zip(columns.indptr[:-1], columns.indptr[1:], strict=True):
            values = np.zeros(X.shape[0])
            values[columns.indices[first:last]] = columns.data[first:last]
            yield values
    else:
        for place in range(X.shape[1]):
            yield _values(_column(X, place))


def cells_of(X):
    """Return the content of X as an array of objects; missing values stay NaN or None."""
    if isinstance(X, np.ndarray) or issparse(X):
        return dense(X).astype(object)
    cells = np.empty(X.shape, dtype=object)
    for place in range(X.shape[1]):
        for row, value in enumerate(_column(X, place)):
            cells[row, place] = value  # the value may be a list
    return cells


def is_mixed(X):
    """Return whether X is a frame with a column that cannot be read as numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.outlier.tables import is_mixed
    >>> is_mixed(pd.DataFrame({"a": ["1", "2"]})), is_mixed(pd.DataFrame({"a": ["x", "2"]}))
    (False, True)
    """
    if not hasattr(X, "shape") or not hasattr(X, "columns"):
        return False
    columns = (_column(X, place) for place in range(X.shape[1]))
    return any(_is_date(column) or _numbers(column) is None for column in columns)


def is_whole(X, place):
    """Return whether the values of a column cannot be averaged: integers, flags, objects."""
    if isinstance(X, np.ndarray) or issparse(X):
        return X.dtype.kind != "f"
    return np.asarray(_column(X, place)[:1]).dtype.kind != "f"


def has_numbers(X, place):
    """Return whether a column is numeric: no dates, no flags, no text of numbers."""
    if isinstance(X, np.ndarray) or issparse(X):
        return True
    return np.asarray(_column(X, place)[:1]).dtype.kind in "iuf"


def replaced(X, mask, values):
    """Return X with other values at some places.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        It is not changed.
    mask : ndarray of bool of shape (n_samples, n_features)
        The places to change.
    values : sequence of length n_features
        The new value for each column, of a type that it can hold; None for columns not changed.

    Returns
    -------
    {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        In the container of X, and in its dtype if this can hold the values.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.tables import replaced
    >>> replaced(np.array([[1.0, 2.0]]), np.array([[False, True]]), [7.0, 8.0])
    array([[1., 8.]])
    """
    if isinstance(X, np.ndarray):
        values = np.asarray(values, dtype=np.float64)
        asked = values[mask.any(axis=0)]
        is_held = X.dtype.kind == "f" or np.array_equal(asked, asked.astype(X.dtype))
        return np.where(mask, values, X).astype(X.dtype if is_held else np.float64, copy=False)
    if issparse(X):
        return csr_array(replaced(X.toarray(), mask, values))
    changed = X.copy() if hasattr(X, "iloc") else X
    for place in np.flatnonzero(mask.any(axis=0)):
        old, here = _column(X, place), mask[:, place]
        if isinstance(values[place], float) and not _holds_floats(old):
            old = _as_floats(old)
        old = _with_place_for(values[place], old)
        if hasattr(X, "iloc"):
            new = old.copy()
            new.iloc[np.flatnonzero(here)] = values[place]
            changed.isetitem(place, new)
        else:
            pairs = zip(here, old, strict=True)
            new = [values[place] if there else value for there, value in pairs]
            changed = changed.with_columns(type(old)(X.columns[place], new, dtype=old.dtype))
    return changed


def _with_place_for(value, column):
    """Return a column that can hold a value: dense, and with the value as a category."""
    if hasattr(column, "sparse"):
        return column.sparse.to_dense()
    if hasattr(column, "cat") and hasattr(column, "iloc"):
        known = column.cat.categories
        return column if value in known else column.cat.add_categories([value])
    levels = getattr(column.dtype, "categories", None)  # a polars Enum
    if isinstance(levels, type(column)) and value not in levels.to_list():
        return column.cast(levels.dtype)
    return column


def _holds_floats(column):
    """Return whether a column can hold any float; a categorical one holds only its categories."""
    return np.asarray(column[:1]).dtype.kind == "f" and not hasattr(column.dtype, "categories")


def _as_floats(column):
    """Return a column of numbers of any type as float64."""
    numbers = _numbers(column)
    if hasattr(column, "iloc"):
        return type(column)(numbers, index=column.index, name=column.name)
    return type(column)(column.name, numbers)


def _column(X, place):
    return X.iloc[:, place] if hasattr(X, "iloc") else X[X.columns[place]]


def _is_date(column):
    """Return whether a column has dates or times; with a time zone, NumPy sees them as objects."""
    kinds = {np.asarray(column[:1]).dtype.kind, getattr(column.dtype, "kind", "")}
    return not kinds.isdisjoint("mM")


def own_columns_of(X):
    """Yield the columns as :func:`columns_of` does, except that text of numbers stays text."""
    for place, values in enumerate(columns_of(X)):
        is_text = hasattr(X, "columns") and np.asarray(_column(X, place)[:1]).dtype == object
        yield texts_of(X, place) if is_text else values


def texts_of(X, place):
    """Return a column as text; all missing values (None, NaN or NA) have the same text."""
    return np.array([_text(value) for value in _column(X, place)], dtype=object)


def _text(value):
    return "nan" if is_missing(value) else str(value)


def _values(column):
    """Return a column as float64 if it can be read as numbers or dates, or else as text."""
    numbers = _numbers(column)
    return (
        np.array([_text(value) for value in column], dtype=object) if numbers is None else numbers
    )


def _numbers(column):
    """Return a column as float64, or None if it cannot be read as numbers."""
    if _is_date(column):
        dates = np.asarray(column)
        kind = column.dtype.kind if dates.dtype == object else dates.dtype.kind
        unit = f"{kind}8[us]"  # one unit for all columns
        dates = column.to_numpy(dtype=unit) if dates.dtype == object else dates
        return np.where(np.isnat(dates), np.nan, dates.astype(unit).astype(np.int64))
    try:
        if hasattr(column.dtype, "na_value") and hasattr(column, "to_numpy"):
            return column.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas' nullable kinds
        values = np.asarray(column)
        return None if values.dtype.kind == "c" else values.astype(np.float64)
    except OverflowError as error:
        raise ValueError(
            f"X must be numbers that float64 holds. Got an integer in column {column.name!r} "
            f"instead that is infinite there. Scale X."
        ) from error
    except (TypeError, ValueError):
        return None
