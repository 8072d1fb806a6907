"""Copy rows to a GPU: all at once if they fit into its memory, or block by block in advance."""

import math
from contextlib import suppress

import numpy as np
import torch

__all__ = ["ResidentRows", "SentRows", "rows_on", "sent_ahead", "torch_dtype"]

# Share of the free memory for rows. The other half is for weights, their moments, activations, and
# other processes, none of which has its memory yet when the rows are copied.
SHARE_OF_FREE = 0.5
# Entries of a block: 4 to 16 MB, whose copy takes about a hundred times as long as starting it.
BLOCK_ENTRIES = 2**22
N_SLOTS = 2  # one block is computed while the next one is copied
# Dtypes that float32 represents exactly and that torch can gather. They are not converted before
# the copy, so bytes stay bytes.
STORED = {
    np.dtype(dtype): getattr(torch, dtype)
    for dtype in ("bool", "uint8", "int8", "int16", "float16", "float32")
}


def torch_dtype(dtype, otherwise=torch.float32):
    """Return the torch dtype in which rows of a NumPy dtype are copied.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.transfers import torch_dtype
    >>> torch_dtype(np.dtype(np.uint8)), torch_dtype(np.dtype(np.float64))
    (torch.uint8, torch.float32)
    """
    return STORED.get(dtype, otherwise)


def rows_on(device, read, shape, dtype):
    """Return a source of blocks of rows: all rows in the memory of a GPU if they fit.

    If the rows seem to fit, but allocating them fails, they are copied block by block.

    Parameters
    ----------
    device : torch.device
        A device of type "cuda".
    read : callable
        ``read(places, out)`` writes the rows at ``places``, a slice or an array of int, into
        the ndarray ``out``.
    shape : tuple of int
        (n_samples, n_columns) of all rows.
    dtype : torch.dtype
        Dtype in which the rows are copied and kept.

    Returns
    -------
    ResidentRows or SentRows
        Both return the same blocks.
    """
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes <= SHARE_OF_FREE * _free_memory(device):
        # The free memory may be fragmented, or another process may use it first.
        with suppress(torch.cuda.OutOfMemoryError):
            return ResidentRows(read, shape, dtype, device)
    return SentRows(read, shape, dtype, device)


class ResidentRows:
    """Rows that are all in the memory of a device, where blocks of them are gathered.

    Parameters
    ----------
    read, shape, dtype, device
        As in :func:`rows_on`.
    """

    def __init__(self, read, shape, dtype, device):
        n_samples, n_columns = shape
        n_rows = max(1, BLOCK_ENTRIES // n_columns)
        starts = range(0, n_samples, n_rows)
        bounds = [(start, min(start + n_rows, n_samples)) for start in starts]
        self.rows = torch.empty(shape, dtype=dtype, device=device)
        blocks = sent_ahead(read, bounds, n_columns, dtype, device)
        for (first, last), block in zip(bounds, blocks, strict=True):
            self.rows[first:last] = block

    def blocks(self, order, bounds):
        """Yield blocks of the rows as float32.

        Parameters
        ----------
        order : tensor of int64, shape (n_samples,), or None
            The indices of the rows in the order in which they are needed. None: 0, 1, 2, ...
        bounds : list of (int, int)
            Start and end of every block in this order. The end is not included.
        """
        order = order if order is None else order.to(self.rows.device)
        for first, last in bounds:
            rows = self.rows[first:last]
            if order is not None:
                rows = self.rows.index_select(0, order[first:last])
            yield rows.to(torch.float32)


class SentRows:
    """Rows that stay in the memory of the host. Each block is copied to the device when needed.

    Parameters
    ----------
    read, shape, dtype, device
        As in :func:`rows_on`.
    """

    def __init__(self, read, shape, dtype, device):
        self.read = read
        self.n_columns = shape[1]
        self.dtype = dtype
        self.device = device

    def blocks(self, order, bounds):
        """Yield the same blocks as :meth:`ResidentRows.blocks`.

        The second next block overwrites a block. The host gathers the rows, so it waits once for
        ``order``, before the first block.
        """
        order = order if order is None else order.cpu().numpy()
        for rows in sent_ahead(self.read, bounds, self.n_columns, self.dtype, self.device, order):
            yield rows.to(torch.float32)


class _Slot:
    """The pinned memory and the device memory of a block, and events for their reuse."""

    def __init__(self, shape, dtype, device, stream):
        self.pinned = _pinned(shape, dtype)
        self.on_device = _allocated(shape, dtype, device, stream)
        self.copied = torch.cuda.Event()
        self.computed = torch.cuda.Event()
        # torch may return memory that an earlier computation still reads.
        self.computed.record(torch.cuda.current_stream(device))


def sent_ahead(read, bounds, n_columns, dtype, device, order=None):
    """Yield blocks of rows on a device. Each is copied while the block before it is computed.

    The copies use pinned memory, from which a device copies without the host, and a separate
    stream. The host waits only for an earlier block, before it overwrites the memory of that block.

    Parameters
    ----------
    read, dtype, device
        As in :func:`rows_on`.
    bounds : list of (int, int)
        Start and end of every block. The end is not included.
    n_columns : int
        Length of a row.
    order : ndarray of int, default=None
        The indices of the rows in the order in which they are needed. None: 0, 1, 2, ...

    Yields
    ------
    tensor of shape (last - first, n_columns), of dtype ``dtype``
        A block. The second next block overwrites it.
    """
    stream = torch.cuda.Stream(device)
    shape = (max(last - first for first, last in bounds), n_columns)
    slots = [_Slot(shape, dtype, device, stream) for _ in range(min(N_SLOTS, len(bounds)))]

    def send(number):
        slot, (first, last) = slots[number % len(slots)], bounds[number]
        slot.copied.synchronize()
        pinned = slot.pinned[: last - first]
        read(slice(first, last) if order is None else order[first:last], pinned.numpy())
        with torch.cuda.stream(stream):
            stream.wait_event(slot.computed)
            slot.on_device[: last - first].copy_(pinned, non_blocking=True)
            slot.copied.record(stream)

    send(0)
    for number, (first, last) in enumerate(bounds):
        if number + 1 < len(bounds):
            send(number + 1)
        slot = slots[number % len(slots)]
        torch.cuda.current_stream(device).wait_event(slot.copied)
        yield slot.on_device[: last - first]
        slot.computed.record(torch.cuda.current_stream(device))


def _free_memory(device):
    """Return the bytes available for tensors: free ones, and unused ones that torch holds."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _pinned(shape, dtype):
    return torch.empty(shape, dtype=dtype, pin_memory=True)


def _allocated(shape, dtype, device, stream):
    """Return a tensor on a device whose memory is not reused before a stream has finished."""
    tensor = torch.empty(shape, dtype=dtype, device=device)
    tensor.record_stream(stream)
    return tensor
