"""Encoders, tables and detectors of frames with pyarrow's dtypes in files."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from saved_files import assert_same_detector, kept, must_hold, resealed

import skvae
from skvae import AutoencoderOutlierDetector, SavingError, VAETransformer
from skvae.tabular import TableEncoder, TableTransformer

pa = pytest.importorskip("pyarrow", reason="its dtypes need pyarrow")

N = 24
SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 1, "random_state": 0}
ROWS = range(N)
HOURS = [datetime(2020, 1, 1) + timedelta(hours=7 * row) for row in ROWS]
LEVELS = [f"level {row % 3}" for row in ROWS]
COLUMNS = {
    "integers": ([*ROWS], pa.int32()),
    "unsigned": ([*ROWS], pa.uint64()),
    "half": ([row / 4 for row in ROWS], pa.float16()),
    "single": ([row / 4 for row in ROWS], pa.float32()),
    "double": ([row / 4 for row in ROWS], pa.float64()),
    "flags": ([row % 3 == 0 for row in ROWS], pa.bool_()),
    "text": (LEVELS, pa.string()),
    "long text": (LEVELS, pa.large_string()),
    "dictionary": (LEVELS, pa.dictionary(pa.int32(), pa.string())),
    "nothing": ([None] * N, pa.null()),
    "days": ([when.date() for when in HOURS], pa.date32()),
    "days of 64 bits": ([when.date() for when in HOURS], pa.date64()),
    "times": (HOURS, pa.timestamp("us")),
    "zone": ([when.replace(tzinfo=UTC) for when in HOURS], pa.timestamp("ms", "Europe/Rome")),
    "offset": ([when.replace(tzinfo=UTC) for when in HOURS], pa.timestamp("ns", "+02:00")),
    "durations": ([when - HOURS[0] for when in HOURS], pa.duration("s")),
    "clock": ([time(row) for row in ROWS], pa.time32("s")),
    "long clock": ([time(row) for row in ROWS], pa.time64("us")),
    "decimals": ([Decimal(row % 5) / 4 for row in ROWS], pa.decimal128(9, 2)),
    "long decimals": ([Decimal(row % 5) / 4 for row in ROWS], pa.decimal256(40, 2)),
}


def frame_of(values, kind, holes=False):
    values = [None if holes and row % 5 == 0 else one for row, one in enumerate(values)]
    table = pa.table({"a": pa.array(values, type=kind)})
    return table.to_pandas(types_mapper=pd.ArrowDtype)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_an_encoder_is_the_same_when_loaded(name, holes, tmp_path):
    frame = frame_of(*COLUMNS[name], holes)
    fitted = TableEncoder().fit(frame)
    loaded = kept(fitted, tmp_path)
    codes = fitted.transform(frame)
    np.testing.assert_array_equal(loaded.transform(frame), codes)
    back = loaded.inverse_transform(codes)
    pd.testing.assert_frame_equal(back, fitted.inverse_transform(codes))
    assert back.dtypes.equals(frame.dtypes)


def test_categories_and_names_of_arrow_are_kept(tmp_path):
    for levels in (LEVELS, [*ROWS]):
        kind = pa.string() if levels is LEVELS else pa.int32()
        frame = frame_of(levels, kind).astype("category")
        frame.columns = frame.columns.astype(pd.ArrowDtype(pa.string()))
        fitted = TableEncoder().fit(frame)
        loaded = kept(fitted, tmp_path)
        codes = fitted.transform(frame)
        pd.testing.assert_frame_equal(loaded.inverse_transform(codes), frame)


def test_a_detector_is_the_same_when_loaded(tmp_path):
    kinds = ("integers", "flags", "text", "days", "times", "zone", "durations", "clock", "decimals")
    frame = pd.concat([frame_of(*COLUMNS[kind]).set_axis([kind], axis=1) for kind in kinds], axis=1)
    table = TableTransformer(VAETransformer(1, **SMALL))
    fitted = AutoencoderOutlierDetector(table, n_refits=0, n_estimators=3, random_state=0).fit(
        frame
    )
    loaded = kept(fitted, tmp_path)
    assert_same_detector(loaded, fitted, frame)


def test_a_column_without_a_place_in_a_file_is_refused_by_its_name(tmp_path):
    fitted = TableEncoder().fit(frame_of([b"a", b"b"] * 12, pa.binary()))
    sentence = (
        "A file keeps columns of numbers, booleans, text, categories, dates, times, durations and "
        "periods. Got column 'a' of binary[pyarrow] with levels of bytes instead. Convert the "
        "column before the fit, or leave it out."
    )
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(fitted, tmp_path / "none")


@pytest.mark.parametrize(
    "spelled",
    [
        ["arrow"],
        ["arrow", "os.system"],
        ["arrow", "double", 3],
        ["arrow", "timestamp", "h", None],
        ["arrow", "timestamp", "ns", "dateutil//etc/passwd"],
        ["arrow", "duration", "D"],
        ["arrow", "decimal128", 99, 2],
        ["arrow", "decimal128", 9, 10],
        ["arrow", "decimal128", True, 0],
        ["arrow", "dictionary", "int32", "os", False],
        ["arrow", "dictionary", "int32", ["dictionary"], False],
    ],
    ids=str,
)
def test_types_that_are_none_are_refused(spelled, tmp_path):
    skvae.save(TableEncoder().fit(frame_of(*COLUMNS["single"])), tmp_path / "file")

    def change(document, arrays):
        document["estimator"]["fitted"]["_columns_"][0]["form"][1] = spelled

    resealed(tmp_path / "file", change)
    place = "estimator._columns_[0].form.dtype"
    sentence = must_hold("a dtype of pandas", place, f"{spelled}")
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.load(tmp_path / "file")


def test_the_first_and_the_last_day_come_back_from_a_file(tmp_path):
    frame = frame_of([date(1, 1, 1), date(9999, 12, 31)], pa.date32())
    fitted = TableEncoder().fit(frame)
    pd.testing.assert_frame_equal(
        kept(fitted, tmp_path).inverse_transform(fitted.transform(frame)), frame
    )
