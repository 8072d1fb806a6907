"""Calls that a type checker has to refuse, every line of them. Nothing here is ever run.

``make lint`` fails at an ignore that has nothing to ignore.
"""
# ruff: noqa: B018

import numpy as np

from skvae import AutoencoderOutlierDetector, BetaVAETransformer, VAETransformer
from skvae.metrics import kl_decomposition, sap_score
from skvae.plotting import SampleDisplay
from skvae.tabular import TableEncoder, TableTransformer, sample_frame


def hyper_parameters() -> None:
    VAETransformer(epochs=5)  # type: ignore[call-arg]
    VAETransformer("5")  # type: ignore[arg-type]
    VAETransformer(5, [64, 32])  # type: ignore[call-arg]
    VAETransformer(n_components=None)  # type: ignore[arg-type]
    VAETransformer(n_components=2.5)  # type: ignore[arg-type]
    VAETransformer(hidden_layer_sizes=64)  # type: ignore[arg-type]
    VAETransformer(hidden_layer_sizes="64")  # type: ignore[arg-type]
    VAETransformer(hidden_layer_sizes=None)  # type: ignore[arg-type]
    VAETransformer(hidden_layer_sizes=[64.0])  # type: ignore[list-item]
    VAETransformer(image_shape=28)  # type: ignore[arg-type]
    VAETransformer(activation=None)  # type: ignore[arg-type]
    VAETransformer(activation=3)  # type: ignore[arg-type]
    VAETransformer(encoder="resnet")  # type: ignore[arg-type]
    VAETransformer(optimizer=1e-3)  # type: ignore[arg-type]
    VAETransformer(callbacks="early_stopping")  # type: ignore[arg-type]
    VAETransformer(device=0)  # type: ignore[arg-type]
    VAETransformer(early_stopping="yes")  # type: ignore[arg-type]
    VAETransformer(likelihood=None)  # type: ignore[arg-type]
    VAETransformer(noise_variance=None)  # type: ignore[arg-type]
    VAETransformer(beta=4.0)  # type: ignore[call-arg]
    BetaVAETransformer(beta="4")  # type: ignore[arg-type]
    BetaVAETransformer(capacity="25")  # type: ignore[arg-type]
    AutoencoderOutlierDetector(n_estimators=None)  # type: ignore[arg-type]
    AutoencoderOutlierDetector("pca")  # type: ignore[arg-type]
    AutoencoderOutlierDetector(None, "latent")  # type: ignore[arg-type, call-arg]
    AutoencoderOutlierDetector(contamination=None)  # type: ignore[arg-type]
    AutoencoderOutlierDetector(calibration_fraction="auto")  # type: ignore[arg-type]
    AutoencoderOutlierDetector(anomaly_score=1)  # type: ignore[arg-type]
    AutoencoderOutlierDetector(anomaly_score=len)  # type: ignore[arg-type]


def verbs(vae: VAETransformer, X: np.ndarray) -> None:
    vae.fit()  # type: ignore[call-arg]
    vae.fit(None)  # type: ignore[arg-type]
    vae.fit(X, X, X)  # type: ignore[call-arg]
    vae.fit(X, sample_weight=X)  # type: ignore[call-arg]
    vae.partial_fit()  # type: ignore[call-arg]
    vae.transform(X, X)  # type: ignore[call-arg]
    vae.sample("3")  # type: ignore[arg-type]
    vae.sample(3, 0)  # type: ignore[call-arg]
    vae.sample(random_state="0")  # type: ignore[arg-type]
    vae.reconstruction_error(X, True)  # type: ignore[call-arg]
    vae.interpolate(X[0])  # type: ignore[call-arg]
    vae.predict(X)  # type: ignore[attr-defined]


def attributes(vae: VAETransformer, detector: AutoencoderOutlierDetector) -> None:
    vae.histroy_["train_loss"]  # type: ignore[attr-defined]
    vae.history_.train_loss  # type: ignore[attr-defined]
    vae.n_iter_.mean()  # type: ignore[attr-defined]
    vae.code_mean_  # type: ignore[attr-defined]
    vae.max_epoch = 5  # type: ignore[attr-defined]
    vae.max_epochs = "5"  # type: ignore[assignment]
    detector.ofset_  # type: ignore[attr-defined]


def functions(vae: VAETransformer, X: np.ndarray) -> None:
    kl_decomposition(X, vae)  # type: ignore[arg-type]
    kl_decomposition(vae, X, 100)  # type: ignore[call-arg]
    kl_decomposition(vae, X).total_corelation  # type: ignore[attr-defined]
    sap_score(X, X, flavour="disentanglement_lib")  # type: ignore[call-arg]
    SampleDisplay.from_estimator(X, vae)  # type: ignore[arg-type]


def tables(vae: VAETransformer, X: np.ndarray) -> None:
    TableEncoder("asinh")  # type: ignore[call-arg]
    TableEncoder(missing=True)  # type: ignore[arg-type]
    TableEncoder(max_categories=None)  # type: ignore[arg-type]
    TableEncoder().fit(X).likelihoods  # type: ignore[attr-defined]
    sample_frame(vae, 5, 0)  # type: ignore[call-arg]
    TableTransformer(vae, TableEncoder())  # type: ignore[call-arg]
    TableTransformer(vae, encoder=vae)  # type: ignore[arg-type]
