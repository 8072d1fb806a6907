"""Outliers: rows that a transformer cannot reconstruct, or finds improbable."""

from skvae.outlier.detector import ReconstructionOutlierDetector
from skvae.outlier.robust_vae import RobustVAE

__all__ = ["ReconstructionOutlierDetector", "RobustVAE"]
