"""Rows and columns of whatever kind X is of."""

import numpy as np
from scipy.sparse import issparse

__all__ = ["dense", "numbered"]


def dense(X):
    """Return X as an array.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skvae.base.tables import dense
    >>> dense(csr_array([[0.0, 1.0]]))
    array([[0., 1.]])
    """
    return X.toarray() if issparse(X) else np.asarray(X)


def numbered(n_columns):
    """Return the names of columns that have none.

    Examples
    --------
    >>> from skvae.base.tables import numbered
    >>> numbered(2)
    array(['x0', 'x1'], dtype=object)
    """
    return np.array([f"x{column}" for column in range(n_columns)], dtype=object)
