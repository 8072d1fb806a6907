"""The columns of a table to the blocks of their codes, and back, one by one."""

import numpy as np

from skvae._warnings import warn
from skvae.tabular.columns import LevelsColumn
from skvae.tabular.layout import width_of
from skvae.tabular.reading import cells_as, cells_of, columns_of
from skvae.tabular.validation import finite
from skvae.tabular.writing import holds_missing, written

__all__ = ["decoded", "encoded"]


def encoded(X, columns, names):
    """Return the codes of a table, given the fitted columns and their names.

    Warns of numbers that are missing where none was in training, and have no place for it.
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
            f"A number should be missing only in columns that had missing ones in fit. Got "
            f"some in {filled} instead, which are filled with the mean or the commonest value. "
            f"Fit to rows that have some, or set missing='keep'."
        )
    return np.concatenate(blocks, axis=1)


def decoded(codes, columns, names):
    """Return the columns of codes, as ``written`` returns them."""
    ends = np.cumsum(list(map(width_of, columns)))
    found = []
    for name, column, block in zip(names, columns, np.split(codes, ends[:-1], axis=1), strict=True):
        missing, values = column.decode(block)
        if missing.any() and not holds_missing(column.form):
            raise ValueError(
                f"Column {name!r} of dtype {column.form.dtype} holds no missing value. Got NaN "
                f"for it instead. Fill it, or fit to a nullable dtype."
            )
        found.append(written(column.kind, missing, values, column.form))
    return found
