"""Estimators to export, and what they answer themselves."""

import numpy as np
from own_modules import make_decoder, make_encoder
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

__all__ = ["DETECTORS", "PARTS", "TRANSFORMERS", "answers", "assert_equal", "image_model"]

PARTS = ("code", "reconstruction", "reconstruction_error", "score_samples")
SIZES = (1, 7, 100)
TOLERANCE = 1e-5  # of the largest result
SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}
VAE = VAETransformer(2, **SMALL)
FITTED = StandardScaler().fit(np.random.RandomState(0).rand(9, 6))
TRANSFORMERS = {  # of rows in (0, 1)
    "ae": AutoencoderTransformer(2, **SMALL),
    "linear-ae": AutoencoderTransformer(2, **{**SMALL, "hidden_layer_sizes": ()}),
    "vae": VAE,
    "linear-vae": VAETransformer(2, **{**SMALL, "hidden_layer_sizes": ()}),
    "many-codes": VAETransformer(5, **{**SMALL, "hidden_layer_sizes": (300, 20)}),
    "per-feature": VAETransformer(2, noise_variance="per-feature", **SMALL),
    "held": VAETransformer(2, noise_variance=0.1, **SMALL),
    "beta": BetaVAETransformer(2, **SMALL),
    "tc": BetaTCVAETransformer(2, **SMALL),
    "bernoulli": VAETransformer(2, likelihood="bernoulli", **SMALL),
    "scaled-bernoulli": VAETransformer(2, likelihood="bernoulli", input_scale=0.5, **SMALL),
    "continuous": VAETransformer(2, likelihood="continuous-bernoulli", input_scale=0.9, **SMALL),
    "own-modules": VAETransformer(
        2, encoder=make_encoder, decoder=make_decoder, input_scale=2.0, max_epochs=3, random_state=0
    ),
    **{
        name: VAETransformer(2, activation=name, **SMALL)
        for name in ("relu", "leaky_relu", "elu", "gelu", "tanh", "logistic")
    },
    "standard": make_pipeline(StandardScaler(), VAE),
    "only-scale": make_pipeline(StandardScaler(with_mean=False), "passthrough", VAE),
    "only-mean": make_pipeline(StandardScaler(with_std=False), VAE),
    "min-max": make_pipeline(MinMaxScaler((0.1, 0.8), clip=True), VAE),
    "max-abs": make_pipeline(MaxAbsScaler(), VAE),
    "robust": make_pipeline(RobustScaler(), AutoencoderTransformer(2, **SMALL)),
    "log": make_pipeline(
        FunctionTransformer(np.log1p, np.expm1), make_pipeline(MinMaxScaler(), VAE)
    ),
    "after": make_pipeline(FrozenEstimator(FITTED), VAE, StandardScaler()),
    "scaler": MinMaxScaler(),
}
DETECTORS = {
    "default": AutoencoderOutlierDetector(random_state=0),
    "reconstruction": AutoencoderOutlierDetector(
        VAE, anomaly_score="reconstruction", random_state=0
    ),
    "latent": AutoencoderOutlierDetector(
        make_pipeline(StandardScaler(), VAE), anomaly_score="latent", random_state=0
    ),
    "pipeline-error": AutoencoderOutlierDetector(
        make_pipeline(StandardScaler(), VAE),
        anomaly_score="reconstruction",
        contamination="auto",
        n_estimators=4,
        random_state=0,
    ),
    "held-out": AutoencoderOutlierDetector(
        VAE, calibration_fraction=0.3, n_estimators=1, random_state=0
    ),
    "after-a-scaler": make_pipeline(
        RobustScaler(), AutoencoderOutlierDetector(VAE, n_estimators=5, random_state=0)
    ),
}
UNKNOWN = make_pipeline(PCA(2), VAE)


def image_model(architecture, image_shape=(10, 8, 1), **parameters):
    """Return a model of images."""
    return VAETransformer(
        2,
        image_shape=image_shape,
        architecture=architecture,
        max_epochs=2,
        random_state=0,
        **parameters,
    )


def answers(estimator, part, X):
    """Return what an estimator itself says for a part: arrays by name."""
    if part == "code":
        return {part: estimator.transform(X)}
    if part == "score_samples":
        return {part: estimator.score_samples(X)}
    if part == "detector":
        names = ("score_samples", "decision_function", "predict")
        found = {name: getattr(estimator, name)(X) for name in names}
        if hasattr(estimator, "steps"):  # a Pipeline has no p_value
            X, estimator = estimator[:-1].transform(X), estimator[-1]
        return {**found, "p_value": estimator.p_value(X)}
    reconstruction = estimator.inverse_transform(estimator.transform(X))
    if part == "reconstruction":
        return {part: reconstruction}
    return {part: np.mean((reconstruction - X) ** 2, axis=1)}


def assert_equal(compute, estimator, part, X):
    """Assert that ``compute(rows)`` gives an estimator's answers, for few rows and for many."""
    expected = answers(estimator, part, X)
    for size in SIZES:
        found = compute(X[:size])
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert found[name].dtype == values.dtype, name
            assert found[name].shape == (size, *values.shape[1:]), name
            atol = TOLERANCE * np.abs(values).max()
            np.testing.assert_allclose(found[name], values[:size], rtol=0, atol=atol, err_msg=name)
