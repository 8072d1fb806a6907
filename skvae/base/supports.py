"""Check that the values of rows are in the support of the likelihood."""

import numpy as np
from scipy.sparse import issparse

from skvae.base.columns import ROUNDING, check_ends, column_ends
from skvae.nn.likelihoods import LIKELIHOODS

__all__ = ["check_rows", "check_support"]

BLOCK_ROWS = 2**14  # rows of a sparse matrix that are copied at a time to check their values


def check_rows(parameters, X, names):
    """Raise an error if rows have values outside the support of the likelihood.

    Parameters
    ----------
    parameters : dict of {str: object}
        The parameters of a fitted estimator, with ``_parts_`` for columns of several kinds.
    X : ndarray or CSR of shape (n_samples, n_features)
        Valid rows.
    names : sequence of str or None
        Names of the columns.
    """
    parts = parameters.get("_parts_")
    if parts is not None:
        check_ends(parts, *column_ends(X), names)
    elif np.isfinite(LIKELIHOODS[parameters["likelihood"]].support).any():
        ends = [(rows.min(), rows.max()) for rows in _blocks(X)]
        check_support(parameters, *np.min(ends, 0)[:1], *np.max(ends, 0)[1:])


def check_support(parameters, minimum, maximum):
    """Raise an error if values are outside the support of the likelihood in ``parameters``."""
    likelihood, scale = parameters["likelihood"], parameters["input_scale"]
    low, high = LIKELIHOODS[likelihood].support
    minimum, maximum = scale * float(minimum), scale * float(maximum)
    if minimum < low - ROUNDING or maximum > high + ROUNDING:
        scaled = "" if scale == 1 else " * input_scale"
        raise ValueError(
            f"The {likelihood!r} likelihood needs X{scaled} in [{low:g}, {high:g}]. Got values in "
            f"[{minimum:.8g}, {maximum:.8g}] instead. Scale X, new rows too, as "
            f"MinMaxScaler(clip=True) does, or use likelihood='gaussian'."
        )


def _blocks(X):
    """Return X in blocks of rows. Blocks of a sparse matrix are copies, which SciPy may sort."""
    if not issparse(X):
        return [X]
    return (X[start : start + BLOCK_ROWS] for start in range(0, X.shape[0], BLOCK_ROWS))
