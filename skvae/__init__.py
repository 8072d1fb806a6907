"""Autoencoders as scikit-learn transformers, over skorch nets."""

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
