"""Detectors and transformers that several test files use."""

import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    VAETransformer,
)

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}
TRANSFORMERS = {
    "PCA": PCA(2),
    "Pipeline": make_pipeline(StandardScaler(), PCA(2)),
    "AE": AutoencoderTransformer(2, **SMALL),
    "VAE": VAETransformer(2, **SMALL),
    "per-feature": VAETransformer(2, noise_variance="per-feature", **SMALL),
    "beta-TCVAE": BetaTCVAETransformer(2, **SMALL),
    "Pipeline of a VAE": make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)),
    "search": GridSearchCV(VAETransformer(2, **SMALL), {"n_components": [2]}, cv=2),
}
every_density = pytest.mark.parametrize("name", TRANSFORMERS)


def detector(transformer=None, **parameters):
    transformer = PCA(2) if transformer is None else transformer
    return AutoencoderOutlierDetector(transformer, **{"random_state": 0, **parameters})
