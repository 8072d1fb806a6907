"""Frames of mixed columns: what each kind of column is to a detector."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from detectors import SMALL, TRANSFORMERS, detector
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.outlier.tables import cells_of, replaced
from skvae.tabular import TableTransformer


def numbers(n_samples=300):
    rng = np.random.RandomState(0)
    return pd.DataFrame(
        {
            "amount": rng.normal(50, 5, n_samples),
            "size": rng.standard_normal(n_samples),
            "kind": rng.choice(["x", "y"], n_samples),
        }
    )


def one_hot(column, last=None, numeric=("amount", "size")):
    encoder = OneHotEncoder(sparse_output=False)
    steps = make_column_transformer((StandardScaler(), list(numeric)), (encoder, [column]))
    return make_pipeline(steps, FactorAnalysis(1) if last is None else last)


def fitted(transformer, frame):
    return AutoencoderOutlierDetector(transformer, contamination=0.05, random_state=0).fit(frame)


@pytest.mark.parametrize("dtype", [float, object, str])
def test_numbers_are_numbers_whatever_the_column_calls_them(dtype):
    frame = numbers()
    new = pd.DataFrame({"amount": [50.0, 500.0, 5e6], "size": [0.0] * 3, "kind": ["x"] * 3})
    expected = fitted(one_hot("kind"), frame).score_samples(new)
    frame, new = (table.assign(amount=table.amount.astype(dtype)) for table in (frame, new))
    detector = fitted(one_hot("kind"), frame)
    assert_allclose(detector.score_samples(new), expected, rtol=1e-9)
    assert_array_equal(detector.predict(new), [1, -1, -1])
    assert list(detector.explain(new[1:], 1).column) == ["amount"] * 2


def test_free_text_is_no_category():
    words = ["red", "green", "blue", "pay", "ship", "order", "late"]
    rng = np.random.RandomState(0)
    notes = [" ".join(rng.choice(words, 5)) for _ in range(200)]
    frame = pd.DataFrame({"size": rng.standard_normal(200), "note": notes})
    steps = make_column_transformer((StandardScaler(), ["size"]), (TfidfVectorizer(), "note"))
    transformer = make_pipeline(steps, PCA(2))
    detector = fitted(transformer, frame)
    new = pd.DataFrame({"size": [0.0, 0.0], "note": ["pay pay pay pay", "red green blue pay ship"]})
    expected = np.mean([model.score_samples(new) for model in detector.estimators_], axis=0)
    assert_allclose(detector.score_samples(new), expected)
    assert expected[0] != expected[1]


def test_a_key_that_no_step_takes_changes_nothing():
    frame = numbers().assign(key=[f"row {number}" for number in range(300)])
    detector, without = fitted(one_hot("kind"), frame), fitted(one_hot("kind"), numbers())
    new = frame[:5].assign(key="new", amount=[40.0, 45, 50, 55, 60])
    assert_allclose(detector.score_samples(new), without.score_samples(new.drop(columns="key")))
    lines = detector.explain(new).to_frame().set_index("column").contribution
    assert (lines["key"] == 0).all()


@pytest.mark.parametrize("beside", [["kind"], []])
def test_dates_are_left_to_the_transformer(beside):
    frame = numbers().assign(day=pd.date_range("2024-01-01", periods=300))
    frame = frame[["amount", "size", *beside, "day"]]
    days = FunctionTransformer(
        lambda X: X.apply(lambda column: column.astype("datetime64[ns]").astype("int64") / 1e18)
    )
    steps = make_column_transformer((StandardScaler(), ["amount", "size"]), (days, ["day"]))
    detector = fitted(make_pipeline(steps, StandardScaler(), FactorAnalysis(1)), frame)
    new = frame[:4].assign(day=pd.Timestamp("2030-06-01"))
    assert_array_equal(detector.predict(new), [-1] * 4)
    explained = detector.explain(new, 1).to_frame()
    assert list(explained.column) == ["day"] * 4
    assert set(explained.value) == {pd.Timestamp("2030-06-01")}
    assert explained.typical[0] in set(frame.day)


def test_dates_and_spelled_numbers_far_off_stay_what_they_are():
    days = FunctionTransformer(
        lambda X: X.apply(lambda column: column.astype("datetime64[ns]").astype("int64") / 1e18)
    )
    seconds = pd.date_range("2024-01-01", periods=300, freq="1ms")
    frame = numbers().assign(day=seconds)
    frame = frame.assign(amount=frame.amount.astype(str))
    steps = make_column_transformer((StandardScaler(), ["amount", "size"]), (days, ["day"]))
    detector = fitted(make_pipeline(steps, StandardScaler(), FactorAnalysis(1)), frame)
    new = frame[:2].assign(day=pd.Timestamp("2030-06-01"), amount=["1e30", "50"])
    assert_array_equal(detector.predict(new), [-1, -1])


COLUMNS = {
    "mostly missing": lambda rng: pd.Series(
        [None if draw < 0.7 else "gift" for draw in rng.uniform(size=300)], dtype=object
    ),
    "whole numbers": lambda rng: pd.Series(rng.randint(4, 6, 300)),
    "flags": lambda rng: pd.Series(rng.uniform(size=300) < 0.5),
    "object flags": lambda rng: pd.Series(rng.uniform(size=300) < 0.5, dtype=object),
    "object numbers": lambda rng: pd.Series(rng.randint(1, 3, 300), dtype=object),
    "categories": lambda rng: pd.Series(rng.choice(["a", "b"], 300), dtype="category"),
    "categories of numbers": lambda rng: pd.Series(rng.choice([10, 20], 300), dtype="category"),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_gets_only_values_that_it_holds(kind):
    frame = numbers().assign(code=COLUMNS[kind](np.random.RandomState(1)))
    detector = fitted(one_hot("code"), frame)
    rows = frame[:6].assign(amount=[20.0, 30, 50, 60, 70, 80])
    explained = detector.explain(rows).to_frame()
    typical = detector.explain(rows[:1]).to_frame().set_index("column").typical
    usual = rows.copy()
    for place, name in enumerate(rows):
        mask = np.arange(rows.shape[1]) == place
        column = np.full(rows.shape[1], None, dtype=object)
        column[place] = detector._ranges_.typical[place]
        usual = replaced(usual, np.tile(mask, (6, 1)), column)
        assert usual[name].dtype == rows[name].dtype
    assert list(typical.index.sort_values()) == sorted(rows)
    sums = explained.groupby("row").contribution.sum()
    expected = detector.score_samples(rows) - detector.score_samples(usual)
    assert_allclose(sums, expected, rtol=1e-9, atol=1e-9)
    shown = explained[explained.column == "code"].set_index("row").value
    for row, value in shown.items():
        held = rows.code[row]
        assert value == held or (pd.isna(value) and pd.isna(held))


def test_a_flag_that_is_new_to_an_encoder_is_no_error():
    frame = numbers().assign(flag=False)
    detector = fitted(one_hot("flag"), frame)
    assert_array_equal(detector.predict(frame[:3].assign(flag=True)), [-1] * 3)


def test_integers_of_an_array_sum_as_floats_do():
    rng = np.random.RandomState(0)
    X = np.c_[np.r_[np.zeros(50), np.full(50, 9)], rng.randint(0, 2, (100, 2))].astype(int)
    for rows in (X, X > 0):
        detector = AutoencoderOutlierDetector(PCA(1), random_state=0).fit(rows)
        explained = detector.explain(rows[:5]).to_frame()
        typical = explained[explained.row == 0].set_index("column").typical
        usual = np.array([[typical[f"x{place}"] for place in range(3)]]).astype(rows.dtype)
        expected = detector.score_samples(rows[:5]) - detector.score_samples(usual)
        assert_allclose(explained.groupby("row").contribution.sum(), expected, atol=1e-9)


def test_what_is_no_frame_is_refused_where_one_was_fitted():
    detector = fitted(one_hot("kind"), numbers())
    sentence = (
        "X must be a DataFrame with the columns that were fitted, which are not all numbers. Got "
        "ndarray instead. Pass a DataFrame."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        detector.predict(np.zeros((2, 3)))
    sentence = (
        "The numbers of X must be finite. Got infinity in column 'amount' instead. Give such "
        "values a number, or NaN."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        detector.predict(numbers()[:2].assign(amount=np.inf))


def test_cells_are_what_a_frame_holds():
    texts = pd.Series([None, "x"], dtype=object)
    frame = pd.DataFrame({"a": [1, 2], "b": texts, "c": [True, False]})
    assert cells_of(frame).tolist() == [[1, None, True], [2, "x", False]]


@pytest.mark.parametrize("mean", [0.0, 293.0, 2015.0])
def test_a_large_mean_does_not_blunt_the_error(mean, table):
    X = mean + table
    detector = AutoencoderOutlierDetector(
        PCA(2), anomaly_score="reconstruction", contamination=0.05, random_state=0
    ).fit(X)
    assert (detector.predict(X) == -1).sum() == 20
    far = X[:3] + np.array([9.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert (detector.p_value(far) < 0.02).all()


@pytest.mark.parametrize("n_components", [None, 5])
def test_a_density_without_noise_and_a_constant_column_is_one_sentence(n_components):
    X = np.c_[np.random.RandomState(0).standard_normal((200, 5)), np.zeros(200)]
    with pytest.raises(ValueError, match=r"^The scores of the rows fitted must be finite\. Got "):
        AutoencoderOutlierDetector(PCA(n_components)).fit(X)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_times_with_a_zone_are_no_numbers_and_go_to_the_transformer(zone):
    frame = numbers(40)[["amount"]]
    frame["time"] = pd.date_range("2024-03-30", periods=40, freq="h", tz=zone)
    vae = VAETransformer(2, hidden_layer_sizes=(4,), max_epochs=1, random_state=0)
    detector = fitted(TableTransformer(vae), frame)
    assert_array_equal(detector.p_value(frame) > 0, np.ones(40, dtype=bool))
    assert set(detector.explain(frame[:1])["column"]) == {"amount", "time"}


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("name", ["PCA", "Pipeline", "VAE", "Pipeline of a VAE"])
def test_frames_and_what_set_output_makes_change_nothing(name, library, kind, table):
    frame = library.DataFrame(dict(zip("abcdef", table.T, strict=True)))
    plain = detector(TRANSFORMERS[name], anomaly_score=kind, calibration_fraction=0.2).fit(table)
    scores, p_values = plain.score_samples(table), plain.p_value(table)
    explained = plain.explain(table[:9]).contribution
    with config_context(transform_output="pandas" if library is pd else "polars"):
        framed = clone(plain).fit(frame)
        assert list(framed.feature_names_in_) == list("abcdef")
        assert list(framed.estimators_[0].feature_names_in_) == list("abcdef")
        assert_allclose(framed.score_samples(frame), scores, rtol=1e-8)
        assert_allclose(framed.p_value(frame), p_values)
        assert_allclose(framed.explain(frame[:9]).contribution, explained, atol=1e-6)
        assert set(framed.explain(frame[:9]).column) == set("abcdef")


@pytest.mark.parametrize("transformer", [PCA(2), VAETransformer(2, **SMALL)])
def test_frames_of_text_and_sparse_frames_are_what_they_stand_for(transformer, table):
    frame = pd.DataFrame(np.where(table > 5, table, 0.0), columns=list("abcdef"))
    expected = detector(transformer).fit(frame)
    fitted = detector(transformer).fit(frame.astype(str))
    assert_allclose(fitted.score_samples(frame.astype(str)), expected.score_samples(frame))
    if isinstance(transformer, VAETransformer):
        sparse = frame.astype(pd.SparseDtype(float, 0.0))
        fitted = detector(transformer).fit(sparse)
        alone = detector(transformer).fit(csr_array(frame))
        assert_allclose(fitted.score_samples(sparse), alone.score_samples(csr_array(frame)))
