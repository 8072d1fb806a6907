"""Rows that are valid, of whatever kind X is."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["FittedColumns", "check_flat", "dense", "generated_feature_names"]

MOST_CHANNELS = 4  # of images whose channels seem to come first


class FittedColumns:
    """What ``validate_data`` tells an estimator of the columns: their names if they have such."""

    n_features_in_: int
    feature_names_in_: np.ndarray


def check_flat(X, name="X"):
    """Refuse rows with their targets, and images that are not yet rows."""
    shape = getattr(X, "shape", ())
    if isinstance(X, list | tuple) and X:
        shape = (len(X), *getattr(X[0], "shape", ()))
        are_images = isinstance(X, list) and np.shape(X[-1]) == shape[1:]
        if len(X) == 2 and len(shape) == 3 and not are_images:
            raise ValueError(
                f"{name} must be rows alone, (n_samples, n_features). Got a pair of arrays "
                f"instead. Pass the first: the target of a row is the row itself."
            )
    if len(shape) > 2:
        image_shape, rows = (*shape[1:], 1)[:3], "np.reshape(X, (len(X), -1))"
        if len(shape) == 4 and shape[1] <= MOST_CHANNELS < shape[3]:
            image_shape, rows = (*shape[2:], shape[1]), "np.moveaxis(X, 1, 3).reshape(len(X), -1)"
        raise ValueError(
            f"{name} must be flat, (n_samples, n_features). Got shape {tuple(shape)} instead. "
            f"Use {rows}, with image_shape={image_shape} for convolutions."
        )


def dense(X):
    """Return X as an array.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skvae.base.validation import dense
    >>> dense(csr_array([[0.0, 1.0]]))
    array([[0., 1.]])
    """
    return X.toarray() if issparse(X) else np.asarray(X)


def generated_feature_names(n_columns):
    """Return the names of columns that have none.

    Examples
    --------
    >>> from skvae.base.validation import generated_feature_names
    >>> generated_feature_names(2)
    array(['x0', 'x1'], dtype=object)
    """
    return np.array([f"x{column}" for column in range(n_columns)], dtype=object)
