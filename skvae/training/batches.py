"""Convert the rows of an array to tensors in batches. On the CPU, never all rows at once."""

import numpy as np
import torch
from scipy import sparse

from skvae.training import transfers

__all__ = [
    "Batches",
    "batch_slices",
    "chunk_length",
    "dense_rows",
    "in_chunks",
    "tensor_chunks",
    "working_dtype",
]

BLOCK_ENTRIES = 2**18  # entries gathered at a time: 1 MB of float32, which stays in the cache
# Size of an inference chunk in the widest layer. The inputs and outputs of a layer then stay in the
# cache, and the time of the function calls is small in comparison.
CHUNK_BYTES = 2**21
# Only many rows keep a GPU busy. 128 MB of float32 in the widest layer are little of its memory.
GPU_CHUNK_ENTRIES = 2**25
GATHERED_ENTRIES = 2**26  # entries of a result kept on a GPU, 256 MB of float32, before a transfer


def working_dtype(dtype):
    """Return float32 for float32, float16 and dtypes of one byte, and float64 for others."""
    narrow = (dtype.kind in "biu" and dtype.itemsize == 1) or dtype in (np.float16, np.float32)
    return np.dtype(np.float32 if narrow else np.float64)


def dense_rows(X, rows):
    """Return some rows of an array or a sparse matrix as an array; ``rows`` is indices or a slice.

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
    """Return (start, stop) of every batch. If a single row is left, it joins the last batch.

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
    """Mini-batches of some rows of X as float32 tensors, in order or shuffled.

    On the CPU, the rows of several batches, a block, are gathered into one buffer at a time. On a
    GPU, the blocks come from :func:`skvae.training.transfers.rows_on`. A batch is a view of its
    block, and is valid until the next block. ``full`` is the number of rows of a full batch.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Rows of any numeric dtype. A memory map is not loaded as a whole.
    rows : ndarray of int
        Indices of the rows to use.
    batch_size : int
        Number of rows in a batch.
    device : str or torch.device, default="cpu"
        Device of the batches.
    """

    def __init__(self, X, rows, batch_size, device="cpu"):
        self.X = X
        self.rows = rows
        self.device = torch.device(device)
        self.full = min(batch_size, len(rows))
        self.slices = batch_slices(len(rows), batch_size)
        entries = transfers.BLOCK_ENTRIES if _is_gpu(device) else BLOCK_ENTRIES
        per_block = max(1, entries // (batch_size * X.shape[1]))
        self.blocks = [
            self.slices[start : start + per_block]
            for start in range(0, len(self.slices), per_block)
        ]
        self.on_gpu = None

    @property
    def n_samples(self):
        """Number of rows in one iteration."""
        return len(self.rows)

    def resized(self, batch_size):
        """Return batches of the same rows with another size. A GPU keeps the rows only once."""
        other = Batches(self.X, self.rows, batch_size, self.device)
        other.on_gpu = self.on_gpu
        return other

    def __iter__(self):
        return self._batches(None)

    def shuffled(self, generator):
        """Iterate in a random order, which is drawn on the device of the generator."""
        n_samples, place = self.n_samples, generator.device
        return self._batches(torch.randperm(n_samples, generator=generator, device=place))

    def _batches(self, order):
        bounds = [(block[0][0], block[-1][1]) for block in self.blocks]
        gathered = self._sent if _is_gpu(self.device) else self._gathered
        for block, rows in zip(self.blocks, gathered(order, bounds), strict=True):
            first = block[0][0]
            for start, stop in block:
                yield rows[start - first : stop - first]

    def _gathered(self, order, bounds):
        """Yield blocks that are gathered on the CPU."""
        rows = self.rows if order is None else self.rows[order.numpy()]
        largest = max(last - first for first, last in bounds)
        buffer = np.empty((largest, self.X.shape[1]), dtype=np.float32)
        tensor = torch.from_numpy(buffer)
        for first, last in bounds:
            _gather(self.X, rows[first:last], buffer[: last - first])
            yield tensor[: last - first].to(self.device)

    def _sent(self, order, bounds):
        """Return blocks on a GPU. The first call decides whether all rows fit into its memory."""
        if self.on_gpu is None:

            def read(places, out):
                _gather(self.X, self.rows[places], out)

            shape, dtype = (self.n_samples, self.X.shape[1]), transfers.torch_dtype(self.X.dtype)
            self.on_gpu = transfers.rows_on(self.device, read, shape, dtype)
        return self.on_gpu.blocks(order, bounds)


def _is_gpu(device):
    """Return whether a device is a CUDA GPU, to which rows are copied by streams and events."""
    return torch.device(device).type == "cuda"


def _gather(X, rows, out):
    """Write some rows of X, given by indices, into an array."""
    # With another memory layout, np.take would first copy all of X.
    if isinstance(X, np.ndarray) and X.flags.c_contiguous and X.dtype == out.dtype:
        np.take(X, rows, axis=0, out=out, mode="clip")
    else:
        out[:] = dense_rows(X, rows)


def chunk_length(width, dtype, device="cpu"):
    """Return the number of rows in an inference chunk; parameters are as in :func:`tensor_chunks`.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.batches import chunk_length
    >>> chunk_length(256, np.float32), chunk_length(256, np.float64)
    (2048, 1024)
    """
    on_cpu = CHUNK_BYTES // np.dtype(dtype).itemsize
    return max(1, (GPU_CHUNK_ENTRIES if _is_gpu(device) else on_cpu) // width)


def tensor_chunks(X, width, dtype, device="cpu"):
    """Yield all rows of X, in their order, as tensors of a bounded size.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_columns)
        The rows.
    width : int
        Number of floats of a row in the widest layer. It determines the length of a chunk.
    dtype : numpy dtype
        Dtype of the tensors.
    device : str or torch.device, default="cpu"
        Device of the tensors.

    Yields
    ------
    tensor of shape (n_chunk, n_columns)
        A chunk, which may be changed in place. The next chunk overwrites it; on a GPU, the second
        next chunk does.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.batches import tensor_chunks
    >>> [x.shape for x in tensor_chunks(np.zeros((5, 2)), 2**18, np.float32)]
    [torch.Size([2, 2]), torch.Size([2, 2]), torch.Size([1, 2])]
    """
    n_samples, n_columns = X.shape
    n_rows = chunk_length(width, dtype, device)
    bounds = [(start, min(start + n_rows, n_samples)) for start in range(0, n_samples, n_rows)]

    def read(places, out):
        out[:] = dense_rows(X, places)

    if _is_gpu(device):
        wanted = torch.from_numpy(np.empty(0, dtype)).dtype
        sent = transfers.torch_dtype(X.dtype, wanted)
        for x in transfers.sent_ahead(read, bounds, n_columns, sent, device):
            yield x.to(wanted)
        return
    buffer = np.empty((min(n_rows, n_samples), n_columns), dtype)
    for first, last in bounds:
        read(slice(first, last), buffer[: last - first])
        yield torch.from_numpy(buffer[: last - first]).to(device)


@torch.inference_mode()
def in_chunks(function, X, n_outputs, width, dtype, device="cpu"):
    """Return ``function`` for all rows of X, computed in chunks without gradients.

    Parameters
    ----------
    function : callable
        Function from a tensor (n_chunk, n_columns) to a tensor (n_chunk, n_outputs), or (n_chunk,)
        if ``n_outputs`` is None. Row i of the output must depend only on row i of the input.
    X : ndarray or CSR of shape (n_samples, n_columns)
        The rows.
    n_outputs : int or None
        Number of columns of the result.
    width : int
        Number of floats of a row in the widest layer. It determines the length of a chunk.
    dtype : numpy dtype
        Dtype of the computation and of the result, float32 or float64.
    device : str or torch.device, default="cpu"
        Device of the computation. A GPU keeps the result until the end, so that the CPU waits only
        once. A result of more than ``GATHERED_ENTRIES`` is fetched in several parts.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs) or (n_samples,)
    """
    n_samples = X.shape[0]
    shape = (n_samples,) if n_outputs is None else (n_samples, n_outputs)
    result = np.empty(shape, dtype=dtype)
    if not _is_gpu(device):
        _compute(function, tensor_chunks(X, width, dtype, device), torch.from_numpy(result))
        return result
    n_rows = max(1, GATHERED_ENTRIES // (n_outputs or 1))
    for start in range(0, n_samples, n_rows):
        part = result[start : start + n_rows]
        gathered = torch.from_numpy(part).new_empty(part.shape, device=device)
        chunks = tensor_chunks(X[start : start + n_rows], width, dtype, device)
        _compute(function, chunks, gathered)
        part[:] = gathered.cpu().numpy()
    return result


def _compute(function, chunks, out):
    """Write ``function`` of each chunk into a tensor, one after another."""
    start = 0
    for x in chunks:
        out[start : start + len(x)] = function(x)
        start += len(x)
