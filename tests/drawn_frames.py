"""Tables of every dtype, drawn by hypothesis."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st

WIDTHS = [np.iinfo(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32)]
WHOLE = {str(bounds.dtype): (bounds.min, bounds.max) for bounds in WIDTHS}
# Of 64 bits those are exact that spread over less than this.
WHOLE |= {"int64": (-(10**10), 10**10), "uint64": (2**64 - 10**10, 2**64 - 1)}
TEXTS = st.text("ab_1é ", max_size=3)
REALS = st.floats(allow_nan=False, allow_infinity=False, width=64)
SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32)
DAYS = st.dates()
SPANS = {"s": 10**10, "ms": 10**11, "us": 10**11, "ns": 10**11}  # units that are all exact


def _titled(name):
    """Return the name of the nullable dtype of pandas, and of the one of polars."""
    return name.replace("i", "I", 1).replace("u", "U")


def holes(values):
    """Return lists in which some values are None, one of them at least."""
    return st.lists(st.none() | values, min_size=1, max_size=12)


def lists(values):
    return st.lists(values, min_size=1, max_size=12)


def _series(strategy, dtype):
    return lambda draw: pd.Series(draw(strategy), dtype=dtype)


def _times(unit, zone=None):
    first = int(np.datetime64("2021-06-01", unit).astype("int64"))
    values = holes(st.integers(first, first + SPANS[unit]))

    def column(draw):
        ticks = [
            np.datetime64("NaT") if t is None else np.datetime64(t, unit) for t in draw(values)
        ]
        times = pd.Series(np.array(ticks, dtype=f"M8[{unit}]"))
        return times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)

    return column


def _durations(unit):
    values = holes(st.integers(-SPANS[unit], SPANS[unit]))

    def column(draw):
        ticks = [np.timedelta64("NaT" if t is None else t, unit) for t in draw(values)]
        return pd.Series(np.array(ticks, dtype=f"m8[{unit}]"))

    return column


def _category(draw):
    levels = draw(
        st.lists(
            draw(st.sampled_from([TEXTS, st.integers(), DAYS])), min_size=1, max_size=5, unique=True
        )
    )
    values = draw(holes(st.sampled_from(levels)))
    return pd.Series(pd.Categorical(values, levels, ordered=draw(st.booleans())))


def _objects(strategy):
    def column(draw):
        marker = draw(st.sampled_from([None, np.nan, pd.NA]))
        values = [marker if value is None else value for value in draw(holes(strategy))]
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return pd.Series(column, dtype=object)

    return column


PANDAS = {
    **{name: _series(lists(st.integers(*ends)), name) for name, ends in WHOLE.items()},
    **{
        _titled(name): _series(holes(st.integers(*ends)), _titled(name))
        for name, ends in WHOLE.items()
    },
    "float64": _series(holes(REALS), "float64"),
    "float32": _series(holes(SINGLES), "float32"),
    "Float64": _series(holes(REALS), "Float64"),
    "Float32": _series(holes(SINGLES), "Float32"),
    "bool": _series(lists(st.booleans()), "bool"),
    "boolean": _series(holes(st.booleans()), "boolean"),
    "str": _series(holes(TEXTS), "str"),
    "string": _series(holes(TEXTS), "string[python]"),
    "category": _category,
    "sparse": _series(holes(st.sampled_from([0.0, 1.5])), pd.SparseDtype("float64", 0.0)),
    **{
        f"period[{length}]": _series(holes(DAYS), f"period[{length}]")
        for length in ("Y-DEC", "Q-MAR", "M", "W-WED", "D")
    },
    **{f"datetime64[{unit}]": _times(unit) for unit in SPANS},
    **{f"datetime64[{unit}, zone]": _times(unit, "Europe/Berlin") for unit in SPANS},
    **{f"timedelta64[{unit}]": _durations(unit) for unit in SPANS},
    **{
        f"object of {name}": _objects(values)
        for name, values in {
            "text": TEXTS,
            "bool": st.booleans(),
            "Decimal": st.decimals(-(10**5), 10**5, places=2),
            "int": st.integers(-(10**10), 10**10),
            "float": SINGLES,
            "date": DAYS,
            "mixture": st.booleans() | st.integers(0, 2) | TEXTS,
        }.items()
    },
}


def _of_polars(strategy, dtype):
    return lambda draw: pl.Series(draw(strategy), dtype=dtype)


def _moments(unit):
    start = datetime.datetime(2021, 6, 1)
    step = {"ms": 10**3, "us": 1, "ns": 1}[unit]
    return st.integers(0, 10**8).map(lambda k: start + datetime.timedelta(microseconds=step * k))


def _lapses(unit):
    step = {"ms": 10**3, "us": 1, "ns": 1}[unit]
    return st.integers(-(10**8), 10**8).map(lambda k: datetime.timedelta(microseconds=step * k))


POLARS = {
    **{
        name: _of_polars(holes(st.integers(*ends)), getattr(pl, _titled(name)))
        for name, ends in WHOLE.items()
    },
    "Float64": _of_polars(holes(REALS), pl.Float64),
    "Float32": _of_polars(holes(SINGLES), pl.Float32),
    "NaN": _of_polars(lists(SINGLES | st.just(float("nan"))), pl.Float32),
    "Decimal": _of_polars(holes(st.decimals(-(10**5), 10**5, places=2)), pl.Decimal(10, 2)),
    "Boolean": _of_polars(holes(st.booleans()), pl.Boolean),
    "String": _of_polars(holes(TEXTS), pl.String),
    "Categorical": _of_polars(holes(TEXTS), pl.Categorical),
    "Enum": _of_polars(holes(st.sampled_from("cab")), pl.Enum(["c", "a", "b", "d"])),
    "Null": _of_polars(lists(st.none()), pl.Null),
    "Date": _of_polars(holes(DAYS), pl.Date),
    "Time": _of_polars(holes(st.times()), pl.Time),
    **{
        f"Datetime {unit}": _of_polars(holes(_moments(unit)), pl.Datetime(unit))
        for unit in ("ms", "us", "ns")
    },
    **{
        f"Duration {unit}": _of_polars(holes(_lapses(unit)), pl.Duration(unit))
        for unit in ("ms", "us", "ns")
    },
    "Datetime of a zone": lambda draw: pl.Series(
        [
            None if t is None else t.replace(tzinfo=ZoneInfo("Asia/Tokyo"))
            for t in draw(holes(_moments("us")))
        ],
        dtype=pl.Datetime("us", "Asia/Tokyo"),
    ),
}
