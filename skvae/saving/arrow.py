"""The types of pyarrow in a file: a name and its arguments."""

import re

from skvae._frames import import_pyarrow
from skvae.saving.cells import UNITS, is_zone

__all__ = ["PURPOSE", "arrow_type", "spell_arrow"]

PURPOSE = "the table in this file"
NAMES = [
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "halffloat", "float", "double", "bool", "string", "large_string", "null", "date32[day]",
    "date64[ms]", "time32[s]", "time32[ms]", "time64[us]", "time64[ns]",
]  # fmt: skip
DIGITS = {"decimal128": 38, "decimal256": 76}  # maximum number of digits
OFFSET = re.compile(r"[+-]\d\d:\d\d")  # a time zone without a name


def spell_arrow(kind):
    """Return the name and the arguments of a type of pyarrow, or None if files do not support it.

    Parameters
    ----------
    kind : DataType of pyarrow
        The type inside of a pandas ``ArrowDtype``.

    Returns
    -------
    list or None
    """
    types = import_pyarrow("save", "the table of this estimator").types
    if str(kind) in NAMES:
        return [str(kind)]
    if types.is_timestamp(kind) and (kind.tz is None or _is_zone(kind.tz)):
        return ["timestamp", kind.unit, kind.tz]
    if types.is_duration(kind):
        return ["duration", kind.unit]
    name = str(kind).partition("(")[0]
    if name in DIGITS:
        return [name, kind.precision, kind.scale]
    if types.is_dictionary(kind):
        parts = [str(part) for part in (kind.index_type, kind.value_type)]
        return ["dictionary", *parts, kind.ordered] if set(parts) <= {*NAMES} else None
    return None


def arrow_type(name, *options):
    """Return the type for the result of :func:`spell_arrow`, or None if there is no such type."""
    pyarrow = import_pyarrow("load", PURPOSE)
    if name in NAMES and not options:
        return pyarrow.type_for_alias(name)
    if name == "timestamp" and len(options) == 2 and options[0] in UNITS:
        unit, zone = options
        return pyarrow.timestamp(unit, zone) if zone is None or _is_zone(zone) else None
    if name == "duration" and len(options) == 1 and options[0] in UNITS:
        return pyarrow.duration(*options)
    if name in tuple(DIGITS) and len(options) == 2 and all(type(one) is int for one in options):
        precision, scale = options
        whole = 0 < precision <= DIGITS[name] and 0 <= scale <= precision
        return getattr(pyarrow, name)(precision, scale) if whole else None
    if name == "dictionary" and len(options) == 3 and type(options[2]) is bool:
        index, values = (arrow_type(part) for part in options[:2])
        whole = index is not None and values is not None
        return pyarrow.dictionary(index, values, options[2]) if whole else None
    return None


def _is_zone(name):
    return is_zone(name) or (type(name) is str and bool(OFFSET.fullmatch(name)))
