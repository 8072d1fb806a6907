"""Tables of pyarrow, and frames of pandas with its dtypes, are those that hold the same."""

import re
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skvae import AutoencoderOutlierDetector, VAEImputer, VAETransformer
from skvae.tabular import TableEncoder, TableTransformer

pa = pytest.importorskip("pyarrow", reason="tables of pyarrow need it")

N = 40
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
RNG = np.random.RandomState(0)
DAY = datetime(2020, 1, 1)
HOURS = [DAY + timedelta(hours=7 * row) for row in range(N)]
# Values, their type in pyarrow, and the dtype of pandas that holds the same.
COLUMNS = {
    "numbers": (RNG.normal(size=N).tolist(), pa.float64(), "float64"),
    "float32": (list(range(N)), pa.float32(), "float32"),
    "integers": ([2**53 + row for row in range(N)], pa.int64(), "Int64"),
    "bytes": (list(range(N)), pa.uint8(), "UInt8"),
    "beyond int64": ([2**63 + row for row in range(N)], pa.uint64(), "UInt64"),
    "flags": ([row % 3 == 0 for row in range(N)], pa.bool_(), "boolean"),
    "text": ([f"level {row % 3}" for row in range(N)], pa.string(), object),
    "days": ([when.date() for when in HOURS], pa.date32(), object),
    "times": (HOURS, pa.timestamp("us"), "datetime64[us]"),
    "zones": (
        [when.replace(tzinfo=UTC) for when in HOURS],
        pa.timestamp("ms", "Europe/Berlin"),
        "datetime64[ms, Europe/Berlin]",
    ),
    "durations": ([when - DAY for when in HOURS], pa.duration("s"), "timedelta64[s]"),
}


def table_of(values, kind):
    return pa.table({"a": pa.array(RNG.normal(size=N)), "b": pa.array(values, type=kind)})


def in_pandas(table, **options):
    return table.to_pandas(types_mapper=pd.ArrowDtype, **options)


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("name", COLUMNS)
def test_an_encoder_reads_the_same_and_writes_what_it_read(name, holes):
    values, kind, dtype = COLUMNS[name]
    values = [None if holes and row % 5 == 0 else one for row, one in enumerate(values)]
    table = table_of(values, kind)
    frame = in_pandas(table)
    fitted = TableEncoder().fit(table)
    codes = fitted.transform(table)
    plain = frame.astype({"a": "float64"}).assign(b=pd.Series(values, dtype=dtype))
    np.testing.assert_array_equal(codes, TableEncoder().fit_transform(plain))
    np.testing.assert_array_equal(codes, TableEncoder().fit_transform(frame))
    np.testing.assert_array_equal(codes, fitted.transform(plain))
    back = fitted.inverse_transform(codes)
    pd.testing.assert_frame_equal(back, frame)
    if name not in ("numbers", "float32"):  # which come back but for rounding
        assert back["b"].equals(frame["b"])


@pytest.mark.parametrize(
    "estimator",
    [
        VAETransformer(2, **SMALL),
        VAEImputer(VAETransformer(2, missing="mask", **SMALL)),
        TableTransformer(VAETransformer(2, **SMALL)),
        AutoencoderOutlierDetector(VAETransformer(2, **SMALL), random_state=0),
        AutoencoderOutlierDetector(TableTransformer(VAETransformer(2, **SMALL)), random_state=0),
    ],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("kind", ["Table", "RecordBatch"])
def test_every_estimator_takes_a_table(estimator, kind):
    frame = pd.DataFrame(RNG.normal(size=(N, 3)), columns=["a", "b", "c"])
    table = getattr(pa, kind).from_pandas(frame, preserve_index=False)
    fitted, expected = (clone(estimator).fit(rows) for rows in (table, frame))
    for method in ("transform", "score_samples", "predict", "p_value"):
        if hasattr(expected, method):
            answer = getattr(expected, method)(frame)
            np.testing.assert_array_equal(getattr(fitted, method)(table), answer)
            np.testing.assert_array_equal(getattr(expected, method)(table), answer)
            np.testing.assert_array_equal(getattr(fitted, method)(frame), answer)
    if hasattr(expected, "explain"):
        found, table_of_it = (
            one.explain(rows) for one, rows in ((fitted, table), (expected, frame))
        )
        np.testing.assert_array_equal(found["contribution"], table_of_it["contribution"])


@pytest.mark.parametrize("name", ["days", "times", "zones", "durations", "text"])
def test_what_is_no_number_is_refused_by_name(name):
    values, kind, _ = COLUMNS[name]
    table = table_of(values, kind)
    frame = in_pandas(table)
    sentence = (
        f"X must be rows of numbers. Got a column 'b' of {frame['b'].dtype} instead. Encode it, as "
        f"a TableTransformer does, or a TableEncoder in a Pipeline."
    )
    for rows in (table, frame):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            VAETransformer(2, **SMALL).fit(rows)


def test_a_detector_reads_dates_of_a_table():
    days = [date(2020, 1, 1) + timedelta(days=row) for row in range(N)]
    for values, kind in ((days, pa.date32()), (HOURS, pa.timestamp("us", "UTC"))):
        table = table_of(values, kind)
        detector = AutoencoderOutlierDetector(
            TableTransformer(VAETransformer(2, **SMALL)), random_state=0
        ).fit(table)
        np.testing.assert_array_equal(detector.p_value(table), detector.p_value(in_pandas(table)))
        assert len(detector.explain(table)) == 2 * N
