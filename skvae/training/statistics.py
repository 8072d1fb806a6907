"""Statistics of the columns of training rows: means, variances, minima and maxima."""

from typing import NamedTuple

import numpy as np

from skvae.training.batches import dense_rows

__all__ = ["ColumnStatistics", "column_statistics"]

STATISTICS_ENTRIES = 2**16  # entries of a chunk, which stays in the cache as float64


class ColumnStatistics(NamedTuple):
    """Mean, variance (with divisor n), minimum and maximum of every column, as float64."""

    mean: np.ndarray
    variance: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray


def column_statistics(X, rows, *, expand=None, holes=False):
    """Return the :class:`ColumnStatistics` of some rows of X, read in chunks.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows of any numeric dtype.
    rows : ndarray of int
        Indices of the rows to use.
    expand : callable, default=None
        Function from a chunk of float64 rows to the columns to describe. None: the columns of X.
    holes : bool, default=False
        Whether NaN marks a missing value, which is ignored. A column without any value has mean and
        variance 0, and an infinite minimum and maximum.

    Raises ValueError if an entry is not finite. scikit-learn does not check this if it is
    configured to assume finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.statistics import column_statistics
    >>> column_statistics(np.array([[1.0], [3.0], [100.0]]), np.array([0, 1])).variance
    array([1.])
    """
    n_rows = max(1, STATISTICS_ENTRIES // X.shape[1])

    def taken(some):
        chunk = dense_rows(X, some)
        return chunk if expand is None else expand(chunk.astype(np.float64))

    least, most = (np.fmin, np.fmax) if holes else (np.minimum, np.maximum)
    # Subtract one row of the data first, so that the variance loses few digits.
    shift = np.nan_to_num(taken(rows[:1])[0].astype(np.float64), nan=0.0 if holes else np.nan)
    total, squares, known = np.zeros((3, len(shift)))
    minimum, maximum = np.full(len(shift), np.inf), np.full(len(shift), -np.inf)
    for start in range(0, len(rows), n_rows):
        chunk = taken(rows[start : start + n_rows])
        least(minimum, least.reduce(chunk), out=minimum)
        most(maximum, most.reduce(chunk), out=maximum)
        missing = np.isnan(chunk) if holes else np.zeros(chunk.shape, bool)
        known += len(chunk) - missing.sum(0)
        finite = np.isfinite(minimum) & np.isfinite(maximum) | (known == 0)
        if not finite.all():
            raise ValueError(
                f"All entries must be finite numbers. Got nan or inf in column "
                f"{np.argmin(finite)} instead. Fill them in, or leave their rows out."
            )
        chunk = chunk.astype(np.float64)
        chunk -= shift
        chunk[missing] = 0.0
        total += chunk.sum(0)
        squares += np.einsum("ij,ij->j", chunk, chunk)
    mean = total / np.maximum(known, 1)
    variance = np.maximum(squares / np.maximum(known, 1) - mean**2, 0.0)
    variance[minimum == maximum] = 0.0
    return ColumnStatistics(shift + mean, variance, minimum, maximum)
