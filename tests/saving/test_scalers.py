"""Scalers, functions and covariances of scikit-learn's are in files without skops."""

import re

import numpy as np
import pandas as pd
import pytest
from saved_files import kept, must_hold, resealed
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

import skvae
from skvae import AutoencoderOutlierDetector, SavingError, VAETransformer
from skvae.files.container import unpack_file
from skvae.saving import sklearn_parts
from skvae.saving.scalers import FUNCTIONS

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
X = np.random.RandomState(0).rand(30, 3)
HOLES = np.where(X < 0.1, np.nan, X)
FRAME = pd.DataFrame(X, columns=["a", "b", "größe"])
USUAL = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    MinMaxScaler((-1, 2), clip=True),
    MaxAbsScaler(),
    RobustScaler(quantile_range=(10.0, 90.0), unit_variance=True),
    RobustScaler(with_centering=False, with_scaling=False),
    FunctionTransformer(),
    FunctionTransformer(np.log1p, np.expm1, check_inverse=False, feature_names_out="one-to-one"),
    StandardScaler().set_output(transform="pandas"),
]


@pytest.fixture
def no_skops(monkeypatch):
    def fail():
        raise AssertionError("skops was asked")

    monkeypatch.setattr(sklearn_parts, "_skops", fail)


@pytest.mark.usefixtures("no_skops")
@pytest.mark.parametrize("rows", [X, X.astype(np.float32), HOLES, FRAME], ids=type)
@pytest.mark.parametrize("scaler", USUAL, ids=str)
def test_a_scaler_is_the_same_when_loaded(scaler, rows, tmp_path):
    fitted = scaler.fit(rows)
    loaded = kept(fitted, tmp_path)
    for method in ("transform", "inverse_transform"):
        found, expected = (getattr(one, method)(rows) for one in (loaded, fitted))
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)
    assert repr(loaded) == repr(fitted)
    assert vars(loaded).keys() == vars(fitted).keys()
    for name, value in vars(fitted).items():
        assert type(vars(loaded)[name]) is type(value)
        assert getattr(vars(loaded)[name], "dtype", None) == getattr(value, "dtype", None)
    if hasattr(scaler, "n_samples_seen_"):  # and goes on with what it has seen
        np.testing.assert_array_equal(
            loaded.partial_fit(rows).transform(rows), fitted.partial_fit(rows).transform(rows)
        )


@pytest.mark.usefixtures("no_skops")
@pytest.mark.parametrize("kind", ["likelihood", "latent"])
def test_a_detector_is_in_a_file_without_skops(kind, tmp_path):
    vae = VAETransformer(2, **SMALL) if kind == "latent" else None
    fitted = AutoencoderOutlierDetector(vae, anomaly_score=kind, random_state=0).fit(X)
    np.testing.assert_array_equal(kept(fitted, tmp_path).p_value(X), fitted.p_value(X))


@pytest.mark.usefixtures("no_skops")
def test_what_is_not_fitted_is_not_when_loaded(tmp_path):
    for scaler in (*USUAL, EmpiricalCovariance(store_precision=False)):
        unfitted = type(scaler)(**scaler.get_params())
        assert vars(kept(unfitted, tmp_path)) == vars(unfitted)


def test_what_is_loaded_has_the_same_file_again(tmp_path):
    pipe = make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)).fit(X)
    skvae.save(pipe, tmp_path / "first")
    skvae.save(skvae.load(tmp_path / "first"), tmp_path / "second")
    first, second = (unpack_file((tmp_path / n).read_bytes())[0] for n in ("first", "second"))
    assert first == second


UNUSUAL = {
    "a class below": LedoitWolf(),
    "arguments": FunctionTransformer(np.log1p, kw_args={"where": True}),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_not_as_usual_is_kept_by_skops(name, tmp_path):
    fitted = UNUSUAL[name].fit(X)
    skvae.save(fitted, tmp_path / "file")
    document, _ = unpack_file((tmp_path / "file").read_bytes())
    assert document["estimator"].keys() == {"scikit-learn"}
    loaded = skvae.load(tmp_path / "file")
    method = "transform" if hasattr(fitted, "transform") else "mahalanobis"
    np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(fitted, method)(X))


def test_a_scaler_that_lacks_what_it_is_asked_for_is_kept_by_skops(tmp_path):
    fitted = StandardScaler(with_std=False).fit(X).set_params(with_std=True)
    skvae.save(fitted, tmp_path / "file")
    document, _ = unpack_file((tmp_path / "file").read_bytes())
    assert document["estimator"].keys() == {"scikit-learn"}


def fitted_node(change):
    return lambda document, arrays: change(document["estimator"]["fitted"], arrays)


PLACE = "estimator.mean_"
CHANGES = {
    "of other columns": (
        fitted_node(lambda node, arrays: arrays.update({PLACE: np.zeros(4)})),
        ("n_columns=4 as elsewhere", "estimator.var_", "3"),
    ),
    "of two axes": (
        fitted_node(lambda node, arrays: arrays.update({PLACE: np.zeros((3, 3))})),
        ("an array of 1 axes", PLACE, "2"),
    ),
    "infinite": (
        fitted_node(lambda node, arrays: arrays.update({PLACE: np.full(3, np.inf)})),
        ("finite numbers", PLACE, "inf or nan"),
    ),
    "of flags": (
        fitted_node(lambda node, arrays: arrays.update({PLACE: np.ones(3, dtype=bool)})),
        ("an array of numbers", PLACE, "{'array': 'C'}"),
    ),
    "none": (
        fitted_node(lambda node, arrays: node.update(mean_=None) or arrays.pop(PLACE)),
        ("numbers of every column that its parameters ask for", "estimator", "none"),
    ),
    "of fewer than no rows": (
        fitted_node(lambda node, arrays: node.update(n_samples_seen_=-1)),
        ("a finite number of at least 0", "estimator.n_samples_seen_", "-1"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_numbers_that_do_not_fit_together_are_refused(name, tmp_path):
    change, sentence = CHANGES[name]
    skvae.save(StandardScaler().fit(X), tmp_path / "file")
    resealed(tmp_path / "file", change)
    with pytest.raises(SavingError, match=f"^{re.escape(must_hold(*sentence))}$"):
        skvae.load(tmp_path / "file")


@pytest.mark.parametrize("name", ["os.system", "numpy.load", ["draw_in"]])
def test_a_function_that_is_not_known_is_refused_and_not_imported(name, tmp_path):
    assert "numpy.load" not in FUNCTIONS
    skvae.save(FunctionTransformer(np.log1p), tmp_path / "file")
    resealed(
        tmp_path / "file",
        lambda document, arrays: document["estimator"]["parameters"].update(func=name),
    )
    got = name if isinstance(name, str) else repr(name)
    expected = "a function of NumPy's or of the outlier detector's"
    sentence = must_hold(expected, "estimator.func", got)
    with pytest.raises(SavingError, match=f"^{re.escape(sentence)}$"):
        skvae.load(tmp_path / "file")
