"""Encoders of tables in files: of every dtype the same table comes back, and only such is read."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn_frames import PANDAS, POLARS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saved_files import kept, must_hold, resealed
from sklearn.pipeline import make_pipeline

import skvae
from skvae import AutoencoderOutlierDetector, SavingError, VAETransformer
from skvae.tabular import TableEncoder, sample_frame
from skvae.tabular.monotone import MAPS

SMALL = {"hidden_layer_sizes": (6,), "max_epochs": 2, "random_state": 0}
FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def assert_same_encoder(loaded, fitted, frame):
    codes = fitted.transform(frame)
    np.testing.assert_array_equal(loaded.transform(frame), codes)
    found, expected = (encoder.inverse_transform(codes) for encoder in (loaded, fitted))
    if isinstance(frame, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
    elif isinstance(frame, pl.DataFrame):
        assert found.equals(expected)
        assert found.schema == expected.schema
    else:
        np.testing.assert_array_equal(found, expected)
    assert vars(loaded).keys() == vars(fitted).keys()
    for name in ("likelihoods_", "maps_", "rare_levels_", "spikes_"):
        assert repr(getattr(loaded, name)) == repr(getattr(fitted, name))
    assert [*loaded.get_feature_names_out()] == [*fitted.get_feature_names_out()]


@pytest.mark.parametrize("dtype", PANDAS)
@FEW
@given(data=st.data(), numeric=st.sampled_from(["auto", *MAPS]))
def test_an_encoder_of_pandas_is_the_same_when_loaded(dtype, data, numeric, tmp_path):
    frame = PANDAS[dtype](data.draw).to_frame("größe")
    fitted = TableEncoder(numeric=numeric).fit(frame)
    assert_same_encoder(kept(fitted, tmp_path), fitted, frame)


@pytest.mark.parametrize("dtype", POLARS)
@FEW
@given(data=st.data(), numeric=st.sampled_from(["auto", *MAPS]))
def test_an_encoder_of_polars_is_the_same_when_loaded(dtype, data, numeric, tmp_path):
    frame = POLARS[dtype](data.draw).alias("größe").to_frame()
    fitted = TableEncoder(numeric=numeric).fit(frame)
    assert_same_encoder(kept(fitted, tmp_path), fitted, frame)


@pytest.mark.parametrize("missing", ["indicator", "keep"])
@pytest.mark.parametrize("dtype", ["float64", "Float32", "uint64", "datetime64[ns, zone]"])
def test_an_encoder_of_values_that_repeat_is_the_same_when_loaded(dtype, missing, tmp_path):
    places = np.concatenate((np.zeros(20, dtype=int), np.arange(8)))
    values = np.arange(8) + 2**60 + 1 if dtype == "uint64" else np.arange(8)
    if dtype.startswith("datetime"):
        values = pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta(values, "D")
    column = pd.Series(values)[places].reset_index(drop=True)
    frame = pd.DataFrame({"a": column.astype(dtype) if "zone" not in dtype else column, "b": 7})
    fitted = TableEncoder(missing=missing, spike_share=0.5).fit(frame)
    assert len(fitted.spikes_["a"]) == 1
    assert_same_encoder(kept(fitted, tmp_path), fitted, frame)


@pytest.mark.parametrize("spikes", [[], [0, 0], [0.5], [300], [-1], ["0"], 0])
def test_common_values_that_a_column_cannot_hold_are_refused(spikes, tmp_path):
    path = tmp_path / "changed"
    frame = pd.DataFrame({"a": np.array([0] * 20 + [1, 2, 3], dtype="uint8")})
    skvae.save(TableEncoder(spike_share=0.5).fit(frame), path)
    resealed(path, column(0, key("spikes", spikes)))
    with pytest.raises(SavingError, match=r"^The file must hold .*spikes"):
        skvae.load(path)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "uint64", "bool"])
def test_an_encoder_of_an_array_is_the_same_when_loaded(dtype, tmp_path):
    X = np.random.default_rng(0).integers(0, 2, (9, 3)).astype(dtype)
    fitted = TableEncoder().fit(X)
    assert_same_encoder(kept(fitted, tmp_path), fitted, X)


@pytest.mark.parametrize(
    "columns",
    [
        pd.RangeIndex(2),
        pd.Index(["a", "b"], name="of"),
        pd.DatetimeIndex(["2020-01-01", "2020-02-02"]),
    ],
)
def test_the_names_of_columns_are_kept(columns, tmp_path):
    frame = pd.DataFrame([[1.0, 2.0], [2.0, 5.0]])
    frame.columns = columns
    fitted = TableEncoder().fit(frame)
    loaded = kept(fitted, tmp_path)
    assert_same_encoder(loaded, fitted, frame)
    assert loaded.inverse_transform(fitted.transform(frame)).columns.name == columns.name


def mixed(library):
    rng = np.random.default_rng(0)
    return library.DataFrame(
        {
            "income": np.exp(2 * rng.normal(size=90)),
            "job": rng.choice(["nurse", "smith", "judge"], 90, p=[0.6, 0.35, 0.05]).tolist(),
            "member": rng.random(90) < 0.5,
            "since": pd.date_range("2020-01-01", periods=90).to_pydatetime().tolist(),
            "children": rng.integers(0, 4, 90),
        }
    )


@pytest.mark.parametrize("library", [pd, pl])
def test_a_pipeline_of_a_table_is_the_same_when_loaded(library, tmp_path):
    frame = mixed(library)
    encoder = TableEncoder(min_frequency=0.1).set_output(transform=library.__name__)
    likelihood = TableEncoder(min_frequency=0.1).fit(frame).likelihoods_
    fitted = make_pipeline(encoder, VAETransformer(2, likelihood=likelihood, **SMALL)).fit(frame)
    loaded = kept(fitted, tmp_path)
    np.testing.assert_array_equal(loaded.transform(frame), fitted.transform(frame))
    np.testing.assert_array_equal(loaded.score_samples(frame), fitted.score_samples(frame))
    rows = [
        sample_frame(pipe, 5, random_state=0, observation_noise=True) for pipe in (loaded, fitted)
    ]
    assert rows[0].equals(rows[1])
    assert fitted[0].rare_levels_ == loaded[0].rare_levels_ == {"job": ["judge"]}


def test_a_detector_of_a_table_is_the_same_when_loaded(tmp_path):
    frame = mixed(pd)
    pipe = make_pipeline(TableEncoder(), VAETransformer(2, **SMALL))
    fitted = AutoencoderOutlierDetector(pipe, random_state=0).fit(frame)
    loaded = kept(fitted, tmp_path)
    np.testing.assert_array_equal(loaded.p_value(frame), fitted.p_value(frame))
    pd.testing.assert_frame_equal(
        loaded.explain(frame[:3]).to_frame(), fitted.explain(frame[:3]).to_frame()
    )


# ------------------------------------------------------------------ what is refused


def test_names_of_several_levels_are_refused(tmp_path):
    frame = pd.DataFrame([[1.0], [2.0]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
    sentence = (
        "A file keeps tables whose columns have one name each. Got 2 levels of names as "
        "estimator._frame_names_ instead. Join them before the fit."
    )
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.save(TableEncoder().fit(frame), tmp_path / "none")


def original():
    frame = pd.DataFrame(
        {
            "size": np.exp(np.linspace(0, 20, 30)),
            "kind": ["a", "b", "c"] * 10,
            "flag": [True, False, True] * 10,
            "count": np.arange(30),
            "when": pd.date_range("2020-01-01", periods=30, tz="Europe/Berlin"),
        }
    )
    return TableEncoder(numeric="normal-scores").fit(frame)


def column(place, change):
    """Return an edit of one column."""

    def edit(document, arrays):
        change(document["estimator"]["fitted"]["_columns_"][place])

    return edit


def key(name, value):
    return lambda node: node.update({name: value})


def dtype(value):
    def change(node):
        node["form"][1] = value

    return change


def swapped_knots(document, arrays):
    name = f"{AT}[0].map.knots"
    arrays[name] = arrays[name][::-1].copy()


def same_levels(document, arrays):
    name = f"{AT}[1].levels.utf8"
    arrays[name] = np.frombuffer(b"aac", dtype=np.uint8)


def lists_as_levels(document, arrays):
    document["estimator"]["fitted"]["_columns_"][1]["levels"] = [[1], [2]]
    del arrays[f"{AT}[1].levels.utf8"], arrays[f"{AT}[1].levels.lengths"]


def fewer_columns(document, arrays):
    document["estimator"]["fitted"]["_columns_"].pop(2)


AT = "estimator._columns_"
PANDAS_DTYPE = "a dtype of pandas"
KNOWN = "a dtype that is known here"
FIRST = f"{AT}[0]"
KINDS = "one of 'real', 'whole', 'date', 'naive', 'aware', 'duration', 'clock', 'period'"
ZONE, NOWHERE = ["datetime", "ns", "dateutil//etc/passwd"], ["datetime", "ns", "Europe/Nowhere"]
LENGTH = "['period', 'os.system']"
OTHERS = ["R", "<f8", None, None]
REFUSED = [
    (column(0, dtype("os.system")), PANDAS_DTYPE, f"{FIRST}.form.dtype", "os.system"),
    (column(0, dtype("V99999999")), PANDAS_DTYPE, f"{FIRST}.form.dtype", "V99999999"),
    (column(0, dtype("f8,f8")), PANDAS_DTYPE, f"{FIRST}.form.dtype", "f8,f8"),
    (column(0, dtype("f16")), PANDAS_DTYPE, f"{FIRST}.form.dtype", "f16"),
    (column(0, dtype("i3")), KNOWN, f"{FIRST}.form.dtype", "i3"),
    (column(0, dtype(7)), "the name of a dtype", f"{FIRST}.form.dtype", "7"),
    (column(4, dtype(ZONE)), PANDAS_DTYPE, f"{AT}[4].form.dtype", f"{ZONE}"),
    (column(4, dtype(NOWHERE)), KNOWN, f"{AT}[4].form.dtype", f"{NOWHERE}"),
    (column(4, dtype(["period", "os.system"])), PANDAS_DTYPE, f"{AT}[4].form.dtype", LENGTH),
    (column(4, dtype(["period", "Q-XXX"])), KNOWN, f"{AT}[4].form.dtype", "['period', 'Q-XXX']"),
    (
        column(0, key("form", ["numpy", "<f8", None, None])),
        "columns of pandas",
        "estimator",
        "numpy, pandas",
    ),
    (
        column(0, key("form", OTHERS)),
        "a library, a dtype, objects and a missing value",
        f"{FIRST}.form",
        f"{OTHERS}",
    ),
    (
        column(0, key("form", ["pandas", "<f8", None, 3])),
        "a missing value",
        f"{FIRST}.form.marker",
        "3",
    ),
    (column(0, key("kind", "whole")), "a scale of numbers", f"{FIRST}.scale", "RealScale"),
    (
        column(0, key("kind", "levels")),
        "some of kind, form, levels, rare, n_frequent, keep, indicator",
        FIRST,
        "tick",
    ),
    (column(0, key("kind", ["real"])), KINDS, f"{FIRST}.kind", "['real']"),
    (
        column(0, key("scale", {"unit": 0.0, "starts_at_zero": False})),
        "a finite number of at least 5e-324",
        f"{FIRST}.scale.unit",
        "0.0",
    ),
    (column(0, key("tick", 0)), "an integer of at least 1", f"{FIRST}.tick", "0"),
    (column(0, key("keep", 1)), "true or false", f"{FIRST}.keep", "1"),
    (
        column(0, key("map", ["exec", {}])),
        "one of standard, asinh, normal-scores",
        f"{FIRST}.map",
        "['exec', {}]",
    ),
    (swapped_knots, "knots and scores in order", f"{FIRST}.map", "others"),
    (same_levels, "levels that differ", f"{AT}[1]", "two that are one, or a missing one"),
    (column(2, key("mean", 2.0)), "a finite number of at least 0.0", f"{AT}[2].mean", "2.0"),
    (
        column(3, dtype("<f8")),
        "a dtype that holds numbers",
        f"{AT}[3].form",
        "from it: Invalid integer data type 'f'.",
    ),
    (fewer_columns, "n_columns=5 as elsewhere", AT, "4"),
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder") / "encoder"
    skvae.save(original(), path)
    return path.read_bytes()


@pytest.mark.parametrize(("edit", "expected", "place", "got"), REFUSED, ids=range(len(REFUSED)))
def test_an_encoder_that_does_not_fit_together_is_refused(
    edit, expected, place, got, encoder, tmp_path
):
    path = tmp_path / "changed"
    path.write_bytes(encoder)
    resealed(path, edit)
    with pytest.raises(SavingError, match=f"^{re.escape(must_hold(expected, place, got))}$"):
        skvae.load(path)


def test_levels_that_cannot_be_compared_and_dtypes_that_hold_other_values_are_refused(
    encoder, tmp_path
):
    path = tmp_path / "changed"
    for edit, expected in (
        (lists_as_levels, "levels"),
        (column(1, dtype("<f8")), "columns that hold their dtypes' values"),
    ):
        path.write_bytes(encoder)
        resealed(path, edit)
        with pytest.raises(SavingError, match=f"^The file must hold {expected} as estimator"):
            skvae.load(path)
