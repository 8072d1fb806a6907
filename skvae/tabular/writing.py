"""Write cells as columns of a table, in the dtype from which they were read."""

import datetime
from dataclasses import replace
from decimal import Decimal

import numpy as np

from skvae._frames import import_pandas, import_polars
from skvae.tabular.reading import EPOCH, Form, is_of_objects, out_of_arrow_dtype

__all__ = ["frame_of", "holds_missing", "limits_of", "written"]

PURPOSE = "the table that it was fitted to"
YEARS = datetime.date.min.toordinal() - EPOCH, datetime.date.max.toordinal() - EPOCH  # 1 to 9999
LONGEST = datetime.timedelta.max.days
DAY = 86_400 * 10**9  # in nanoseconds
# The start of the year 1678 in nanoseconds: pandas 2 crashes when it prints an earlier time with a
# time zone.
FIRST_OF_ZONES = -9_214_560_000 * 10**9


def limits_of(kind, form, tick):
    """Return the smallest and the largest value that a column can hold, in its units.

    They are the limits of its dtype, with three exceptions. Dates, times and periods are in the
    years 1 to 9999, as in Python. Times of pandas with a time zone begin in 1678. Durations are at
    most as long as the longest ``timedelta`` of Python.
    """
    if kind == "clock":
        return 0, DAY - 1
    if kind == "period":
        return _periods_within(form.dtype)
    if kind in ("date", "naive", "aware", "duration"):
        wide = np.iinfo(np.int64)  # its smallest value stands for NaT
        first, last = YEARS if kind != "duration" else (-LONGEST, LONGEST)
        shift = DAY // tick if kind == "aware" else 0  # room for the offset of a time zone
        least = max(first * DAY // tick, wide.min + 1) + shift
        if kind == "aware" and form.library == "pandas":
            least = max(least, FIRST_OF_ZONES // tick)
        return least, min((last + 1) * DAY // tick - 1, wide.max) - shift
    if form.objects is int:
        return np.iinfo(np.int64).min, np.iinfo(np.int64).max
    if form.library == "polars" and form.dtype.is_decimal():
        whole = 10.0 ** ((form.dtype.precision or 38) - form.dtype.scale)
        most = np.nextafter(whole - 10.0**-form.dtype.scale, 0)
        return -most, most
    dtype = _numpy_dtype(form)
    bounds = np.finfo(dtype) if kind == "real" else np.iinfo(dtype)
    return bounds.min, bounds.max


def _periods_within(dtype):
    """Return the first and the last period of the years 1 to 9999, or of pandas' Timestamps."""
    pandas = import_pandas("TableEncoder", PURPOSE)
    try:
        ends = [pandas.Period(day, freq=dtype.freq) for day in ("0001-01-01", "9999-12-31")]
    except ValueError:
        ends = [
            pandas.Period(time, freq=dtype.freq)
            for time in (pandas.Timestamp.min.ceil("s"), pandas.Timestamp.max.floor("s"))
        ]
    return tuple(end.ordinal for end in ends)


def _numpy_dtype(form):
    """Return the NumPy dtype that has the limits of a column of numbers."""
    if form.objects in (float, Decimal):
        return np.dtype(np.float64)
    if form.library == "polars":
        return np.dtype(str(form.dtype.base_type()).lower())
    dtype = getattr(form.dtype, "subtype", out_of_arrow_dtype(form.dtype))  # subtype if sparse
    return np.dtype(getattr(dtype, "numpy_dtype", dtype))


def holds_missing(form):
    """Return whether the dtype of a column can hold missing values."""
    return not (isinstance(form.dtype, np.dtype) and form.dtype.kind in "biu")


def written(kind, missing, values, form: Form):
    """Return cells as a column.

    Parameters
    ----------
    kind : str
        The kind of the cells, one of ``KINDS``.
    missing : ndarray of bool of shape (n_samples,)
        True for missing values.
    values : ndarray of shape (n_samples,)
        One value for every row. The values of missing rows are ignored.
    form : Form
        The form of the column in the fit.

    Returns
    -------
    {ndarray, Series of pandas, Series of polars} of shape (n_samples,)
    """
    if form.library == "pandas":
        return _of_pandas(kind, missing, values, form)
    if form.library == "polars":
        return _of_polars(kind, missing, values, form)
    column = values.astype(form.dtype)
    if missing.any():
        column[missing] = np.nan
    return column


def _of_pandas(kind, missing, values, form):
    pandas = import_pandas("TableEncoder", PURPOSE)
    dtype = form.dtype
    plain = out_of_arrow_dtype(dtype)
    if plain is not dtype:
        return _of_pandas(kind, missing, values, replace(form, dtype=plain)).astype(dtype)
    if is_of_objects(dtype):
        values = _objects(kind, values, form)
        values[missing] = form.marker
        return pandas.Series(values, dtype=object)
    if kind == "levels":
        values = values.copy()
        values[missing] = None
        return pandas.Series(values, dtype=dtype)
    if kind == "period":
        ordinals = np.where(missing, np.iinfo(np.int64).min, values)  # the minimum stands for NaT
        return pandas.Series(pandas.PeriodIndex.from_ordinals(ordinals, freq=dtype.freq))
    if kind in ("naive", "aware", "duration"):
        unit = getattr(dtype, "unit", None) or np.datetime_data(dtype)[0]
        column = values.astype(f"{'m' if kind == 'duration' else 'M'}8[{unit}]")
        column[missing] = "NaT"
        column = pandas.Series(column)
        return column.dt.tz_localize("UTC").dt.tz_convert(dtype.tz) if kind == "aware" else column
    if kind == "real":
        values = np.where(missing, np.nan, values)
    column = pandas.Series(values).astype(dtype)
    if missing.any() and not hasattr(dtype, "fill_value"):
        column[missing] = None  # a sparse column already has NaN, and takes no single values
    return column


def _objects(kind, values, form):
    """Return values as an array of Python objects, of the type that the form names."""
    column = np.empty(len(values), dtype=object)
    if kind == "date":
        column[:] = [datetime.date.fromordinal(int(day) + EPOCH) for day in values]
    elif form.objects is Decimal:
        column[:] = [Decimal(f"{value:.{form.places}f}") for value in values.tolist()]
    else:
        column[:] = values.tolist() if form.objects is not None else values
    return column


def _of_polars(kind, missing, values, form):
    polars = import_polars("TableEncoder", PURPOSE)
    if kind == "levels":
        cells = [None if hole else value for hole, value in zip(missing, values, strict=True)]
        return polars.Series(cells, dtype=form.dtype)
    column = polars.Series(values)
    if kind == "date":
        column = column.cast(polars.Int32)
    elif form.dtype.is_decimal():
        column = column.round(form.dtype.scale)  # an older polars truncates in the cast
    column = column.cast(form.dtype)
    if not missing.any():
        return column
    hole = float("nan") if form.marker else None
    return column.zip_with(~polars.Series(missing), polars.Series([hole], dtype=form.dtype))


def frame_of(columns, library, names, index=None):
    """Return columns as a DataFrame of a library, or as an array.

    Parameters
    ----------
    columns : list
        Columns that ``written`` returned.
    library : str
        "numpy" for an array, "pandas" or "polars".
    names : Index of pandas or list of str or None
        Names of the columns. None for an array.
    index : Index of pandas or None
        Index of the rows, for pandas.

    Returns
    -------
    {ndarray, DataFrame of pandas or polars} of shape (n_samples, n_features)
    """
    if library == "numpy":
        return np.stack(columns, axis=1)
    if library == "polars":
        polars = import_polars("TableEncoder", PURPOSE)
        return polars.DataFrame([column.alias(n) for column, n in zip(columns, names, strict=True)])
    frame = import_pandas("TableEncoder", PURPOSE).concat(columns, axis=1)
    frame.columns = names
    if index is not None:
        frame.index = index
    return frame
