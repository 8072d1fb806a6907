"""What is loaded is what was saved, in all that one can ask of it."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from own_modules import Narrow, OwnModel, make_decoder, make_encoder
from saved_files import kept
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from torch import nn

import skvae
import skvae.tabular
from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.saving.estimators import DECLARATIONS

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": 0}
TRANSFORMERS = [
    AutoencoderTransformer(2, **SMALL),
    VAETransformer(2, **SMALL),
    VAETransformer(2, noise_variance="per-feature", **SMALL),
    VAETransformer(2, noise_variance=np.float32(0.5), lr=np.float64(1e-3), **SMALL),
    VAETransformer(2, likelihood="bernoulli", input_scale=0.5, **SMALL),
    BetaVAETransformer(2, **{**SMALL, "hidden_layer_sizes": [8, 4]}),
    BetaVAETransformer(np.int64(2), **{**SMALL, "hidden_layer_sizes": np.array([8])}),
    BetaTCVAETransformer(2, n_samples=400, device=torch.device("cpu"), **SMALL),
    VAETransformer(2, early_stopping=True, **SMALL),
    VAETransformer(2, precision="bfloat16", **SMALL),
]


def assert_same_answers(one, other, X):
    """Assert that two fitted transformers tell the same, bit for bit."""
    for rows in (X, X.astype(np.float32), X[:1]):
        for method in ("transform", "reconstruct", "score_samples", "reconstruction_error"):
            found, expected = (np.asarray(getattr(e, method)(rows)) for e in (one, other))
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype
    found, expected = (e.sample(5, random_state=0) for e in (one, other))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(one.net_.predict(X), other.net_.predict(X))


@pytest.fixture
def X(table):
    """Rows in [0, 1]."""
    return (table - table.min()) / np.ptp(table)


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # after two epochs
@pytest.mark.parametrize("estimator", TRANSFORMERS, ids=range(len(TRANSFORMERS)))
def test_a_transformer_is_the_same_when_loaded(estimator, X, tmp_path):
    fitted = clone(estimator).fit(X)
    fitted.set_params(n_components=5, lr=0.5)  # not those it was fitted with
    loaded = kept(fitted, tmp_path)
    assert_same_answers(loaded, fitted, X)
    assert repr(loaded.get_params()) == repr(fitted.get_params())
    assert {name: type(value) for name, value in vars(loaded).items()} == {
        name: type(value) for name, value in vars(fitted).items()
    }
    for name, values in fitted.history_.items():
        np.testing.assert_array_equal(loaded.history_[name], values)
    assert loaded.net_.history[-1, "train_loss"] == fitted.net_.history[-1, "train_loss"]
    assert repr(clone(loaded)) == repr(clone(fitted))
    again = kept(loaded, tmp_path)
    assert_same_answers(pickle.loads(pickle.dumps(again)), fitted, X)


@pytest.mark.parametrize("architecture", ["residual", "paper", "hybrid"])
def test_a_convolutional_network_is_the_same_when_loaded(architecture, digits, tmp_path):
    settings = {"image_shape": (8, 8, 1), "architecture": architecture, "max_epochs": 1}
    fitted = VAETransformer(2, random_state=0, warm_start=True, **settings).fit(digits[:100])
    loaded = kept(fitted, tmp_path)
    assert_same_answers(loaded, fitted, digits[:50])
    X = digits[100:200]
    assert_same_answers(loaded.fit(X), fitted.fit(X), digits[:50])


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_training_goes_on_as_if_never_saved(Estimator, optimizer, X, tmp_path):
    settings = {**SMALL, "optimizer": optimizer, "warm_start": True}
    fitted = Estimator(2, **settings).fit(X)
    loaded = kept(fitted, tmp_path)
    for _ in range(2):
        assert_same_answers(loaded.fit(X), fitted.fit(X), X)
        loaded = kept(loaded, tmp_path)
        assert_same_answers(loaded.partial_fit(X[:50]), fitted.partial_fit(X[:50]), X)
    assert loaded.n_iter_ == fitted.n_iter_ == 8
    assert loaded.n_samples_seen_ == fitted.n_samples_seen_


def test_a_stream_in_many_files_is_the_stream(X, tmp_path):
    fitted = loaded = VAETransformer(2, **SMALL)
    loaded = clone(loaded)
    for start in range(0, 400, 100):
        chunk = X[start : start + 100]
        fitted.partial_fit(chunk)
        loaded = kept(loaded.partial_fit(chunk), tmp_path)
    assert_same_answers(loaded, fitted, X)


def test_a_random_state_goes_on_drawing(X, tmp_path):
    loaded = kept(VAETransformer(2, random_state=np.random.RandomState(3)), tmp_path)
    np.testing.assert_array_equal(loaded.random_state.randn(9), np.random.RandomState(3).randn(9))


@pytest.mark.parametrize("library", [pd, pl])
def test_names_and_set_output_are_kept(library, X, tmp_path):
    frame = library.DataFrame(dict(zip("abcdef", X.T, strict=True)))
    name = library.__name__
    fitted = VAETransformer(2, **SMALL).fit(frame).set_output(transform=name)
    loaded = kept(fitted, tmp_path)
    assert type(loaded.transform(frame)) is library.DataFrame
    np.testing.assert_array_equal(loaded.transform(frame), fitted.transform(frame))
    np.testing.assert_array_equal(loaded.feature_names_in_, fitted.feature_names_in_)
    assert loaded.feature_names_in_.dtype == object
    assert loaded.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()


def test_an_unfitted_estimator_is_unfitted_when_loaded(tmp_path):
    unfitted = VAETransformer(2)
    unfitted.set_output(transform="pandas")
    loaded = kept(unfitted, tmp_path)
    assert vars(loaded) == vars(unfitted)


DETECTORS = {
    "default": AutoencoderOutlierDetector(),
    "latent": AutoencoderOutlierDetector(VAETransformer(2, **SMALL), anomaly_score="latent"),
    "reconstruction": AutoencoderOutlierDetector(PCA(2), anomaly_score="reconstruction"),
    "pipeline": AutoencoderOutlierDetector(
        make_pipeline(StandardScaler(), AutoencoderTransformer(2, **SMALL)),
        calibration_fraction=0.3,
        n_estimators=1,
    ),
    "auto": AutoencoderOutlierDetector(PCA(2), contamination="auto", n_estimators=4),
}


def assert_same_detector(loaded, fitted, X):
    for method in ("score_samples", "decision_function", "predict", "p_value"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(fitted, method)(X))
    assert loaded.offset_ == fitted.offset_
    np.testing.assert_array_equal(loaded.oob_scores_, fitted.oob_scores_)
    for one, other in zip(loaded.estimators_samples_, fitted.estimators_samples_, strict=True):
        np.testing.assert_array_equal(one, other)
    pd.testing.assert_frame_equal(
        loaded.explain(X[:3]).to_frame(), fitted.explain(X[:3]).to_frame()
    )
    assert vars(loaded).keys() == vars(fitted).keys()
    for member, estimator in zip(loaded._members_, loaded.estimators_, strict=True):
        assert member.transformer is estimator


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_is_the_same_when_loaded(name, table, tmp_path):
    fitted = clone(DETECTORS[name]).set_params(random_state=0).fit(table)
    loaded = kept(fitted, tmp_path)
    fresh = np.concatenate([table[:20], table[:20] * 1.5, [[1e30] * 6]])
    assert_same_detector(loaded, fitted, fresh)
    assert repr(loaded) == repr(fitted)
    assert_same_detector(pickle.loads(pickle.dumps(loaded)), fitted, fresh)
    np.testing.assert_array_equal(  # and is fitted again as it was
        loaded.fit(table).score_samples(fresh), fitted.fit(table).score_samples(fresh)
    )


def test_a_detector_of_a_frozen_transformer_is_the_same(table, tmp_path):
    frozen = FrozenEstimator(VAETransformer(2, **SMALL).fit(table))
    fitted = AutoencoderOutlierDetector(frozen, random_state=0).fit(table)
    assert_same_detector(kept(fitted, tmp_path), fitted, table)


@pytest.mark.parametrize("library", [pd, pl])
def test_a_detector_of_mixed_columns_is_the_same(library, table, tmp_path):
    frame = library.DataFrame(
        {
            "number": table[:, 0],
            "count": np.arange(400) % 7,
            "flag": np.arange(400) % 3 == 0,
            "constant": np.full(400, 2.5),
            "kind": [("red", "blue", "größe")[place % 3] for place in range(400)],
            "day": pd.date_range("2024-01-01", periods=400).to_pydatetime(),
        }
    )
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["kind"]),
        (StandardScaler(), ["number", "count", "constant"]),
    )
    detector = AutoencoderOutlierDetector(
        make_pipeline(columns, PCA(2)), anomaly_score="likelihood", random_state=0
    )
    fitted = detector.fit(frame)
    loaded = kept(fitted, tmp_path)
    assert [type(one) for one in loaded._ranges_.typical] == [
        type(one) for one in fitted._ranges_.typical
    ]
    assert loaded._ranges_.typical == fitted._ranges_.typical
    odd = library.DataFrame({**{name: frame[name] for name in frame.columns}, "kind": "new"})
    for rows in (frame, odd):
        np.testing.assert_array_equal(loaded.p_value(rows), fitted.p_value(rows))
    pd.testing.assert_frame_equal(
        loaded.explain(odd[:5]).to_frame(), fitted.explain(odd[:5]).to_frame()
    )


def test_a_detector_of_named_numbers_takes_arrays_when_loaded(table, tmp_path):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    fitted = AutoencoderOutlierDetector(PCA(2), random_state=0).fit(frame)
    loaded = kept(fitted, tmp_path)
    assert loaded._frame_type_ is pd.DataFrame
    np.testing.assert_array_equal(loaded.score_samples(frame), fitted.score_samples(frame))


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(), RobustScaler()])
def test_a_pipeline_is_the_same_when_loaded(scaler, table, tmp_path):
    pipe = make_pipeline(scaler, BetaVAETransformer(2, **SMALL), LogisticRegression())
    y = table[:, 0] > 5
    fitted = pipe.fit(table, y)
    loaded = kept(fitted, tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(table), fitted.predict_proba(table))
    assert repr(loaded) == repr(fitted)
    assert loaded[1].sample(2, random_state=0).shape == (2, 6)


def test_a_pipeline_in_a_pipeline_and_a_step_that_is_none(table, tmp_path):
    inner = Pipeline([("scale", StandardScaler()), ("nothing", "passthrough")])
    fitted = Pipeline([("inner", inner), ("vae", VAETransformer(2, **SMALL))]).fit(table)
    loaded = kept(fitted, tmp_path)
    np.testing.assert_array_equal(loaded.transform(table), fitted.transform(table))
    assert loaded.named_steps["inner"].steps[1] == ("nothing", "passthrough")


@pytest.mark.filterwarnings("ignore:The codes must vary")  # after two epochs
def test_the_users_modules_are_loaded_by_the_names_that_are_trusted(X, tmp_path):
    fitted = VAETransformer(
        2,
        encoder=make_encoder,
        decoder=make_decoder,
        optimizer=torch.optim.RMSprop,
        warm_start=True,
        max_epochs=2,
        random_state=0,
    ).fit(X)
    names = ["own_modules.make_encoder", "own_modules.make_decoder"]
    loaded = kept(fitted, tmp_path, trusted=[*names, "torch.optim.rmsprop.RMSprop"])
    assert loaded.encoder is make_encoder
    assert_same_answers(loaded, fitted, X)
    assert_same_answers(loaded.fit(X), fitted.fit(X), X)


def test_an_activation_and_a_subclass_are_loaded_by_trusted_names(X, tmp_path):
    fitted = VAETransformer(2, activation=nn.Mish, **SMALL).fit(X)
    name = "torch.nn.modules.activation.Mish"
    assert_same_answers(kept(fitted, tmp_path, trusted=[name]), fitted, X)
    for fitted in (Narrow(2, random_state=0), OwnModel(2, weight=3.0, warm_start=True, **SMALL)):
        name = f"own_modules.{type(fitted).__name__}"
        loaded = kept(fitted.fit(X), tmp_path, trusted=[name])
        assert type(loaded) is type(fitted)
        assert_same_answers(loaded, fitted, X)


def test_loading_draws_no_global_random_number_and_works_without_gradients(X, tmp_path):
    fitted = VAETransformer(2, encoder=make_encoder, **SMALL).fit(X)
    skvae.save(fitted, tmp_path / "kept.skvae")
    before, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()
    with torch.inference_mode():
        loaded = skvae.load(tmp_path / "kept.skvae", trusted=["own_modules.make_encoder"])
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numbers)
    loaded.partial_fit(X)


def test_what_is_loaded_may_be_written_to(X, tmp_path):
    loaded = kept(AutoencoderTransformer(2, **SMALL).fit(X), tmp_path)
    loaded.code_mean_ += 1
    loaded.history_["train_loss"][0] = 2


def test_every_estimator_of_the_package_is_declared():
    declared = {declaration.cls for declaration in DECLARATIONS.values()}
    public = [(room, name) for room in (skvae, skvae.tabular) for name in room.__all__]
    estimators = [getattr(room, name) for room, name in public]
    estimators = [one for one in estimators if hasattr(one, "fit")]
    assert len(estimators) == 8
    assert set(estimators) <= declared
    for name, declaration in DECLARATIONS.items():
        if name.startswith("skvae."):
            assert name.rpartition(".")[2] == declaration.cls.__name__
