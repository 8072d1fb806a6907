"""What cannot be fitted is said in a sentence, and a fit that fails leaves nothing."""

import re

import numpy as np
import pytest
from detectors import detector
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.exceptions import NotFittedError


def test_a_fit_that_fails_leaves_nothing(table):
    fitted = detector().fit(table)
    with pytest.raises(ValueError, match="n_components=9"):
        fitted.set_params(transformer=PCA(9)).fit(table)
    assert not [name for name in vars(fitted) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        fitted.predict(table)


class Shortening(TransformerMixin, BaseEstimator):
    """A transformer whose inverse is none."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X

    def inverse_transform(self, X):
        return X[:, 1:]


ERRORS = [
    (
        {"transformer": KernelPCA(2)},
        TypeError,
        "anomaly_score='likelihood' needs a transformer with score_samples. Got KernelPCA "
        "instead. Use anomaly_score='reconstruction'.",
    ),
    (
        {"transformer": FactorAnalysis(2), "anomaly_score": "reconstruction"},
        TypeError,
        "anomaly_score='reconstruction' needs a transformer with inverse_transform. Got "
        "FactorAnalysis instead. Use anomaly_score='latent'.",
    ),
    (
        {"n_estimators": 2},
        ValueError,
        "Every row needs a model that has not seen it: n_estimators must be at least 3 without "
        "calibration_fraction. Got 2 instead. Set calibration_fraction, such as to 0.2, or use "
        "more models.",
    ),
    (
        {"anomaly_score": lambda transformer, X: X},
        ValueError,
        "anomaly_score must return finite numbers of shape (n_rows,), one for each row. Got shape "
        "(n_rows, 6) instead. Return them, higher for more normal rows.",
    ),
    (
        {"anomaly_score": lambda transformer, X: np.full(len(X), np.nan)},
        ValueError,
        "anomaly_score must return finite numbers of shape (n_rows,), one for each row. Got inf or "
        "nan instead. Return them, higher for more normal rows.",
    ),
    (
        {"calibration_fraction": 0.999},
        ValueError,
        "Calibration needs at least 3 rows to train on and one to hold out. Got n_samples=400 "
        "with calibration_fraction=0.999 instead. Give more rows, or hold out fewer.",
    ),
    (
        {"transformer": Shortening(), "anomaly_score": "reconstruction"},
        ValueError,
        "inverse_transform must return rows like those of X, of shape (n_rows, 6). Got shape "
        "(n_rows, 5) from Shortening instead. Give a transformer whose inverse_transform undoes "
        "transform.",
    ),
]


@pytest.mark.parametrize(("parameters", "error", "sentence"), ERRORS)
def test_what_cannot_be_fitted_is_said_in_a_sentence(parameters, error, sentence, table):
    pattern = re.escape(sentence).replace("n_rows", r"\d+")  # of a part of the rows
    with pytest.raises(error, match=f"^{pattern}$"):
        detector(**parameters).fit(table)


@pytest.mark.parametrize(
    "parameters",
    [
        {"transformer": 3},
        {"anomaly_score": "elbo"},
        {"contamination": 0.6},
        {"contamination": 0.0},
        {"contamination": "much"},
        {"calibration_fraction": 1.0},
        {"n_estimators": 0},
        {"max_samples": 1},
        {"n_refits": -1},
        {"n_jobs": "all"},
        {"random_state": "x"},
    ],
)
def test_a_parameter_out_of_its_range_is_named(parameters, table):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"^The '{name}' parameter of AutoencoderOutlierD"):
        detector(**parameters).fit(table)


def interrupted(transformer, X):
    raise KeyboardInterrupt


def test_a_fit_that_is_interrupted_leaves_nothing(table):
    fitted = detector().fit(table)
    with pytest.raises(KeyboardInterrupt):
        fitted.set_params(anomaly_score=interrupted).fit(table)
    assert not [name for name in vars(fitted) if name.endswith("_")]


class Improbable(PCA):
    def score_samples(self, X):
        return np.where(np.arange(len(X)) < 3, -np.inf, 0.0)


class Singular(PCA):
    def score_samples(self, X):
        raise np.linalg.LinAlgError("singular")


@pytest.mark.parametrize("transformer", [Improbable(2), Singular(2)])
def test_a_density_that_is_none_is_said_in_a_sentence(transformer, table):
    sentence = (
        f"The scores of the rows fitted must be finite. Got n_bad of 400 that are not, from "
        f"{type(transformer).__name__}. Use fewer components, or anomaly_score='reconstruction'."
    )
    pattern = re.escape(sentence).replace("n_bad", r"\d+")
    with pytest.raises(ValueError, match=f"^{pattern}$"):
        detector(transformer).fit(table)
