"""Recognise training rows: a hash key for every row, and which models were fitted to it."""

from hashlib import blake2b

import numpy as np
from scipy.sparse import issparse

from skvae.outlier.tables import own_columns_of, take

__all__ = ["SeenRows", "keys_of"]

ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio, Knuth's multiplier
KEYED_ENTRIES = 2**16  # entries hashed at once: they fit into a processor's cache
SHIFTS = (np.uint64(30), np.uint64(27))


def keys_of(X):
    """Return a number for each row; rows with equal values have equal numbers.

    It is a hash of 64 bits: two different rows have the same number with probability 2**-64.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows. The number does not depend on their container or dtype, up to rounding to float32.

    Returns
    -------
    ndarray of uint64 of shape (n_samples,)

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from skvae.outlier.seen_rows import keys_of
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0]])
    >>> keys = keys_of(X)
    >>> len(set(keys.tolist())), keys_of(csr_array(X)).tolist() == keys.tolist()
    (2, True)
    """
    keys = np.zeros(X.shape[0], dtype=np.uint64)
    if issparse(X):
        rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        np.add.at(keys, rows, _mixed(_bits(X.data.astype(np.float64)), X.indices))
        return keys
    if isinstance(X, np.ndarray):
        step = max(1, KEYED_ENTRIES // X.shape[1])
        for first in range(0, len(X), step):
            some = slice(first, first + step)
            keys[some] = _mixed(_bits(X[some].astype(np.float64)), np.arange(X.shape[1])).sum(
                axis=1
            )
        return keys
    for place, values in enumerate(own_columns_of(X)):
        keys += _mixed(_bits(values), place)
    return keys


class SeenRows:
    """Which models were fitted to a given row, or to a row with equal values.

    Parameters
    ----------
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.
    bags : list of ndarray of int
        The rows that each model was fitted to; empty if a single model was fitted earlier.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.seen_rows import SeenRows
    >>> seen = SeenRows(np.array([[1.0], [2.0]]), [np.array([0]), np.array([0, 1])])
    >>> seen.unseen(np.array([[1.0], [2.0], [3.0]]))
    array([[ True,  True],
           [ True, False],
           [ True,  True]])
    """

    def __init__(self, X, bags):
        inside = np.unique(np.concatenate([np.zeros(0, dtype=int), *bags]))
        keys = keys_of(take(X, inside))
        self.keys, places = np.unique(keys, return_inverse=True)
        self.by = np.zeros((len(self.keys), max(1, len(bags))), dtype=bool)
        for model, bag in enumerate(bags):
            self.by[places[np.isin(inside, bag)], model] = True

    def unseen(self, X):
        """Return the models not fitted to each row or an equal one; all, if there are none."""
        unseen = np.ones((X.shape[0], self.by.shape[1]), dtype=bool)
        if len(self.keys):
            keys = keys_of(X)
            places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            known = self.keys[places] == keys
            unseen[known] = ~self.by[places[known]]
        return unseen | ~unseen.any(axis=1, keepdims=True)


def _bits(values):
    """Return 64 bits for each value: 0 for zero, and equal for values equal in float32."""
    if values.dtype != object:
        with np.errstate(over="ignore"):
            values = values.astype(np.float32).astype(np.float64) + 0.0  # no -0.0
        values[np.isnan(values)] = np.nan  # one nan
        return values.view(np.uint64)
    different, places = np.unique(values.astype(str), return_inverse=True)
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in different]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)[places]


def _mixed(bits, place):
    """Return bits that also depend on the column, except that the bits of zero stay 0."""
    salt = (np.atleast_1d(place).astype(np.uint64) + np.uint64(1)) * ODD  # arrays may wrap around
    mixed = bits ^ salt
    for shift in SHIFTS:
        mixed = (mixed ^ (mixed >> shift)) * ODD
    return np.where(bits == 0, np.uint64(0), mixed ^ (mixed >> np.uint64(31)))
