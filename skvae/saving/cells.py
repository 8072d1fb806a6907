"""Cells of a frame that are not numbers or text: dates, times and missing values."""

import datetime

from skvae._frames import import_pandas
from skvae.files.errors import SavingError, refusal

__all__ = [
    "DATES",
    "read_date",
    "read_missing",
    "read_timestamp",
    "takes",
    "write_date",
    "write_timestamp",
]

DATES = {one.__name__: one for one in (datetime.datetime, datetime.date, datetime.time)}
UNITS = ("s", "ms", "us", "ns")
MISSING = ("NA", "NaT")


def takes(*names):
    """Return a function that is True for values of the pandas classes with these names."""

    def is_one(value):
        cls = type(value)
        return cls.__module__.partition(".")[0] == "pandas" and cls.__name__ in names

    return is_one


def write_date(value, file, place):
    """Return the class name and the text of a date or time without a time zone."""
    if getattr(value, "tzinfo", None) is not None:
        raise _with_a_zone(value, place)
    return [type(value).__name__, value.isoformat()]


def read_date(node, file, place):
    """Return the date or time that :func:`write_date` wrote."""
    if not isinstance(node, list) or len(node) != 2 or node[0] not in tuple(DATES):
        raise refusal(place, f"one of {', '.join(DATES)}", node)
    try:
        return DATES[node[0]].fromisoformat(node[1])
    except (TypeError, ValueError) as error:
        raise refusal(place, f"a {node[0]}", node[1]) from error


def write_timestamp(value, file, place):
    """Return the number and the unit of a pandas Timestamp without a time zone."""
    if value.tzinfo is not None:
        raise _with_a_zone(value, place)
    return [int(value.asm8.view("int64")), value.unit]


def read_timestamp(node, file, place):
    """Return the Timestamp that :func:`write_timestamp` wrote."""
    if not isinstance(node, list) or len(node) != 2 or type(node[0]) is not int:
        raise refusal(place, "the number and the unit of a time", node)
    if node[1] not in UNITS:
        raise refusal(place, f"one of {', '.join(UNITS)}", node[1])
    pandas = import_pandas("load", "the times in this file")
    try:
        return pandas.Timestamp(node[0], unit=node[1]).as_unit(node[1])
    except (ValueError, OverflowError) as error:
        raise refusal(place, "a time", node) from error


def read_missing(node, file, place):
    """Return the NA or the NaT of pandas."""
    if node not in MISSING:
        raise refusal(place, f"one of {', '.join(MISSING)}", node)
    return getattr(import_pandas("load", "the missing values in this file"), node)


def _with_a_zone(value, place):
    return SavingError(
        f"A file keeps dates and times without a time zone. Got {place}={value!r} instead. Convert "
        f"the column before the fit."
    )
