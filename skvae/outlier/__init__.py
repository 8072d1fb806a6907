"""Outlier detection: rows that autoencoders, or other transformers, find improbable."""

from skvae.outlier.detector import AutoencoderOutlierDetector

__all__ = ["AutoencoderOutlierDetector"]
