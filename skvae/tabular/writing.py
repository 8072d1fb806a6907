"""Cells as columns of a table again, with the dtype that they were read from."""

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
# In nanoseconds, of the year 1678: pandas 2 crashes when it shows an earlier time of a zone.
FIRST_OF_ZONES = -9_214_560_000 * 10**9


def limits_of(kind, form, tick):
    """Return the least and the greatest value that a column can hold, in its units.

    They are those of its dtype, for dates, times and periods within the years 1 to 9999, which
    Python's own dates hold, from 1678 on for times of pandas with a zone, and for durations within
    the longest of Python's.
    """
    if kind == "clock":
        return 0, DAY - 1
    if kind == "period":
        return _periods_within(form.dtype)
    if kind in ("date", "naive", "aware", "duration"):
        wide = np.iinfo(np.int64)  # whose least value stands for NaT
        first, last = YEARS if kind != "duration" else (-LONGEST, LONGEST)
        shift = DAY // tick if kind == "aware" else 0  # zones shift the hours
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
    """Return the first and the last period of the years 1 to 9999, or of those that ns counts."""
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
    dtype = getattr(form.dtype, "subtype", out_of_arrow_dtype(form.dtype))  # of a sparse column
    return np.dtype(getattr(dtype, "numpy_dtype", dtype))


def holds_missing(form):
    """Return whether a column's dtype has a missing value."""
    return not (isinstance(form.dtype, np.dtype) and form.dtype.kind in "biu")


def written(kind, missing, values, form: Form):
    """Return a column.

    Parameters
    ----------
    kind : str
        As of ``Cells``.
    missing : ndarray of bool
        Which rows are missing.
    values : ndarray
        One for every row; those of missing rows do not count.
    form : Form
        Of the column that was fitted.

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
        ordinals = np.where(missing, np.iinfo(np.int64).min, values)  # which stands for NaT
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
    if missing.any() and not hasattr(dtype, "fill_value"):  # a sparse column has its NaN, and
        column[missing] = None  # takes no value singly
    return column


def _objects(kind, values, form):
    """Return values as an array of Python objects of the type in a form."""
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
        column = column.round(form.dtype.scale)  # which a cast by an older polars cuts off
    column = column.cast(form.dtype)
    if not missing.any():
        return column
    hole = float("nan") if form.marker else None
    return column.zip_with(~polars.Series(missing), polars.Series([hole], dtype=form.dtype))


def frame_of(columns, library, names, index=None):
    """Return columns as a frame of a library, or as an array.

    Parameters
    ----------
    columns : list
        As ``written`` returns them.
    library : str
        "numpy", "pandas" or "polars".
    names : Index of pandas or list of str or None
        The names of the columns.
    index : Index of pandas or None
        The names of the rows.
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
