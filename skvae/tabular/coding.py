"""Encode the columns of a table one by one, and decode their codes."""

import numpy as np

from skvae._warnings import warn
from skvae.tabular.columns import LevelsColumn
from skvae.tabular.layout import width_of
from skvae.tabular.reading import cells_as, cells_of, columns_of
from skvae.tabular.validation import finite
from skvae.tabular.writing import holds_missing, written

__all__ = ["decoded", "encoded"]


def encoded(X, columns, names):
    """Return the codes of a table, (n_samples, n_codes), from its fitted columns and their names.

    Warn if a missing number or boolean is filled, because its column had none in training.
    """
    blocks, filled = [], []
    for name, fitted, column in zip(names, columns, columns_of(X), strict=True):
        cells = cells_as(fitted.kind, cells_of(column, name), name, fitted.form)
        cells = finite(cells, name)
        has_place = fitted.keep or fitted.indicator or isinstance(fitted, LevelsColumn)
        if cells.missing.any() and not has_place:
            filled.append(name)
        blocks.append(fitted.encode(cells))
    if filled:
        warn(
            f"Numbers and booleans should be missing only in columns that had missing values in "
            f"fit. Got missing values in {filled} instead, and filled them with the mean or the "
            f"most frequent value. Fit to rows with missing values in these columns, or set "
            f"missing='keep'."
        )
    return np.concatenate(blocks, axis=1)


def decoded(codes, columns, names):
    """Return the columns that codes decode to, as a list of columns made by ``written``."""
    ends = np.cumsum(list(map(width_of, columns)))
    found = []
    for name, column, block in zip(names, columns, np.split(codes, ends[:-1], axis=1), strict=True):
        missing, values = column.decode(block)
        if missing.any() and not holds_missing(column.form):
            raise ValueError(
                f"Column {name!r} of dtype {column.form.dtype} cannot hold missing values. Got NaN "
                f"in its codes instead. Fill the NaN, or fit to a nullable dtype."
            )
        found.append(written(column.kind, missing, values, column.form))
    return found
