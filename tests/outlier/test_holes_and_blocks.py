"""Detectors over models that leave out holes, and one-hot blocks that are explained as one."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer
from skvae.outlier.explanations import contributions
from skvae.outlier.groups import groups_of, ignored_holes
from skvae.plotting import ReconstructionErrorDisplay
from skvae.tabular import TableEncoder

SMALL = {"hidden_layer_sizes": (6,), "max_epochs": 10, "random_state": 0}
MASKED = VAETransformer(2, missing="mask", **SMALL)


def detector(transformer, **options):
    return AutoencoderOutlierDetector(transformer, random_state=0, **options)


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 2)) @ rng.normal(size=(2, 4)) + 0.1 * rng.normal(size=(120, 4))


@pytest.fixture(scope="module")
def holes(X):
    return np.where(np.random.default_rng(1).random(X.shape) < 0.2, np.nan, X)


# ------------------------------------------------------------------ holes


@pytest.mark.parametrize(
    ("transformer", "takes"),
    [(MASKED, True), (VAETransformer(2), False), (AutoencoderTransformer(2), False), (None, False)],
)
def test_the_tag_of_holes_is_the_transformers(transformer, takes):
    assert get_tags(detector(transformer)).input_tags.allow_nan is takes
    if transformer is not None:
        frozen = FrozenEstimator(transformer)
        assert get_tags(detector(frozen)).input_tags.allow_nan is takes


@pytest.mark.parametrize("anomaly_score", ["likelihood", "reconstruction", "latent"])
def test_a_detector_takes_holes_and_answers_without_them_as_ever(anomaly_score, X, holes):
    fitted, whole = (
        detector(vae, anomaly_score=anomaly_score).fit(X)
        for vae in (MASKED, VAETransformer(2, **SMALL))
    )
    assert_array_equal(fitted.score_samples(X), whole.score_samples(X))
    fitted.fit(holes)
    for method in ("score_samples", "decision_function", "p_value"):
        assert np.isfinite(getattr(fitted, method)(holes)).all()
    assert np.isfinite(fitted._score_scale_)
    assert fitted.predict([[np.nan] * 4])[0] in (-1, 1)  # of which nothing is known
    odd = np.where(np.isnan(holes), np.nan, 50.0)[:9]
    assert_array_equal(fitted.predict(odd), -1)


def test_an_error_of_a_pipeline_is_the_mean_over_what_was_observed(X, holes):
    pipe = make_pipeline(StandardScaler(), MASKED)
    fitted = detector(pipe, anomaly_score="reconstruction").fit(holes)
    new = np.where(np.isnan(holes), np.nan, X + 0.5)
    (member, *_), (pipe, *_) = fitted._members_, fitted.estimators_
    errors = (new - pipe.inverse_transform(pipe.transform(new))) ** 2
    expected = np.zeros(len(new))
    some = ~np.isnan(new).all(axis=1)
    expected[some] = -np.nanmean(errors[some], axis=1)
    assert_allclose(member.score(new), expected)


def test_a_hole_contributes_nothing_and_the_others_what_remains(holes):
    fitted = detector(MASKED).fit(holes)
    new = holes[:10]
    explained = fitted.explain(new).to_frame()
    assert (explained["contribution"][explained["value"].isna()] == 0).all()
    assert explained["value"].isna().any()
    sums = explained.groupby("row")["contribution"].sum()
    typical = np.where(np.isnan(new), np.nan, fitted._ranges_.typical)
    assert_allclose(sums, fitted.score_samples(new) - fitted.score_samples(typical))


@pytest.mark.parametrize("library", [pd, pl])
def test_text_that_was_not_observed_is_no_new_category_where_holes_are_kept(library):
    rng = np.random.default_rng(0)
    frame = library.DataFrame(
        {"a": rng.normal(size=120), "b": rng.normal(size=120), "kind": ["x", "y", "z"] * 40}
    )
    new = library.DataFrame({"a": [0.0], "b": [0.0], "kind": [None]}, **schema(library, frame))
    kept = detector(make_pipeline(TableEncoder(missing="keep"), MASKED)).fit(frame)
    own = [member.transformer.score_samples(new)[0] for member in kept._members_]
    assert_allclose(kept.score_samples(new), np.mean(own))
    explained = kept.explain(new).to_frame()
    assert_array_equal(explained["contribution"][explained["column"] == "kind"], 0)
    told = detector(make_pipeline(TableEncoder(), VAETransformer(2, **SMALL))).fit(frame)
    own = [member.transformer.score_samples(frame[:1])[0] for member in told._members_]
    assert told.score_samples(new)[0] < np.mean(own)  # there a hole is a value that is new
    explained = told.explain(new).to_frame()
    assert (explained["contribution"][explained["column"] == "kind"] < 0).all()


def schema(library, frame):
    return {"schema": frame.schema} if library is pl else {}


def test_holes_that_a_step_fills_in_are_none_to_a_model(holes):
    assert ignored_holes(MASKED.fit(holes), holes).sum() == np.isnan(holes).sum()
    filled = make_pipeline(SimpleImputer(), MASKED).fit(holes)
    assert not ignored_holes(filled, holes).any()
    assert not ignored_holes(VAETransformer(2, **SMALL).fit(np.nan_to_num(holes)), holes).any()


# ------------------------------------------------------------------ blocks


def one_hot():
    rng = np.random.default_rng(0)
    level = rng.choice(3, 150, p=[0.3, 0.45, 0.25])
    size = level + 0.1 * rng.normal(size=150)
    names = ["red", "size", "blue", "green"]
    return pd.DataFrame(
        np.column_stack((level == 0, size, level == 1, level == 2)).astype(float), columns=names
    )


KINDS = [("categorical", ["red", "blue", "green"]), ("gaussian", "size")]


def test_a_block_is_explained_as_one_column():
    frame = one_hot()
    fitted = detector(VAETransformer(2, likelihood=KINDS, **SMALL)).fit(frame)
    assert fitted._ranges_.typical[0::2] == [0.0, 1.0]  # blue is the commonest
    assert fitted._ranges_.typical[3] == 0.0
    new = frame[:6].assign(size=[9.0] * 6)
    explained = fitted.explain(new).to_frame()
    assert set(explained["column"]) == {"red ... green", "size"}
    assert len(explained) == 12
    blocks = explained[explained["column"] == "red ... green"].sort_values("row")
    assert list(blocks["value"]) == list(new[["red", "blue", "green"]].idxmax(axis=1))
    assert set(blocks["typical"]) == {"blue"}
    assert (blocks["contribution"][blocks["value"] == "blue"] == 0).all()
    typical = fitted.score_samples(pd.DataFrame([fitted._ranges_.typical], columns=frame.columns))
    sums = explained.groupby("row")["contribution"].sum()
    assert_allclose(sums, fitted.score_samples(new) - typical)
    assert (fitted.explain(new, n_features=1).to_frame()["column"] == "size").all()


@pytest.mark.parametrize("dtype", [float, int])
def test_the_typical_value_of_codes_is_a_level(dtype):
    frame = one_hot()[["size"]].assign(code=dtype(3) * np.repeat([1, 5, 9], [60, 40, 50]))
    kinds = [("gaussian", "size"), ("categorical", "code")]
    fitted = detector(VAETransformer(2, likelihood=kinds, **SMALL)).fit(frame)
    explained = fitted.explain(frame[:2]).to_frame()
    typical = explained["typical"][explained["column"] == "code"]
    assert set(typical) == {3}  # the median would be 15


def test_a_block_of_zeros_or_holes_has_no_value():
    frame = one_hot()
    vae = VAETransformer(2, likelihood=KINDS, missing="mask", **SMALL)
    fitted = detector(vae).fit(frame)
    new = frame[:2].copy()
    new.loc[0, ["red", "blue", "green"]] = np.nan
    new.loc[1, ["red", "blue", "green"]] = 0.0
    explained = fitted.explain(new).to_frame()
    blocks = explained[explained["column"] == "red ... green"].sort_values("row")
    assert blocks["value"].isna().all()
    missing, unseen = blocks["contribution"]
    assert missing == 0
    assert unseen < 0  # no level that training saw


def test_groups_get_their_typical_values_together():
    X, seen = np.array([[2.0, 3.0, 4.0]]), []

    def score(rows):
        seen.extend(rows.tolist())
        return -rows.sum(axis=1)

    found = contributions(score, X, [0.0, 0.0, 0.0], groups=[[0, 2], [1]])
    assert_array_equal(found, [[-6.0, -3.0]])
    assert {tuple(row) for row in seen} == {(2, 3, 4), (0, 3, 0), (2, 0, 4), (0, 0, 0)}
    assert groups_of([[0, 2]], 3) == [[0, 2], [1]]


def test_a_display_of_a_detector_has_one_bar_for_a_block():
    frame = one_hot()
    fitted = detector(VAETransformer(2, likelihood=KINDS, **SMALL)).fit(frame)
    display = ReconstructionErrorDisplay.from_estimator(fitted, frame, row=0)
    assert display.contributions.shape == (2,)
