"""How the package warns: at the line of the user's that called it."""

import os
import sys
import warnings

import joblib
import sklearn
import torch

__all__ = ["warn"]

# The frames of these packages are not the user's.
FOLDERS = tuple(
    os.path.join(os.path.dirname(file), "")
    for file in (__file__, torch.__file__, sklearn.__file__, joblib.__file__)
)


def warn(message, category=UserWarning):
    """Issue a warning that names the innermost line outside of this package and its callers.

    Parameters
    ----------
    message : str
        Expected, got, remedy.
    category : type, default=UserWarning
        The class of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(FOLDERS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
