"""Autoencoders as scikit-learn transformers, over skorch nets."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from skvae._version import __version__
from skvae._warnings import warn
from skvae.autoencoder import AutoencoderTransformer
from skvae.beta_tcvae import BetaTCVAETransformer
from skvae.beta_vae import BetaVAETransformer
from skvae.files.errors import SavingError
from skvae.imputation import VAEImputer
from skvae.outlier import AutoencoderOutlierDetector
from skvae.training.checkpoints import CheckpointWarning
from skvae.vae import VAETransformer

if TYPE_CHECKING:
    from skvae.exporting import to_onnx, to_torch
    from skvae.saving import load, save

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

# Modules under their names in versions before the folders. Users' own models import them, and
# pickles name them.
BEFORE = {
    "aggregate": "nn.aggregate",
    "base_vae": "base.variational",
    "distributions": "nn.distributions",
    "hyperparameters": "base.hyperparameters",
    "images": "nn.convolutions",
    "objectives": "nn.objectives",
}
# Few programs use these names. They are imported at first use, so that ``import skvae`` is fast.
WHEN_ASKED = {"load": "saving", "save": "saving", "to_onnx": "exporting", "to_torch": "exporting"}
CLASSES_BEFORE = {"ReconstructionOutlierDetector": "AutoencoderOutlierDetector"}
for _before, _now in BEFORE.items():
    sys.modules[f"skvae.{_before}"] = import_module(f"skvae.{_now}")


def __getattr__(name):
    if name in WHEN_ASKED:
        return getattr(import_module(f"skvae.{WHEN_ASKED[name]}"), name)
    if name not in CLASSES_BEFORE:
        raise AttributeError(f"module 'skvae' has no attribute {name!r}")
    warn(f"{name} is called {CLASSES_BEFORE[name]} now. Use that name.", FutureWarning)
    return globals()[CLASSES_BEFORE[name]]


def __dir__():
    return sorted({*globals(), *WHEN_ASKED})
