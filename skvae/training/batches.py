"""How the rows of an array become tensors: in batches, never the whole at once."""

from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse

__all__ = [
    "Batches",
    "ColumnStatistics",
    "batch_slices",
    "column_statistics",
    "dense_rows",
    "in_chunks",
    "tensor_chunks",
    "working_dtype",
]

BLOCK_ENTRIES = 2**18  # entries gathered at a time: 1 MB of float32, so that they stay in cache
CHUNK_ENTRIES = 2**21  # entries of an inference chunk
STATISTICS_ENTRIES = 2**16  # entries of a chunk of the statistics, in cache as float64


def working_dtype(dtype):
    """Return float32 for float32 and all of one byte and half precision, else float64."""
    narrow = (dtype.kind in "biu" and dtype.itemsize == 1) or dtype in (np.float16, np.float32)
    return np.dtype(np.float32 if narrow else np.float64)


def dense_rows(X, rows):
    """Return some rows of an array or of a sparse matrix, given by indices or a slice, dense.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skvae.training.batches import dense_rows
    >>> dense_rows(csr_array([[0, 1], [2, 0], [0, 0]]), [1, 2])
    array([[2, 0],
           [0, 0]])
    """
    chunk = X[rows]
    return chunk.toarray() if sparse.issparse(chunk) else chunk


def batch_slices(n_samples, batch_size):
    """Return (start, stop) of every batch; a single left-over row joins the batch before it.

    Examples
    --------
    >>> from skvae.training.batches import batch_slices
    >>> batch_slices(7, 3)
    [(0, 3), (3, 7)]
    """
    starts = list(range(0, n_samples, batch_size))
    if batch_size > 1 and n_samples > batch_size and n_samples % batch_size == 1:
        del starts[-1]
    return list(zip(starts, [*starts[1:], n_samples], strict=True))


class Batches:
    """Mini-batches of some rows of X as float32 tensors, shuffled anew at each iteration.

    The row indices are permuted, and the rows gathered into one buffer, a block of batches
    at a time; a batch is a view of it, valid until the next block. ``full`` is the number of
    rows of a full batch.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Any numeric dtype; a memory map is read in place.
    rows : ndarray of int
        The rows to take.
    batch_size : int
        Rows in a batch.
    generator : torch.Generator, default=None
        Source of the permutations; None keeps the order of ``rows``.
    device : str or torch.device, default="cpu"
        Where the batches are wanted.
    """

    def __init__(self, X, rows, batch_size, generator=None, device="cpu"):
        self.X = X
        self.rows = rows
        self.generator = generator
        self.device = torch.device(device)
        self.full = min(batch_size, len(rows))
        self.slices = batch_slices(len(rows), batch_size)
        per_block = max(1, BLOCK_ENTRIES // (batch_size * X.shape[1]))
        self.blocks = [
            self.slices[start : start + per_block]
            for start in range(0, len(self.slices), per_block)
        ]

    @property
    def n_samples(self):
        """Number of rows in one iteration."""
        return len(self.rows)

    def __iter__(self):
        rows = self.rows
        if self.generator is not None:
            rows = rows[torch.randperm(len(rows), generator=self.generator).numpy()]
        largest = max(block[-1][1] - block[0][0] for block in self.blocks)
        buffer = np.empty((largest, self.X.shape[1]), dtype=np.float32)
        tensor = torch.from_numpy(buffer)
        # Of any other layout np.take would first copy all of X.
        takes = isinstance(self.X, np.ndarray) and self.X.flags.c_contiguous
        takes = takes and self.X.dtype == np.float32
        for block in self.blocks:
            first, last = block[0][0], block[-1][1]
            gathered = buffer[: last - first]
            if takes:
                np.take(self.X, rows[first:last], axis=0, out=gathered, mode="clip")
            else:
                gathered[:] = dense_rows(self.X, rows[first:last])
            for start, stop in block:
                yield tensor[start - first : stop - first].to(self.device)


def tensor_chunks(X, width, dtype, device="cpu"):
    """Yield all rows of X, in their order, as tensors of a bounded size.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_columns)
        The rows.
    width : int
        Numbers that a row takes up at the widest place; it sets the length of a chunk.
    dtype : numpy dtype
        Of the tensors.
    device : str or torch.device, default="cpu"
        Where the tensors are wanted.

    Yields
    ------
    tensor of shape (n_chunk, n_columns)
        Free to be changed, and overwritten by the next.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.batches import tensor_chunks
    >>> [x.shape for x in tensor_chunks(np.zeros((5, 2)), 2**20, np.float32)]
    [torch.Size([2, 2]), torch.Size([2, 2]), torch.Size([1, 2])]
    """
    n_samples, n_columns = X.shape
    n_rows = max(1, CHUNK_ENTRIES // width)
    buffer = np.empty((min(n_rows, n_samples), n_columns), dtype)
    for start in range(0, n_samples, n_rows):
        chunk = buffer[: min(n_rows, n_samples - start)]
        chunk[:] = dense_rows(X, slice(start, start + n_rows))
        yield torch.from_numpy(chunk).to(device)


def in_chunks(function, X, n_outputs, width, dtype, device="cpu"):
    """Return ``function`` of the rows of X, computed in chunks without gradients.

    Parameters
    ----------
    function : callable
        A tensor (n_chunk, n_columns) in; a tensor (n_chunk, n_outputs), or (n_chunk,) where
        ``n_outputs`` is None, out. Row i of the output depends on row i of the input alone.
    X : ndarray or CSR of shape (n_samples, n_columns)
        The rows.
    n_outputs : int or None
        Columns of the result.
    width : int
        Numbers that a row takes up at the widest place; it sets the length of a chunk.
    dtype : numpy dtype
        float32 or float64: of the computation and of the result.
    device : str or torch.device, default="cpu"
        Where to compute.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs) or (n_samples,)
    """
    n_samples = X.shape[0]
    shape = (n_samples,) if n_outputs is None else (n_samples, n_outputs)
    result = np.empty(shape, dtype=dtype)
    start = 0
    with torch.inference_mode():
        for x in tensor_chunks(X, width, dtype, device):
            result[start : start + len(x)] = function(x).cpu().numpy()
            start += len(x)
    return result


class ColumnStatistics(NamedTuple):
    """Mean, variance (of n, not n - 1), least and greatest value of every column, float64."""

    mean: np.ndarray
    variance: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray


def column_statistics(X, rows):
    """Return the :class:`ColumnStatistics` of some rows of X, read in chunks.

    Raises ValueError where an entry is not finite, which scikit-learn may have been told to assume.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.batches import column_statistics
    >>> column_statistics(np.array([[1.0], [3.0], [100.0]]), np.array([0, 1])).variance
    array([1.])
    """
    n_features = X.shape[1]
    n_rows = max(1, STATISTICS_ENTRIES // n_features)
    # Sums about a row of the data do not cancel.
    shift = dense_rows(X, rows[:1])[0].astype(np.float64)
    total, squares = np.zeros(n_features), np.zeros(n_features)
    minimum, maximum = np.full(n_features, np.inf), np.full(n_features, -np.inf)
    for start in range(0, len(rows), n_rows):
        chunk = dense_rows(X, rows[start : start + n_rows])
        np.minimum(minimum, chunk.min(0), out=minimum)
        np.maximum(maximum, chunk.max(0), out=maximum)
        finite = np.isfinite(minimum) & np.isfinite(maximum)
        if not finite.all():
            raise ValueError(
                f"All entries must be finite numbers. Got nan or inf in column "
                f"{np.argmin(finite)} instead. Fill them in, or leave their rows out."
            )
        chunk = chunk.astype(np.float64)
        chunk -= shift
        total += chunk.sum(0)
        squares += np.einsum("ij,ij->j", chunk, chunk)
    mean = total / len(rows)
    variance = np.maximum(squares / len(rows) - mean**2, 0.0)
    variance[minimum == maximum] = 0.0
    return ColumnStatistics(shift + mean, variance, minimum, maximum)
