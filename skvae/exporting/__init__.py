"""Export of fitted estimators to torch modules and ONNX files, which run without scikit-learn."""

from skvae.exporting.onnx_files import to_onnx
from skvae.exporting.parts import to_torch

__all__ = ["to_onnx", "to_torch"]
