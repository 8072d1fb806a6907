"""Tables that nobody means well: what comes out of a model is finite, or a sentence."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sentences import exactly

import skvae
from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAEImputer, VAETransformer
from skvae.outlier.tables import replaced
from skvae.tabular import TableEncoder, TableTransformer

RNG = np.random.default_rng(0)
N = 40
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
LEVELS = RNG.choice(list("xyz"), N)
ZONE = pd.date_range("2020-03-28", periods=N, freq="h", tz="Europe/Berlin")  # over a changed clock


def beside(column, new=None):
    """Return a frame with a column beside two others, and rows with another one there."""
    frame = pd.DataFrame({"a": RNG.normal(size=N), "b": LEVELS, "column": column})
    return frame, frame if new is None else frame.assign(column=new)


def holes(values, dtype):
    return pd.array([None if row % 4 == 0 else value for row, value in enumerate(values)], dtype)


WHOLE = np.arange(N)
FRAMES = {
    "a row": (beside(1.0)[0], beside(1.0)[0][:1]),
    "few rows": (beside(1.0)[0][:6], None),
    "no number": beside(np.nan),
    "no text": beside(None),
    "no category": beside(pd.Categorical([None] * N)),
    "no date": beside(pd.NaT),
    "no integer": beside(pd.array([None] * N, "Int64")),
    "constants": beside("k", "j"),
    "a constant number": beside(3, 4),
    "a level of one row": beside(["rare"] + ["often"] * (N - 1)),
    "a level a row": beside([f"level {row}" for row in range(N)]),
    "flags with holes": beside(holes(WHOLE % 2 == 0, "boolean")),
    "flags and None": beside([True, False, None, True] * (N // 4)),
    "integers with holes": beside(holes(WHOLE, "Int64")),
    "bytes with holes": beside(holes(WHOLE, "UInt8")),
    "float16": beside(RNG.normal(size=N).astype(np.float16)),
    "huge": beside([1e300] + [0.0] * (N - 1)),
    "zones": beside(ZONE, ZONE.tz_convert("UTC")),
    "zones with holes": beside(ZONE.to_series().where(WHOLE % 3 > 0).array),
    "intervals": beside(pd.cut(RNG.normal(size=N), 4)),
    "periods": beside(pd.period_range("2020-01", periods=N, freq="M")),
    "objects of several types": beside([1, "a", None, 2.5] * (N // 4)),
    "bytes": beside([b"x", b"y"] * (N // 2)),
    "text that says nan": beside(["nan", "None"] * (N // 2)),
    "sparse": beside(pd.arrays.SparseArray((WHOLE % 2).astype(float)), 5.0),
    "a new level": beside(LEVELS, "new"),
    "a new category": beside(pd.Categorical(LEVELS), pd.Categorical(["new"] * N)),
    "new holes": beside(LEVELS, None),
    "nothing at all": (beside(1.0)[0], beside(1.0)[0][:2].assign(a=np.nan, b=None, column=np.nan)),
    "numbers as names": (beside(1.0)[0].set_axis([0, 1, 2], axis=1), None),
    "levels of names": (
        beside(1.0)[0].set_axis(pd.MultiIndex.from_product([["a"], [0, 1, 2]]), axis=1),
        None,
    ),
    "times of the day": beside([datetime.time(row % 24) for row in range(N)]),
}
POLARS = pl.DataFrame({"a": RNG.normal(size=N), "b": LEVELS.tolist()})
ENUM = pl.Enum(["x", "y", "z"])
FRAMES |= {
    f"polars, {name}": tuple(POLARS.with_columns(c=pl.Series(values)) for values in pair)
    for name, pair in {
        "nulls": ([None] * N, [None] * N),
        "integers with holes": ([1, None] * (N // 2), [7, None] * (N // 2)),
        "flags with holes": ([True, False, None, None] * (N // 4), [None, True] * (N // 2)),
        "an enumeration": (
            pl.Series(LEVELS.tolist(), dtype=ENUM),
            pl.Series(["new"] * N, dtype=pl.Enum(["new"])),
        ),
    }.items()
}  # fmt: skip


@pytest.fixture(params=FRAMES)
def frames(request):
    fitted, new = FRAMES[request.param]
    return fitted, fitted if new is None else new


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_model_of_a_table_is_finite_and_gives_the_table_back(frames):
    fitted, new = frames
    for missing in (None, "mask") if isinstance(fitted, pd.DataFrame) else ("mask",):
        model = TableTransformer(VAETransformer(2, missing=missing, **SMALL)).fit(fitted)
        assert np.isfinite(model.transform(new)).all()
        assert np.isfinite(model.score_samples(new)).all()
        drawn = model.sample(5, random_state=0)
        assert list(drawn.columns) == list(fitted.columns)
        assert list(map(str, drawn.dtypes)) == list(map(str, fitted.dtypes))
    filled = model.impute(new)
    assert list(filled.columns) == list(new.columns)
    assert len(filled) == len(new)


DETECTED = ["few rows", "no text", "no category", "no date", "constants", "a new category"]
DETECTED += ["zones with holes", "intervals", "sparse", "objects of several types"]
DETECTED += ["nothing at all", "levels of names", "polars, nulls", "polars, an enumeration"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("frames", DETECTED, indirect=True)
def test_a_detector_of_a_table_is_finite_and_explains(frames):
    fitted, new = frames
    model = TableTransformer(VAETransformer(1, missing="mask", **SMALL))
    one = {"n_estimators": 1, "calibration_fraction": 0.3, "n_refits": 0, "random_state": 0}
    detector = AutoencoderOutlierDetector(model, **one).fit(fitted)
    assert np.isfinite(detector.score_samples(new)).all()
    assert len(detector.explain(new[:1], n_features=2)["contribution"]) == 2


@pytest.mark.parametrize("as_frame", [pd.DataFrame, pl.DataFrame])
def test_values_that_a_column_has_no_place_for_make_one(as_frame):
    dtypes = {"pandas": "category", "polars": ENUM}
    library = as_frame.__module__.partition(".")[0]
    series = {"pandas": pd.Series, "polars": pl.Series}[library]
    frame = as_frame({"a": series(["x", "y"], dtype=dtypes[library])})
    changed = replaced(frame, np.array([[True], [False]]), ["new"])
    assert changed["a"].to_list() == ["new", "y"]
    assert frame["a"].to_list() == ["x", "y"]


TWICE = pd.DataFrame(np.zeros((3, 3)), columns=["a", "b", "a"])


@pytest.mark.parametrize(
    "estimator",
    [
        TableEncoder(),
        TableTransformer(),
        VAETransformer(1, likelihood=[("gaussian", [0, 1, 2])]),
        AutoencoderTransformer(1),
        VAEImputer(),
        AutoencoderOutlierDetector(),
        AutoencoderOutlierDetector(TableTransformer()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("is_mixed", [False, True])
def test_a_name_that_stands_twice_is_refused(estimator, is_mixed):
    text = (
        "Every column of X must have a name of its own. Got 'a' 2 times instead. Rename the "
        "columns."
    )
    frame = TWICE.assign(b="x") if is_mixed and "Table" in repr(estimator) else TWICE
    with pytest.raises(ValueError, match=exactly(text)):
        estimator.fit(frame)


@pytest.mark.parametrize("dtype", ["lists", "complex"])
def test_a_detector_says_what_its_encoder_does_not_take(dtype):
    values = [[1.0]] * N if dtype == "lists" else 1j
    frame = beside(1.0)[0].assign(column=pd.Series([values] * N if dtype == "complex" else values))
    detector = AutoencoderOutlierDetector(TableTransformer(VAETransformer(1, **SMALL)))
    with pytest.raises(
        TypeError, match=r"^TableEncoder takes columns of numbers, booleans, text, c"
    ):
        detector.fit(frame)


KINDS = [("poisson", "n"), ("gaussian", "x")]
COUNTS = pd.DataFrame({"n": RNG.poisson(2, N), "x": RNG.normal(size=N)})


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        (
            "poisson",
            -1,
            "The 'poisson' likelihood needs values in [0, inf). Got values in [-1, -1] in column "
            "'n' instead. Use another kind for it, or scale it.",
        ),
        (
            "negative-binomial",
            0.5,
            "Counts must be whole numbers. Got 0.5 in column 'n' instead. Use likelihood "
            "'gaussian' for it.",
        ),
        (
            "categorical",
            0.5,
            "A 'categorical' pair of one column must hold codes, integers of at most 16777216. Got "
            "values such as 0.5 in column 0 instead. Use an OrdinalEncoder, or likelihood "
            "'gaussian' for it.",
        ),
    ],
)
def test_values_of_another_kind_are_refused(kind, values, text):
    vae = VAETransformer(1, likelihood=[(kind, "n"), ("gaussian", "x")], **SMALL)
    with pytest.raises(ValueError, match=exactly(text)):
        vae.fit(COUNTS.assign(n=values))


def test_nullable_columns_are_those_of_floats_with_nan():
    numbers = COUNTS.assign(n=COUNTS["n"].astype(float).where(WHOLE % 4 > 0))
    nullable = COUNTS.assign(n=COUNTS["n"].astype("Int64").where(WHOLE % 4 > 0))
    vae = VAETransformer(1, likelihood=KINDS, missing="mask", **SMALL)
    expected = vae.fit(numbers).score_samples(numbers)
    np.testing.assert_array_equal(vae.fit(nullable).score_samples(nullable), expected)


def test_many_levels_are_as_many_codes():
    frame = pd.DataFrame({"level": [f"{row % 200}" for row in range(400)]})
    with pytest.warns(UserWarning, match="at most max_categories=100 levels. Got 200 in column"):
        model = TableTransformer(VAETransformer(1, missing="mask", **SMALL)).fit(frame)
    assert model.pipeline_[0]._n_features_out == 102  # a hundred, the rare, and those unknown
    assert np.isfinite(model.score_samples(frame)).all()


def test_decimals_are_numbers_and_come_back_with_their_places(tmp_path):
    prices = [Decimal("1.5"), None, Decimal("-20.25"), Decimal("1E+3"), Decimal("NaN")] * 6
    frame = pd.DataFrame({"price": pd.Series(prices, dtype=object), "place": range(30)})
    encoder = TableEncoder(missing="keep").fit(frame)
    assert encoder.likelihoods_ == [("gaussian", [0, 1])]
    codes = encoder.transform(frame)
    back = encoder.inverse_transform(codes)["price"].tolist()
    assert [str(price) for price in back[:4]] == ["1.50", "None", "-20.25", "1000.00"]
    floats = frame.assign(price=[float(price or 0) for price in prices[:4]] * 7 + [0.0] * 2)
    np.testing.assert_array_equal(encoder.transform(floats)[[0, 2, 3]], codes[[0, 2, 3]])
    model = TableTransformer(VAETransformer(1, missing="mask", max_epochs=1, random_state=0))
    filled = model.fit(frame).impute(frame)["price"]
    assert {type(price) for price in filled} == {Decimal}
    skvae.save(model, tmp_path / "model.skvae")
    again = skvae.load(tmp_path / "model.skvae")
    assert again.impute(frame)["price"].tolist() == filled.tolist()
    mixed = frame.assign(price=[Decimal("1.5"), 2.5, 3] * 10)
    assert TableEncoder().fit(mixed).inverse_transform([[0.0, 0.0]])["price"].dtype == object
    assert TableEncoder().fit(mixed).likelihoods_ == [("gaussian", [0, 1])]
