"""Fitted estimators outside Python and scikit-learn: modules of torch, files of ONNX."""

from skvae.exporting.onnx_files import to_onnx
from skvae.exporting.parts import to_torch

__all__ = ["to_onnx", "to_torch"]
