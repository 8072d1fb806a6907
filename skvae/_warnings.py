"""Warnings that point to the user's line of code that called the package."""

import os
import sys
import warnings

import joblib
import sklearn
import torch

__all__ = ["warn"]

# Stack frames in these folders are not the user's code.
FOLDERS = tuple(
    os.path.join(os.path.dirname(file), "")
    for file in (__file__, torch.__file__, sklearn.__file__, joblib.__file__)
)


def warn(message, category=UserWarning):
    """Issue a warning at the innermost line of code outside of this package and its libraries.

    Parameters
    ----------
    message : str
        What was expected, what was found, and what to do.
    category : type, default=UserWarning
        The class of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(FOLDERS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
