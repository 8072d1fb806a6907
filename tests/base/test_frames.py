"""Frames in, frames out: ``set_output`` rules every method whose rows are those of the data."""

import re
import sys
import warnings
from copy import deepcopy
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.base.frames import rows_in_frame

NAMES = ["height", "width", "depth"]
PLACES = [f"x{place}" for place in range(3)]
LABELS = list("abcdefghijklmnopqrstuvwx")
rng = np.random.RandomState(0)
ROWS = rng.standard_normal((24, 3))
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
KINDS = {
    "named": (pd.DataFrame(ROWS, LABELS, NAMES), NAMES),
    "polars": (pl.DataFrame(ROWS, schema=NAMES), NAMES),
    "numbered": (pd.DataFrame(ROWS, LABELS), PLACES),
    "array": (ROWS, PLACES),
    "single": (ROWS.astype(np.float32), PLACES),
    "sparse": (csr_array(ROWS), PLACES),
}
every_estimator = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)


def first_two(X):
    if isinstance(X, pl.DataFrame):
        return X[0], X[1]
    return (X.iloc[0], X.iloc[1]) if isinstance(X, pd.DataFrame) else (X[:1], X[1:2])


def results(model, X):
    """Return what each method gives, with whether its rows are those that it is given."""
    codes = model.transform(X)
    return {
        "reconstruct": (model.reconstruct(X), True),
        "inverse_transform": (model.inverse_transform(codes), True),
        "sample": (model.sample(4, random_state=0), False),
        "interpolate": (model.interpolate(*first_two(X), 4), False),
    }


@cache
def fitted(Estimator, kind):
    return Estimator(2, max_epochs=2, random_state=0).fit(KINDS[kind][0])


def check_frames(found, expected, X, names, library):
    """Check that frames have the values of arrays, and the names and index that they should."""
    for method, (frame, of_rows) in found.items():
        assert isinstance(frame, FRAMES[library]), method
        assert list(frame.columns) == names
        np.testing.assert_array_equal(frame.to_numpy(), expected[method][0], strict=True)
        if library == "pandas":
            kept = of_rows and isinstance(X, pd.DataFrame)
            index = X.index if kept else pd.RangeIndex(len(frame))
            pd.testing.assert_index_equal(frame.index, index)


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("kind", KINDS)
@every_estimator
def test_rows_come_in_the_frame_asked_for_with_the_names_fitted(Estimator, kind, library):
    X, names = KINDS[kind]
    model = fitted(Estimator, kind)
    expected = results(model, X)
    with config_context(transform_output=library):
        check_frames(results(model, X), expected, X, names, library)
    asked = deepcopy(model).set_output(transform=library)
    check_frames(results(asked, X), expected, X, names, library)


@pytest.mark.parametrize("library", FRAMES)
@every_estimator
def test_a_frame_may_be_asked_for_before_the_fit(Estimator, library):
    X, names = KINDS["named"]
    model = fitted(Estimator, "named")
    asked = clone(clone(model).set_output(transform=library)).fit(X)
    check_frames(results(asked, X), results(model, X), X, names, library)


@every_estimator
def test_arrays_come_back_where_an_estimator_is_told_so(Estimator):
    told = deepcopy(fitted(Estimator, "named")).set_output(transform="default")
    with config_context(transform_output="pandas"):
        found = results(told, KINDS["named"][0])
    assert {type(rows) for rows, _ in found.values()} == {np.ndarray}


@pytest.mark.parametrize("codes_in", ["array", "list", "pandas", "polars"])
@pytest.mark.parametrize("library", FRAMES)
def test_codes_may_be_a_frame_of_either_kind(library, codes_in):
    model = deepcopy(fitted(VAETransformer, "named"))
    codes = rng.standard_normal((3, 2))
    given = {
        "array": codes,
        "list": codes.tolist(),
        "pandas": pd.DataFrame(codes, index=[7, 8, 7], columns=["a", "b"]),
        "polars": pl.DataFrame(codes, schema=["a", "b"]),
    }[codes_in]
    expected = model.inverse_transform(codes)
    np.testing.assert_array_equal(model.inverse_transform(given), expected)
    rows = model.set_output(transform=library).inverse_transform(given)
    np.testing.assert_array_equal(rows.to_numpy(), expected)
    if library == "pandas":
        assert list(rows.index) == ([7, 8, 7] if codes_in == "pandas" else [0, 1, 2])


@pytest.mark.parametrize("library", FRAMES)
def test_draws_with_the_noise_of_rows_and_from_a_density_are_frames_too(library):
    X, names = KINDS["named"]
    model = deepcopy(fitted(VAETransformer, "named"))
    mixture = GaussianMixture(1, random_state=0).fit(model.transform(X))
    options = {"latent": mixture, "observation_noise": True, "random_state": 0}
    array = model.sample(6, **options)
    frame = model.set_output(transform=library).sample(6, **options)
    assert list(frame.columns) == names
    np.testing.assert_array_equal(frame.to_numpy(), array)


def test_images_are_frames_of_their_pixels():
    images = rng.uniform(size=(6, 8 * 8))
    model = VAETransformer(2, image_shape=(8, 8, 1), max_epochs=1, random_state=0).fit(images)
    array = model.reconstruct(images)
    frame = model.set_output(transform="pandas").reconstruct(images)
    assert list(frame.columns) == [f"x{pixel}" for pixel in range(64)]
    np.testing.assert_array_equal(frame.to_numpy(), array)


STEPS = {
    "scaler": [StandardScaler()],
    "two": [MinMaxScaler(), StandardScaler()],
    "pca": [StandardScaler(), PCA(2, whiten=True)],
    "function": [FunctionTransformer(np.sinh, np.arcsinh, feature_names_out="one-to-one")],
}


@pytest.mark.parametrize("library", FRAMES)
@pytest.mark.parametrize("before", STEPS)
def test_a_pipeline_goes_back_without_a_warning(before, library):
    X, _ = KINDS["named"]
    model = VAETransformer(2, max_epochs=1, random_state=0)
    pipe = make_pipeline(*map(clone, STEPS[before]), model).set_output(transform=library)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codes = pipe.fit(X).transform(X)
        rows = pipe.inverse_transform(codes)
        drawn = pipe[:-1].inverse_transform(pipe[-1].sample(3, random_state=0))
        reconstructed = pipe[-1].reconstruct(pipe[:-1].transform(X))
    expected = pipe[-1].set_output(transform="default").inverse_transform(codes)
    np.testing.assert_allclose(np.asarray(reconstructed), expected, rtol=1e-12)
    for step in reversed(pipe[:-1]):
        expected = np.asarray(step.inverse_transform(expected))
    np.testing.assert_allclose(np.asarray(rows), expected, rtol=1e-12)
    assert drawn.shape == (3, 3)


def test_a_frame_through_a_model_alone_and_back_keeps_names_and_index():
    X, _ = KINDS["named"]
    pipe = make_pipeline(VAETransformer(2, max_epochs=1, random_state=0))
    pipe.set_output(transform="pandas").fit(X)
    back = pipe.inverse_transform(pipe.transform(X))
    assert back.columns.equals(X.columns)
    assert back.index.equals(X.index)


def test_another_output_is_refused():
    sentence = (
        "transform_output must be 'default', 'pandas' or 'polars'. Got 'arrow' instead. Set one of "
        "these by sklearn.set_config or set_output."
    )
    with (
        config_context(transform_output="arrow"),
        pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"),
    ):
        fitted(VAETransformer, "array").reconstruct(ROWS)


@pytest.mark.parametrize("library", FRAMES)
def test_without_the_library_a_sentence_says_what_to_install(library, monkeypatch):
    model = fitted(VAETransformer, "array")
    monkeypatch.setitem(sys.modules, library, None)
    install = {"pandas": "skvae[images]", "polars": "polars"}[library]
    sentence = (
        f"set_output needs {library} for transform_output='{library}'. Got none that can be "
        f"imported instead. Install it: pip install {install}"
    )
    with (
        config_context(transform_output=library),
        pytest.raises(ImportError, match=f"^{re.escape(sentence)}$"),
    ):
        rows_in_frame(model, ROWS)
