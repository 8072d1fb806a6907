"""Calls that a type checker has to accept, and what it takes their results to be. They run too."""

from dataclasses import KW_ONLY
from functools import partial
from typing import assert_type

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.base import NON_NEGATIVE, BaseVAETransformer, hyperparameters
from skvae.datasets import make_sprites
from skvae.metrics import kl_decomposition, sap_score
from skvae.model_selection import beta_curve, elbo_scorer, latent_scorer
from skvae.nn import BetaObjective
from skvae.plotting import ReconstructionDisplay, SampleDisplay
from skvae.tabular import TableEncoder, TableTransformer, infer_likelihood, sample_frame

X: np.ndarray = np.random.RandomState(0).standard_normal((100, 4))
factors = np.arange(100)[:, None] % 2


def two_layers(n_inputs: int, n_outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_inputs, 3), nn.ReLU(), nn.Linear(3, n_outputs))


def first_column(transformer: BaseEstimator, rows: np.ndarray) -> np.ndarray:
    return rows[:, 0]


def fitted() -> VAETransformer:
    return VAETransformer(2, hidden_layer_sizes=[4], max_epochs=1, random_state=0).fit(X)


def test_hyper_parameters() -> None:
    image = make_sprites(1, size=16).images[0]
    estimators: list[BaseEstimator] = [
        VAETransformer(),
        VAETransformer(X.shape[1], hidden_layer_sizes=[64, 32], image_shape=None),
        VAETransformer(hidden_layer_sizes=(), activation=nn.ReLU, device=torch.device("cpu")),
        VAETransformer(hidden_layer_sizes=(64,), activation=partial(nn.LeakyReLU, 0.2)),
        VAETransformer(hidden_layer_sizes=np.array([64, 32]), activation=lambda: nn.Softplus()),
        VAETransformer(image_shape=[16, 16, 1], architecture="paper", callbacks=None),
        VAETransformer(image_shape=(*image.shape, 1), callbacks=[], lr=np.float64(0.1)),
        VAETransformer(encoder=two_layers, decoder=nn.Linear, callbacks=(), tol=0),
        VAETransformer(optimizer=torch.optim.SGD, random_state=None, device="cpu"),
        VAETransformer(
            optimizer=partial(torch.optim.SGD, momentum=0.9), random_state=np.random.RandomState(0)
        ),
        AutoencoderTransformer(5, optimizer="adamw", random_state=0),
        AutoencoderTransformer(5, precision="bfloat16"),
        BetaVAETransformer(beta=4, noise_variance=1),
        BetaVAETransformer(beta=4.0, noise_variance=0.5, capacity=None),
        BetaVAETransformer(capacity=25.0, capacity_epochs=10),
        BetaTCVAETransformer(alpha=1, tc_sampling="mss", n_samples=None),
        BetaTCVAETransformer(n_samples=10_000),
        AutoencoderOutlierDetector(),
        AutoencoderOutlierDetector(None, contamination="auto", calibration_fraction=None),
        AutoencoderOutlierDetector(PCA(2), contamination=0.2, calibration_fraction=0.3),
        AutoencoderOutlierDetector(make_pipeline(StandardScaler(), PCA(2))),
        AutoencoderOutlierDetector(GridSearchCV(PCA(), {"n_components": [1, 2]})),
        AutoencoderOutlierDetector(VAETransformer(2), anomaly_score=first_column),
        AutoencoderOutlierDetector(FactorAnalysis(2), n_estimators=5, max_samples=100, n_refits=0),
        AutoencoderOutlierDetector(KernelPCA(2), anomaly_score="latent", n_jobs=2, random_state=0),
    ]
    estimators += [
        VAETransformer(likelihood=likelihood, noise_variance=noise_variance)
        for likelihood in ("gaussian", "bernoulli")
        for noise_variance in ("learned", "pca")
    ]
    for estimator in estimators:
        estimator._validate_params()


@hyperparameters
class OwnTransformer(BaseVAETransformer):
    _: KW_ONLY
    strength: float = 10.0

    _parameter_constraints = {**BaseVAETransformer._parameter_constraints, "strength": NON_NEGATIVE}

    def _objective(self, n_samples):
        return BetaObjective(self.strength)


def test_a_model_of_ones_own() -> None:
    own = OwnTransformer(2, strength=3, max_epochs=1).fit(X)
    assert_type(own, OwnTransformer)
    assert_type(own.strength, float)


def test_rows_of_any_kind() -> None:
    vae = fitted()
    frame = pd.DataFrame(X)
    for rows in (X.tolist(), list(X), X.astype(np.float32), csr_array(X), csr_matrix(X), frame):
        vae.transform(rows)
    vae.transform([[0, 1, 2, 3]])
    vae.interpolate(X[0], frame.iloc[1], 3)
    columns = pl.from_numpy(X)
    vae.fit(columns).score(columns)


def test_life_of_a_transformer() -> None:
    vae = VAETransformer(2, max_epochs=1)
    assert_type(vae.fit(X), VAETransformer)
    assert_type(vae.fit(X, np.zeros(100)).partial_fit(X), VAETransformer)
    assert_type(vae.set_params(early_stopping=True).fit(X, X_val=X), VAETransformer)
    assert_type(vae.load_weights(vae.net_.module_.state_dict(), X), VAETransformer)
    assert vae.get_params()["lr"] == VAETransformer().lr
    codes: np.ndarray = vae.fit_transform(X)
    assert_type(vae.inverse_transform(codes), np.ndarray)
    vae.set_output(transform="default").get_feature_names_out()


def test_verbs() -> None:
    vae = fitted()
    assert_type(vae.transform(X), np.ndarray)
    assert_type(vae.reconstruct(X), np.ndarray)
    assert_type(vae.reconstruction_error(X, per_feature=True), np.ndarray)
    assert_type(vae.posterior(X), tuple[np.ndarray, np.ndarray])
    assert_type(vae.score_samples(X), np.ndarray)
    assert_type(vae.score(X), float)
    assert_type(vae.sample(), np.ndarray)
    assert_type(vae.sample(3, random_state=0, observation_noise=True), np.ndarray)
    log_likelihood, ess = vae.log_likelihood(X, n_importance=5, return_ess=True)
    assert log_likelihood.mean() < vae.log_likelihood(X, random_state=0).mean() + ess.max()


def test_fitted_attributes() -> None:
    vae = fitted()
    assert_type(vae.history_, dict[str, np.ndarray])
    assert vae.history_["train_loss"].mean() < np.inf
    assert_type(vae.n_iter_, int)
    assert_type(vae.n_samples_seen_, int)
    assert_type(vae.n_features_in_, int)
    assert_type(vae.noise_variance_, float | np.ndarray)
    autoencoder = AutoencoderTransformer(2, max_epochs=1).fit(pd.DataFrame(X, columns=list("abcd")))
    assert_type(autoencoder.feature_names_in_, np.ndarray)
    assert_type(autoencoder.code_mean_, np.ndarray)
    assert_type(autoencoder.code_covariance_, np.ndarray)


def test_detectors() -> None:
    detector = AutoencoderOutlierDetector(PCA(2), calibration_fraction=0.2).fit(X)
    assert_type(detector, AutoencoderOutlierDetector)
    assert_type(detector.offset_, float)
    assert_type(detector.calibration_scores_, np.ndarray)
    assert_type(detector.oob_scores_, np.ndarray)
    assert_type(detector.estimators_samples_, list[np.ndarray])
    assert_type(detector.p_value(X), np.ndarray)
    assert_type(detector.predict(X), np.ndarray)
    assert detector.explain(X[:5], n_features=2).to_frame().shape == (10, 5)
    detector.fit_predict(X)


def test_tables() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": ["x", "y"] * 50})
    encoder = TableEncoder(numeric="asinh", min_frequency=0.1, missing="keep").fit(frame)
    assert_type(encoder, TableEncoder)
    assert_type(encoder.transform(frame), np.ndarray)
    assert_type(encoder.likelihoods_, list[tuple[str, list[int]]])
    assert_type(encoder.maps_, dict[str, str])
    assert encoder.inverse_transform(encoder.transform(frame)).shape == frame.shape
    assert TableEncoder().fit(pl.DataFrame({"a": X[:, 0]})).inverse_transform([[0.0]]).height == 1
    pipeline = make_pipeline(TableEncoder(), fitted().set_params(n_components=1)).fit(frame)
    assert sample_frame(pipeline, 2, random_state=0).shape == (2, 2)
    assert_type(infer_likelihood(X).likelihood, list)
    table = TableTransformer(VAETransformer(1, max_epochs=1, missing="mask"), random_state=0)
    assert_type(table.fit(frame), TableTransformer)
    assert_type(table.transform(frame), np.ndarray)
    assert_type(table.score(frame), float)
    assert table.sample(2, random_state=0).shape == (2, 2)
    assert len(table.impute(frame, n_draws=2)) == 2


@pytest.mark.filterwarnings("ignore:The mean divergence should be below")
def test_functions() -> None:
    vae = fitted()
    assert_type(kl_decomposition(vae, X, random_state=0).kl, float)
    assert sap_score(factors, vae.transform(X), random_state=0) <= 1
    assert_type(elbo_scorer(make_pipeline(StandardScaler(), vae).fit(X), X), float)
    search = GridSearchCV(vae, {"n_components": [1, 2]}, scoring=latent_scorer(sap_score), cv=2)
    assert_type(elbo_scorer(search.fit(X, factors), X), float)
    assert_type(beta_curve(BetaVAETransformer(2, max_epochs=1), X, betas=[1, 2]).kl, np.ndarray)
    ReconstructionDisplay.from_estimator({"one": vae, "another": vae}, X)
    assert_type(SampleDisplay.from_estimator([vae, vae], X, n_samples=2), SampleDisplay)
