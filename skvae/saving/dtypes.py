"""The dtypes of a table's columns in a file: names from a short list, with their arguments."""

import re

import numpy as np

from skvae._frames import import_pandas, import_polars
from skvae.files.errors import SavingError, refusal
from skvae.files.values import read_value, write_value
from skvae.saving.arrow import PURPOSE, arrow_type, spell_arrow
from skvae.saving.cells import FREQUENCY, UNITS, is_zone, name_of_zone, spell_frequency
from skvae.saving.fields import Field, Texts

__all__ = ["PURPOSE", "DType", "Levels", "no_place_for"]

NUMPY = re.compile(r"[<>|=]?([biufO]\d{0,2}|[mM]8\[(D|s|ms|us|ns)\])")
LARGEST = 8  # maximum number of bytes of a number
MOST_DIGITS = 38  # maximum number of digits of a polars Decimal
SIZES = (8, 16, 32, 64)
INTEGERS = [f"{sign}Int{bits}" for sign in ("", "U") for bits in SIZES]
NULLABLE = [*INTEGERS, "Float32", "Float64", "boolean"]
OF_POLARS = [
    *INTEGERS, "Float16", "Float32", "Float64", "Boolean", "String", "Categorical", "Date", "Time",
    "Null",
]  # fmt: skip


def no_place_for(column):
    """Return the error for a column that a file cannot keep."""
    return SavingError(
        f"A file keeps columns of numbers, booleans, text, categories, dates, times, durations and "
        f"periods. Got {column} instead. Convert the column before the fit, or leave it out."
    )


class Levels(Field):
    """A list of values; if all are text, it is written as arrays."""

    texts = Texts(list)

    def write(self, value, file, place):
        if all(type(one) is str for one in value):
            return {"texts": self.texts.write(value, file, place)}
        return write_value(list(value), file, place)

    def read(self, node, file, place):
        if isinstance(node, dict) and node.keys() == {"texts"}:
            return self.texts.read(node["texts"], file, place)
        if not isinstance(node, list):
            raise refusal(place, "a list", node)
        return read_value(node, file, place)


class DType(Field):
    """A dtype of NumPy, pandas or polars: a name, or a list of a name and its arguments."""

    def __init__(self, library):
        self.library = library

    def write(self, value, file, place):
        spell = _spell_polars if self.library == "polars" else _spell_pandas
        spelled = spell(value, file, place)
        if spelled is None:
            raise no_place_for(f"{place}={value!r}")
        return spelled

    def read(self, node, file, place):
        name, *options = node if isinstance(node, list) and node else [node]
        if type(name) is not str:
            raise refusal(place, "the name of a dtype", node)
        make = _polars_dtype if self.library == "polars" else _pandas_dtype
        try:
            dtype = make(name, options, file, place)
        except SavingError:
            raise
        except (
            TypeError,
            ValueError,
            KeyError,
            OSError,
            OverflowError,
        ) as error:  # this library, this version or the list of time zones does not have it
            raise refusal(place, "a dtype that is known here", node) from error
        if dtype is None:
            raise refusal(place, f"a dtype of {self.library}", node)
        return dtype


def _spell_pandas(dtype, file, place):
    """Return the name of a NumPy or pandas dtype, or None if it is not supported."""
    if isinstance(dtype, np.dtype):
        return dtype.str if _is_numpy(dtype.str) else None
    kind = type(dtype).__name__
    if kind == "CategoricalDtype":
        if dtype.categories is None:
            return None
        categories = Levels().write(dtype.categories.tolist(), file, f"{place}.categories")
        of_categories = DType("pandas").write(dtype.categories.dtype, file, f"{place}.of")
        return ["category", categories, of_categories, bool(dtype.ordered)]
    if kind == "DatetimeTZDtype":
        zone = name_of_zone(dtype.tz)
        return None if zone is None else ["datetime", dtype.unit, zone]
    if kind == "PeriodDtype":
        length = spell_frequency(dtype)
        return None if length is None else ["period", length]
    if kind == "ArrowDtype":
        spelled = spell_arrow(dtype.pyarrow_dtype)
        return None if spelled is None else ["arrow", *spelled]
    if kind == "StringDtype":
        return ["string", dtype.storage, "nan" if dtype.na_value is np.nan else "NA"]
    if kind == "SparseDtype":
        subtype = DType("numpy").write(dtype.subtype, file, place)
        return ["sparse", subtype, write_value(dtype.fill_value, file, f"{place}.fill")]
    return str(dtype) if str(dtype) in NULLABLE else None


def _pandas_dtype(name, options, file, place):
    """Return the dtype with a name, or None if there is no such dtype."""
    if _is_numpy(name) and not options:
        return np.dtype(name)
    pandas = import_pandas("load", PURPOSE)
    if name in NULLABLE and not options:
        return pandas.api.types.pandas_dtype(name)
    if name == "category" and len(options) == 3 and type(options[2]) is bool:
        categories = Levels().read(options[0], file, f"{place}.categories")
        of_categories = DType("pandas").read(options[1], file, f"{place}.of")
        categories = pandas.Index(categories, dtype=of_categories)
        return pandas.CategoricalDtype(categories, ordered=options[2])
    if name == "datetime" and len(options) == 2 and options[0] in UNITS:
        return pandas.DatetimeTZDtype(*options) if is_zone(options[1]) else None
    if name == "period" and len(options) == 1 and type(options[0]) is str:
        return pandas.PeriodDtype(options[0]) if FREQUENCY.fullmatch(options[0]) else None
    if name == "arrow" and options:
        arrow = arrow_type(*options)
        return None if arrow is None else pandas.ArrowDtype(arrow)
    if name == "string" and len(options) == 2 and options[1] in ("nan", "NA"):
        return _string_dtype(pandas, *options)
    if name == "sparse" and len(options) == 2:
        subtype = DType("numpy").read(options[0], file, place)
        return pandas.SparseDtype(subtype, read_value(options[1], file, f"{place}.fill"))
    return None


def _string_dtype(pandas, storage, missing):
    """Return a pandas dtype for text. Since pandas 2.3 its missing value can be NaN or NA.

    In earlier versions, text with NaN was in columns of dtype object.
    """
    dtype = pandas.StringDtype(storage)
    if (dtype.na_value is np.nan) == (missing == "nan"):
        return dtype
    try:
        return pandas.StringDtype(storage, na_value=np.nan if missing == "nan" else pandas.NA)
    except TypeError:  # this version does not have na_value
        return np.dtype(object)


def _is_numpy(name):
    return bool(NUMPY.fullmatch(name)) and np.dtype(name).itemsize <= LARGEST


def _spell_polars(dtype, file, place):
    """Return the name of a polars dtype, or None if it is not supported."""
    kind = str(dtype.base_type())
    if kind == "Enum":
        return [kind, Levels().write(dtype.categories.to_list(), file, f"{place}.categories")]
    if kind in ("Datetime", "Duration"):
        zone = [dtype.time_zone] if kind == "Datetime" else []
        return [kind, dtype.time_unit, *zone]  # polars stores a time zone as its name
    if kind == "Decimal":
        return [kind, dtype.precision, dtype.scale]
    if kind == "Categorical" and dtype != type(dtype)():
        return None  # it has its own order or categories
    return kind if kind in OF_POLARS else None


def _polars_dtype(name, options, file, place):
    """Return the dtype with a name, or None if there is no such dtype."""
    polars = import_polars("load", PURPOSE)
    if name in OF_POLARS and not options:
        return getattr(polars, name)()
    if name == "Enum" and len(options) == 1:
        return polars.Enum(Levels().read(options[0], file, f"{place}.categories"))
    if name == "Datetime" and len(options) == 2 and options[0] in UNITS[1:]:
        if options[1] is not None and not is_zone(options[1]):
            return None
        return polars.Datetime(*options)
    if name == "Duration" and len(options) == 1 and options[0] in UNITS[1:]:
        return polars.Duration(*options)
    if name == "Decimal" and len(options) == 2 and _are_digits(*options):
        return polars.Decimal(*options)
    return None


def _are_digits(precision, scale):
    """Return whether these are valid numbers of digits of a Decimal, in all and after the point."""
    if type(scale) is not int or not (precision is None or type(precision) is int):
        return False
    return 0 <= scale <= (precision or MOST_DIGITS) <= MOST_DIGITS
