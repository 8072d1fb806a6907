"""Cells of a frame that are not numbers or text: dates, times and missing values."""

import datetime
import re
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import numpy as np

from skvae._frames import import_pandas
from skvae.files.errors import SavingError, refusal
from skvae.files.values import Kind, is_of

__all__ = ["CELLS", "FREQUENCY", "UNITS", "is_zone", "name_of_zone", "spell_frequency"]

DATES = {one.__name__: one for one in (datetime.datetime, datetime.date, datetime.time)}
UNITS = ("s", "ms", "us", "ns")
MISSING = ("NA", "NaT")
# For example "Europe/Berlin" or "UTC+01:00". Names that start with "dateutil" are not allowed,
# because pandas would open any file that they name.
ZONE = re.compile(r"(?!dateutil)[A-Za-z][\w+\-]*(/[\w+\-]+)*|UTC[+-]\d\d:\d\d")
FREQUENCY = re.compile(r"\d{0,6}[A-Za-z]+(-[A-Z]{3})?")  # for example "M", "2h" or "W-SUN"
# The errors for a name that is not in the system's list of time zones, or is a folder there.
NO_ZONE = (KeyError, OSError, TypeError, ValueError)


def is_zone(name):
    """Return whether a value is text of the form of a time zone's name."""
    return type(name) is str and bool(ZONE.fullmatch(name))


def name_of_zone(zone):
    """Return the name from which pandas makes the same time zone, or None if there is none."""
    pandas = import_pandas("save", "the times of this estimator")
    name = str(zone)
    if not is_zone(name):
        return None
    try:
        same = pandas.DatetimeTZDtype("ns", name) == pandas.DatetimeTZDtype("ns", zone)
    except NO_ZONE:
        return None
    return name if same else None


def spell_frequency(dtype):
    """Return the frequency of a dtype of periods as text, or None if this does not restore it."""
    name = str(dtype)[len("period[") : -1]
    pandas = import_pandas("save", "the periods of this estimator")
    return name if FREQUENCY.fullmatch(name) and pandas.PeriodDtype(name) == dtype else None


def _of_pandas(name):
    """Return a function that recognises values of the pandas class with this name."""

    def is_one(value):
        cls = type(value)
        return cls.__module__.partition(".")[0] == "pandas" and cls.__name__ == name

    return is_one


def _without_place(value, place):
    return SavingError(
        f"A file keeps times whose time zone has a name, and periods of the usual lengths. Got "
        f"{place}={value!r} instead. Convert the column before the fit."
    )


def _write_date(value, file, place):
    """Return the class and the text of a date or time, and its time zone: seconds, or a name."""
    zone = getattr(value, "tzinfo", None)
    if zone is None:
        return [type(value).__name__, value.isoformat()]
    if type(zone) is datetime.timezone:
        spelled = zone.utcoffset(None).total_seconds()
        spelled = int(spelled) if spelled == int(spelled) else None
    else:
        spelled = zone.key if type(zone) is ZoneInfo and is_zone(zone.key) else None
    if spelled is None:
        raise _without_place(value, place)
    plain = value.replace(tzinfo=None, fold=0)
    return [type(value).__name__, plain.isoformat(), spelled, value.fold]


def _read_date(node, file, place):
    if not isinstance(node, list) or len(node) not in (2, 4) or node[0] not in tuple(DATES):
        raise refusal(place, f"one of {', '.join(DATES)}", node)
    try:
        value = DATES[node[0]].fromisoformat(node[1])
        if len(node) == 2:
            return value
        return value.replace(tzinfo=_zone(node[2]), fold=node[3])
    except (*NO_ZONE, OverflowError) as error:
        raise refusal(place, f"a {node[0]}", node[1]) from error


def _zone(node):
    if type(node) is int:
        return datetime.timezone(datetime.timedelta(seconds=node))
    if not is_zone(node):
        raise ValueError(node)
    return ZoneInfo(node)


def _write_timedelta(value, file, place):
    return [value.days, value.seconds, value.microseconds]


def _read_timedelta(node, file, place):
    try:
        days, seconds, microseconds = node
        return datetime.timedelta(days, seconds, microseconds)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(place, "days, seconds and microseconds", node) from error


def _write_timestamp(value, file, place):
    """Return the number and the unit of a pandas Timestamp or Timedelta, and its time zone."""
    found = [int(value.asm8.view("int64")), value.unit]
    zone = getattr(value, "tzinfo", None)
    if zone is None:
        return found
    name = name_of_zone(zone)
    if name is None:
        raise _without_place(value, place)
    return [*found, name]


def _read_timestamp(node, file, place):
    number, unit, *zone = _ticks(node, (2, 3), "the number and the unit of a time", place)
    pandas = import_pandas("load", "the times in this file")
    try:
        value = pandas.Timestamp(number, unit=unit).as_unit(unit)
        if zone and not is_zone(zone[0]):
            raise refusal(place, "the name of a time zone", zone[0])
        return value.tz_localize("UTC").tz_convert(zone[0]) if zone else value
    except SavingError:
        raise
    except (*NO_ZONE, OverflowError) as error:
        raise refusal(place, "a time", node) from error


def _read_duration(node, file, place):
    number, unit = _ticks(node, (2,), "the number and the unit of a duration", place)
    pandas = import_pandas("load", "the durations in this file")
    try:
        return pandas.Timedelta(np.timedelta64(number, unit))
    except (ValueError, OverflowError) as error:
        raise refusal(place, "a duration", node) from error


def _ticks(node, lengths, expected, place):
    if not isinstance(node, list) or len(node) not in lengths or type(node[0]) is not int:
        raise refusal(place, expected, node)
    if node[1] not in UNITS:
        raise refusal(place, f"one of {', '.join(UNITS)}", node[1])
    return node


def _write_period(value, file, place):
    pandas = import_pandas("save", "the periods of this estimator")
    name = spell_frequency(pandas.PeriodDtype(value.freq))
    if name is None:
        raise _without_place(value, place)
    return [value.ordinal, name]


def _read_period(node, file, place):
    whole = isinstance(node, list) and len(node) == 2 and type(node[0]) is int
    if not whole or type(node[1]) is not str or not FREQUENCY.fullmatch(node[1]):
        raise refusal(place, "the number and the length of a period", node)
    pandas = import_pandas("load", "the periods in this file")
    try:
        return pandas.Period(ordinal=node[0], freq=node[1])
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise refusal(place, "a period", node) from error


def _read_decimal(node, file, place):
    try:
        return Decimal(node if type(node) is str else None)
    except (InvalidOperation, TypeError) as error:
        raise refusal(place, "a decimal", node) from error


def _read_missing(node, file, place):
    if node not in MISSING:
        raise refusal(place, f"one of {', '.join(MISSING)}", node)
    return getattr(import_pandas("load", "the missing values in this file"), node)


def _is_missing(value):
    return _of_pandas("NAType")(value) or _of_pandas("NaTType")(value)


# The keys are the names in files. They must never change.
CELLS = {
    "date": Kind(is_of(*DATES.values()), _write_date, _read_date),
    "timedelta": Kind(is_of(datetime.timedelta), _write_timedelta, _read_timedelta),
    "timestamp": Kind(_of_pandas("Timestamp"), _write_timestamp, _read_timestamp),
    "duration": Kind(_of_pandas("Timedelta"), _write_timestamp, _read_duration),
    "period": Kind(_of_pandas("Period"), _write_period, _read_period),
    "decimal": Kind(is_of(Decimal), lambda value, file, place: str(value), _read_decimal),
    "missing": Kind(_is_missing, lambda value, file, place: str(value).strip("<>"), _read_missing),
}
