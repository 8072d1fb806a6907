"""Autoencoders as scikit-learn transformers, over skorch nets."""

import sys
from importlib import import_module

from skvae._version import __version__
from skvae._warnings import warn
from skvae.autoencoder import AutoencoderTransformer
from skvae.beta_tcvae import BetaTCVAETransformer
from skvae.beta_vae import BetaVAETransformer
from skvae.exporting import to_onnx, to_torch
from skvae.imputation import VAEImputer
from skvae.outlier import AutoencoderOutlierDetector
from skvae.saving import SavingError, load, save
from skvae.training.checkpoints import CheckpointWarning
from skvae.vae import VAETransformer

__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "BetaTCVAETransformer",
    "BetaVAETransformer",
    "CheckpointWarning",
    "SavingError",
    "VAEImputer",
    "VAETransformer",
    "__version__",
    "load",
    "save",
    "to_onnx",
    "to_torch",
]

# What models of one's own were made of, and pickles name, under the names before the folders.
BEFORE = {
    "aggregate": "nn.aggregate",
    "base_vae": "base.variational",
    "distributions": "nn.distributions",
    "hyperparameters": "base.hyperparameters",
    "images": "nn.convolutions",
    "objectives": "nn.objectives",
}
CLASSES_BEFORE = {"ReconstructionOutlierDetector": "AutoencoderOutlierDetector"}
for _before, _now in BEFORE.items():
    sys.modules[f"skvae.{_before}"] = import_module(f"skvae.{_now}")


def __getattr__(name):
    if name not in CLASSES_BEFORE:
        raise AttributeError(f"module 'skvae' has no attribute {name!r}")
    warn(f"{name} is called {CLASSES_BEFORE[name]} now. Use that name.", FutureWarning)
    return globals()[CLASSES_BEFORE[name]]
