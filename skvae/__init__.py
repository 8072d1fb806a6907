"""Autoencoders as scikit-learn transformers, over skorch nets."""

import sys
from importlib import import_module

from skvae._version import __version__
from skvae.autoencoder import AutoencoderTransformer
from skvae.beta_tcvae import BetaTCVAETransformer
from skvae.beta_vae import BetaVAETransformer
from skvae.outlier import ReconstructionOutlierDetector
from skvae.vae import VAETransformer

__all__ = [
    "AutoencoderTransformer",
    "BetaTCVAETransformer",
    "BetaVAETransformer",
    "ReconstructionOutlierDetector",
    "VAETransformer",
    "__version__",
]

# What models of one's own were made of, and pickles name, under the names before the folders.
BEFORE = {
    "aggregate": "nn.aggregate",
    "base_vae": "base.variational",
    "distributions": "nn.distributions",
    "hyperparameters": "base.hyperparameters",
    "images": "nn.convolutions",
    "objectives": "nn.objectives",
    "robust_vae": "outlier.robust_vae",
}
for _before, _now in BEFORE.items():
    sys.modules[f"skvae.{_before}"] = import_module(f"skvae.{_now}")
