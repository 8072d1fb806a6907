"""Rows that are valid, of whatever kind X is."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["FittedColumns", "valid_rows"]


class FittedColumns:
    """What ``validate_data`` tells an estimator of the columns: their names if they have such."""

    n_features_in_: int
    feature_names_in_: np.ndarray


def valid_rows(estimator, X, *, accept_sparse, reset):
    """Return X, valid: a frame as one where its names were fitted, else an array or a CSR.

    Parameters
    ----------
    estimator : estimator
        Fitted, unless ``reset``.
    X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
        Rows.
    accept_sparse : bool
        Whether X may be sparse.
    reset : bool
        Whether ``fit`` asks: the estimator then takes number and names of the columns from X.

    Returns
    -------
    {array, DataFrame, CSR matrix} of shape (n_samples, n_features)
        All of them finite numbers.
    """
    if not reset:
        check_is_fitted(estimator)
    rows = validate_data(
        estimator,
        X,
        accept_sparse="csr" if accept_sparse else False,
        dtype="numeric",
        reset=reset,
        ensure_min_samples=2 if reset else 1,
    )
    named = hasattr(estimator, "feature_names_in_") and hasattr(X, "columns")
    if not named or issparse(rows):
        return rows
    has_numbers = np.asarray(X[:1]).dtype.kind in "biuf"  # or text that stands for numbers
    return X if has_numbers or not hasattr(X, "astype") else X.astype(rows.dtype)
