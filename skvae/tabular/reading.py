"""Read the columns of a table: cells of one kind, for tables of every library."""

import datetime
import numbers
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeGuard

import numpy as np

from skvae._frames import import_pandas, import_polars, is_missing, is_pandas, is_polars

__all__ = [
    "EPOCH",
    "MOST_PLACES",
    "TICKS",
    "Cells",
    "Form",
    "cells_as",
    "cells_of",
    "columns_of",
    "is_frame",
    "is_of_objects",
    "out_of_arrow_dtype",
]

# Units of time in nanoseconds, under the names that NumPy and polars use.
TICKS = {"D": 86_400 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
KINDS = {
    "real": "numbers",
    "whole": "numbers",
    "flag": "booleans",
    "levels": "text or categories",
    "date": "dates",
    "naive": "times without a time zone",
    "aware": "times with a time zone",
    "duration": "durations",
    "clock": "times of the day",
    "period": "periods",
}
EPOCH = datetime.date(1970, 1, 1).toordinal()
MOST_PLACES = 340  # decimal places: further ones are below the smallest float64


@dataclass(frozen=True)
class Form:
    """The form in which a column is written: its library, its dtype and further details."""

    library: str  # "numpy", "pandas" or "polars"
    dtype: Any
    objects: type | None = None  # the type of the Python objects in a pandas column
    marker: Any = None  # the missing value of Python objects; for polars, whether it is NaN
    places: int | None = None  # number of decimal places, for Decimals


@dataclass(frozen=True)
class Cells:
    """The content of a column."""

    kind: str  # one of KINDS
    missing: np.ndarray  # of bool, (n_samples,)
    values: np.ndarray  # the values that are not missing
    form: Form
    tick: int = 1  # unit of the values in nanoseconds, for times and durations
    order: tuple | None = None  # the levels in order, if the dtype has one


def is_frame(X: Any) -> TypeGuard[Any]:
    """Return whether X is a DataFrame of pandas or polars."""
    return is_pandas(X) or is_polars(X)


def is_of_objects(dtype: Any) -> bool:
    """Return whether a dtype is the NumPy dtype of Python objects."""
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def out_of_arrow_dtype(dtype: Any) -> Any:
    """Return a dtype of pandas or NumPy that holds the same values as a dtype of pyarrow.

    Other dtypes are returned unchanged. So are pyarrow's text and categories, because pandas
    converts them itself.
    """
    arrow = getattr(dtype, "pyarrow_dtype", None)
    if arrow is None:
        return dtype
    if str(arrow).startswith("date"):
        return np.dtype(object)
    if dtype.kind in "iub":
        name = "boolean" if dtype.kind == "b" else str(arrow).replace("i", "I").replace("uI", "UI")
        return import_pandas("TableEncoder", "its columns").api.types.pandas_dtype(name)
    if dtype.kind == "f":
        return np.dtype(dtype.numpy_dtype)
    if dtype.kind == "M" and arrow.tz is not None:
        return import_pandas("TableEncoder", "its columns").DatetimeTZDtype(arrow.unit, arrow.tz)
    return np.dtype(f"{dtype.kind}8[{arrow.unit}]") if dtype.kind in "mM" else dtype


def columns_of(X: Any) -> Iterator[Any]:
    """Yield the columns of a frame or of an array."""
    for place in range(X.shape[1]):
        yield X.iloc[:, place] if is_pandas(X) else X[:, place]


def cells_of(column: Any, name: Any) -> Cells:
    """Return the content of a column.

    Raises
    ------
    TypeError
        If a column has values that TableEncoder cannot encode, such as lists or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tabular.reading import cells_of
    >>> cells = cells_of(pd.Series([True, None, False], dtype="boolean"), "a")
    >>> cells.kind, cells.missing, cells.values
    ('flag', array([False,  True, False]), array([ True, False]))
    """
    if isinstance(column, np.ndarray):
        cells = _of_numpy(column, Form("numpy", column.dtype))
    else:
        cells = (_of_pandas if hasattr(column, "iloc") else _of_polars)(column, name)
    if cells.kind == "levels":
        try:
            set(cells.values)
        except TypeError as error:  # for example lists, which cannot be hashed
            raise _not_taken(name, str(error)) from None
    return cells


def cells_as(kind: str, cells: Cells, name: Any, form: Form) -> Cells:
    """Return cells as the kind and form of the fit, or raise an error if they do not match."""
    values = cells.values
    if cells.kind == kind == "period" and cells.form.dtype != form.dtype:
        raise ValueError(
            f"Column {name!r} had dtype {form.dtype} when TableEncoder was fitted. Got "
            f"{cells.form.dtype} instead. Convert the column to {form.dtype}."
        )
    is_number = cells.kind in ("real", "whole", "flag")
    if cells.kind == kind or (kind in ("real", "whole") and is_number):
        return cells
    if not len(values):
        return Cells(kind, cells.missing, np.zeros(0), cells.form)
    if kind == "levels" and is_number:
        return Cells(kind, cells.missing, np.array(values.tolist(), dtype=object), cells.form)
    if kind == "flag" and is_number and np.isin(values, (0, 1)).all():
        return Cells(kind, cells.missing, values.astype(bool), cells.form)
    raise ValueError(
        f"Column {name!r} had {KINDS[kind]} when TableEncoder was fitted. Got {KINDS[cells.kind]} "
        f"instead. Convert the column to {KINDS[kind]}."
    )


def _of_numpy(column, form):
    """Return the cells of an array of numbers, booleans or objects."""
    if column.dtype.kind not in "biuf":
        return _of_objects(column.astype(object), form)
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
    kind = {"b": "flag", "f": "real"}.get(column.dtype.kind, "whole")
    return Cells(kind, missing, column[~missing], form)


def _of_objects(column, form):
    """Return the cells of Python objects. If the objects are of several kinds, they are levels."""
    missing = np.array([is_missing(value) for value in column], dtype=bool)
    marker = column[missing][0] if missing.any() else None
    values = column[~missing]
    kind, objects, dtype = _kind_of_objects(values)
    if kind == "date":
        values = np.array([value.toordinal() - EPOCH for value in values], dtype=dtype)
    places = _places(values) if objects is Decimal else None
    form = Form(form.library, form.dtype, objects, marker, places)
    tick = TICKS["D"] if kind == "date" else 1
    return Cells(kind, missing, values.astype(dtype), form, tick)


def _kind_of_objects(values):
    """Return the kind of Python objects, the type to write them, and the dtype to read them."""
    types = {type(value) for value in values}
    if not types:
        return "levels", None, object
    if types <= {bool, np.bool_}:
        return "flag", bool, bool
    if types == {datetime.date}:
        return "date", datetime.date, np.int64
    if not types & {bool, np.bool_}:
        if all(issubclass(type_, numbers.Integral) for type_ in types) and _fits(values):
            return "whole", int, np.int64
        if types == {Decimal}:
            return "real", Decimal, np.float64
        if all(issubclass(type_, numbers.Real | Decimal) for type_ in types):
            return "real", float, np.float64
    return "levels", None, object


def _places(values):
    """Return the largest number of decimal places among some Decimals."""
    exponents = [value.as_tuple().exponent for value in values if value.is_finite()]
    return min(max(0, -min(exponents, default=0)), MOST_PLACES)


def _fits(values):
    """Return whether integers fit into 64 bits."""
    bounds = np.iinfo(np.int64)
    return bounds.min <= min(values) and max(values) <= bounds.max


def _of_pandas(series, name):
    """Return the cells of a pandas Series."""
    dtype, form = series.dtype, Form("pandas", series.dtype)
    plain = out_of_arrow_dtype(dtype)
    if plain is not dtype:
        cells = _of_pandas(series.astype(plain), name)
        return replace(cells, form=replace(cells.form, dtype=dtype))
    missing = np.asarray(series.isna(), dtype=bool)
    present = series[~missing]
    if hasattr(dtype, "categories"):
        values = _objects(present)
        return Cells("levels", missing, values, form, order=tuple(dtype.categories))
    kind = getattr(dtype, "kind", "O")
    if kind in "Mm":
        unit = getattr(dtype, "unit", None) or np.datetime_data(dtype)[0]
        sort = "duration" if kind == "m" else "naive" if getattr(dtype, "tz", None) is None else ""
        values = present.astype("int64").to_numpy()
        return Cells(sort or "aware", missing, values, form, TICKS[unit])
    if kind == "b":
        return Cells("flag", missing, present.to_numpy(dtype=bool), form)
    if kind in "iu":
        values = present.to_numpy(dtype=np.uint64 if kind == "u" else np.int64)
        return Cells("whole", missing, values, form)
    if kind == "f":
        return Cells("real", missing, present.to_numpy(dtype=np.float64), form)
    if is_of_objects(dtype):
        return _of_objects(_objects(series), form)
    if kind == "c":
        raise _not_taken(name, dtype)
    if hasattr(dtype, "freq"):
        return Cells("period", missing, present.astype("int64").to_numpy(), form)
    return Cells("levels", missing, _objects(present), form)


def _objects(series):
    """Return a Series as an array of Python objects."""
    values = np.empty(len(series), dtype=object)
    values[:] = series.tolist()
    return values


def _of_polars(series, name):
    """Return the cells of a polars Series."""
    dtype = series.dtype
    sort = str(dtype.base_type())
    null = series.is_null().to_numpy()
    is_nan = series.is_nan().fill_null(False).to_numpy() if dtype.is_float() else False
    missing = null | is_nan
    form = Form("polars", dtype, marker=bool(np.any(is_nan)) and not null.any())
    present = series.filter(~missing)
    if sort in ("String", "Categorical", "Enum", "Null"):
        order = tuple(dtype.categories) if sort == "Enum" else None
        values = np.array(present.to_list(), dtype=object)
        return Cells("levels", missing, values, form, order=order)
    if sort == "Boolean":
        return Cells("flag", missing, present.to_numpy().astype(bool), form)
    if dtype.is_float() or dtype.is_decimal():
        values = present.cast(import_polars("TableEncoder", "its columns").Float64).to_numpy()
        return Cells("real", missing, values, form)
    if dtype.is_integer() and not sort.endswith("128"):
        return Cells("whole", missing, present.to_numpy(), form)
    times = {"Date": "date", "Datetime": "naive", "Duration": "duration", "Time": "clock"}
    if sort not in times:
        raise _not_taken(name, dtype)
    kind = "aware" if getattr(dtype, "time_zone", None) else times[sort]
    unit = {"Date": "D", "Time": "ns"}.get(sort) or dtype.time_unit
    values = present.to_physical().to_numpy().astype(np.int64)
    return Cells(kind, missing, values, form, TICKS[unit])


def _not_taken(name, dtype):
    return TypeError(
        f"TableEncoder takes columns of numbers, booleans, text, categories, dates, times, "
        f"durations and periods. Got column {name!r} of {dtype} instead. Convert it, or leave it "
        f"out."
    )
