"""Times of zones, durations and periods in files: as dtypes, as levels, as usual values."""

import datetime
import re
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from saved_files import assert_same_detector, kept

import skvae
from skvae import AutoencoderOutlierDetector, SavingError, VAETransformer
from skvae.files.context import Reading, Writing
from skvae.files.values import read_value, write_value
from skvae.saving.values import KINDS
from skvae.tabular import TableEncoder, TableTransformer

N = 24
SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 1, "random_state": 0}
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
ROME, SECONDS = ZoneInfo("Europe/Rome"), datetime.timezone(datetime.timedelta(seconds=7205))
NOON = datetime.datetime(2020, 10, 25, 2, 30, 0, 7)
CELLS = [
    NOON.replace(tzinfo=EAST),
    NOON.replace(tzinfo=datetime.UTC),
    NOON.replace(tzinfo=ROME),
    NOON.replace(tzinfo=ROME, fold=1),
    NOON.replace(tzinfo=SECONDS),
    datetime.time(12, 30, tzinfo=EAST),
    datetime.time(12, 30, tzinfo=ROME, fold=1),
    datetime.timedelta(-3, 5, 7),
    pd.Timestamp("2020-02-03 04:05:06.000000007"),
    pd.Timestamp("2020-02-03 04:05", tz="UTC"),
    pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Rome"),
    pd.Timestamp("2020-10-25 00:30", tz="UTC").tz_convert("Europe/Rome").as_unit("s"),
    pd.Timestamp("2020-02-03", tz=EAST).as_unit("ms"),
    pd.Timedelta(-7, "ns"),
    pd.Timedelta(3, "h").as_unit("s"),
    *[pd.Period("2020-02-03", length) for length in ("M", "W-SUN", "Q-MAR", "D", "2h", "ns")],
    Decimal("1.250"),
    Decimal("-1E+40"),
]


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_a_cell_is_the_same_when_read(cell):
    file = Writing(KINDS)
    node = write_value([cell], file, "cell")
    (read,) = read_value(node, Reading(KINDS, file.arrays), "cell")
    assert type(read) is type(cell)
    assert read == cell
    assert str(read) == str(cell)
    for name in ("unit", "freq", "fold"):
        assert getattr(read, name, None) == getattr(cell, name, None)
    zones = [getattr(one, "tzinfo", None) for one in (read, cell)]
    assert str(zones[0]) == str(zones[1])


def hours(zone):
    return pd.Series(pd.date_range("2020-03-28", periods=N, freq="h", tz=zone))


def categories(levels):
    levels = [*levels]
    return pd.Series(pd.Categorical(levels * (N // len(levels)), levels, ordered=True))


def objects(make):
    return pd.Series([make(row % 3) for row in range(N)], dtype=object)


COLUMNS = {
    "a zone": hours("Europe/Rome"),
    "an offset": hours(EAST),
    "durations": pd.Series(pd.to_timedelta(np.arange(N) ** 2, unit="min")),
    "months": pd.Series(pd.period_range("2020-01", periods=N, freq="M")),
    "hours": pd.Series(pd.period_range("2020", periods=N, freq="2h")).where(np.arange(N) % 3 > 0),
    "categories of durations": categories(pd.to_timedelta([1, 2, 3], unit="h")),
    "categories of periods": categories(pd.period_range("2020", periods=3, freq="Q-MAR")),
    "objects of a zone": hours("Europe/Rome").astype(object),
    "Python's of a zone": objects(lambda n: NOON.replace(tzinfo=EAST, hour=n)),
    "Python's durations": objects(datetime.timedelta),
    "objects of durations": objects(lambda n: pd.Timedelta(n, "h")),
    "objects of periods": objects(lambda n: pd.Period("2020", "M") + n),
}
OF_POLARS = {
    "zone": pl.Series(
        [NOON.replace(tzinfo=ROME) + datetime.timedelta(row) for row in range(N)],
        dtype=pl.Datetime("us", "Europe/Rome"),
    ),
    "duration": [datetime.timedelta(row) for row in range(N)],
    "decimal": [Decimal(row) / 4 for row in range(N)],
    "day": [datetime.date(2020, 1, 1 + row) for row in range(N)],
    "clock": [datetime.time(row) for row in range(N)],
}


@pytest.mark.parametrize("name", [*COLUMNS, "categories of a zone"])
def test_an_encoder_of_times_is_the_same_when_loaded(name, tmp_path):
    zones = categories(pd.date_range("2020", periods=3, tz="Europe/Rome"))
    frame = COLUMNS.get(name, zones).to_frame("when")
    fitted = TableEncoder().fit(frame)
    loaded = kept(fitted, tmp_path)
    codes = fitted.transform(frame)
    np.testing.assert_array_equal(loaded.transform(frame), codes)
    pd.testing.assert_frame_equal(loaded.inverse_transform(codes), frame)
    assert [*loaded.get_feature_names_out()] == [*fitted.get_feature_names_out()]


@pytest.mark.parametrize(
    "frame", [pd.DataFrame(COLUMNS), pl.DataFrame(OF_POLARS)], ids=["pandas", "polars"]
)
def test_a_detector_of_times_is_the_same_when_loaded(frame, tmp_path):
    table = TableTransformer(VAETransformer(1, **SMALL))
    fitted = AutoencoderOutlierDetector(table, n_refits=0, n_estimators=3, random_state=0).fit(
        frame
    )
    loaded = kept(fitted, tmp_path)
    assert_same_detector(loaded, fitted, frame)
    assert [*map(type, loaded._ranges_.typical)] == [*map(type, fitted._ranges_.typical)]


# ------------------------------------------------------------------ what is refused


def no_place_for(column):
    return (
        f"A file keeps columns of numbers, booleans, text, categories, dates, times, durations and "
        f"periods. Got {column} instead. Convert the column before the fit, or leave it out."
    )


OTHERS = {
    "intervals": (
        pd.Series(pd.interval_range(0, N)),
        "column 'a' of interval[int64, right] with levels of Interval",
    ),
    "zones without a name": (
        hours(datetime.timezone(datetime.timedelta(hours=2), "Narnia")),
        "column 'a' of datetime64[{unit}, Narnia]",
    ),
    "objects of ids": (
        pd.Series([uuid.UUID(int=row % 3) for row in range(N)], dtype=object),
        "column 'a' of object with levels of UUID",
    ),
    "objects of bytes": (
        pd.Series([b"a", "b"] * (N // 2), dtype=object),
        "column 'a' of object with levels of bytes, str",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_column_without_a_place_in_a_file_is_refused_by_its_name(name, tmp_path):
    column, got = OTHERS[name]
    fitted = TableEncoder().fit(pd.DataFrame({"b": np.arange(N), "a": column}))
    sentence = no_place_for(got.format(unit=getattr(column.dtype, "unit", "")))
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(fitted, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_detector_says_which_column_has_no_place_in_a_file(tmp_path):
    frame = pd.DataFrame({"b": np.arange(N), "a": [uuid.UUID(int=row % 3) for row in range(N)]})
    table = TableTransformer(VAETransformer(1, **SMALL))
    fitted = AutoencoderOutlierDetector(table, n_refits=0, n_estimators=3, random_state=0).fit(
        frame
    )
    sentence = no_place_for(f"column 'a' with {uuid.UUID(int=0)!r}")
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(fitted, tmp_path / "none")


NODES = [
    {"date": ["datetime", "2020-01-01T00:00:00", "dateutil//etc/passwd", 0]},
    {"date": ["datetime", "2020-01-01T00:00:00", "Europe/Nowhere", 0]},
    {"date": ["datetime", "2020-01-01T00:00:00", 10**6, 0]},
    {"date": ["datetime", "2020-01-01T00:00:00", 2**62, 0]},
    {"date": ["datetime", "2020-01-01T00:00:00", 0, 2]},
    {"date": ["date", "2020-01-01", 0, 0]},
    {"timedelta": [10**12, 0, 0]},
    {"timedelta": [1, 2]},
    {"timestamp": [0, "ns", "dateutil//etc/passwd"]},
    {"timestamp": [0, "ns", "Europe/Nowhere"]},
    {"timestamp": [0, "ns", "America"]},
    {"timestamp": [0, "h"]},
    {"duration": [0, "ns", "UTC"]},
    {"duration": [2**70, "ns"]},
    {"period": [0, "os.system"]},
    {"period": [0, "Q-XXX"]},
    {"period": [2**70, "M"]},
    {"decimal": "one"},
    {"decimal": 1.5},
]


@pytest.mark.parametrize("node", NODES, ids=str)
def test_cells_that_are_none_are_refused(node):
    with pytest.raises(SavingError, match=r"^The file must hold .* as cell\. Got"):
        read_value(node, Reading(KINDS, {}), "cell")


# ------------------------------------------------------------------ periods as dates


def test_periods_are_dates_in_order_and_come_back_exactly():
    months = pd.Series(pd.period_range("1990-01", periods=400, freq="M"))
    encoder = TableEncoder().fit(months.to_frame("month"))
    assert encoder.likelihoods_ == [("gaussian", [0])]
    codes = encoder.transform(months.to_frame("month"))
    assert (np.diff(codes[:, 0]) > 0).all()
    between = encoder.inverse_transform((codes[1:] + codes[:-1]) / 2)["month"]
    assert between.between(months[:-1], months[1:].array).all()
    far = encoder.inverse_transform(np.array([[-1e9], [1e9]]))["month"]
    assert far.tolist() == [pd.Period("0001-01", "M"), pd.Period("9999-12", "M")]


def test_periods_of_another_length_are_refused():
    encoder = TableEncoder().fit(COLUMNS["months"].to_frame("month"))
    days = pd.Series(pd.period_range("2020-01-01", periods=N, freq="D")).to_frame("month")
    sentence = (
        "Column 'month' had dtype period[M] when TableEncoder was fitted. Got period[D] instead. "
        "Convert the column to period[M]."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        encoder.transform(days)
