"""How rows come to a GPU: once and for all where they fit, else block by block, copied ahead."""

import math
from contextlib import suppress

import numpy as np
import torch

__all__ = ["ResidentRows", "SentRows", "rows_on", "sent_ahead", "torch_dtype"]

# The other half is for weights, their moments, activations, and for other processes: rows are
# sent before any of these is there to be seen.
SHARE_OF_FREE = 0.5
# Of a block: 4 to 16 MB, which take a copy some hundred times as long as it takes to begin one.
BLOCK_ENTRIES = 2**22
N_SLOTS = 2  # one block computes while the next one is copied
# What float32 holds exactly and torch can gather: bytes stay bytes, on the device and on the way.
STORED = {
    np.dtype(dtype): getattr(torch, dtype)
    for dtype in ("bool", "uint8", "int8", "int16", "float16", "float32")
}


def torch_dtype(dtype, otherwise=torch.float32):
    """Return the torch dtype that rows of a NumPy dtype are sent in.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.training.transfers import torch_dtype
    >>> torch_dtype(np.dtype(np.uint8)), torch_dtype(np.dtype(np.float64))
    (torch.uint8, torch.float32)
    """
    return STORED.get(dtype, otherwise)


def rows_on(device, read, shape, dtype):
    """Return where blocks of rows come from: the memory of a CUDA device if it has room for all.

    Rows that seem to fit, and for which there is no room after all, are sent.

    Parameters
    ----------
    device : torch.device
        Of type "cuda".
    read : callable
        ``read(places, out)`` writes the rows at some places, a slice or an array of int, into
        an ndarray.
    shape : tuple of int
        (n_samples, n_columns) of all rows.
    dtype : torch.dtype
        In which rows are sent and kept.

    Returns
    -------
    ResidentRows or SentRows
        Their blocks are the same.
    """
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes <= SHARE_OF_FREE * _free_memory(device):
        # What is free may lie in pieces, or another process takes it meanwhile.
        with suppress(torch.cuda.OutOfMemoryError):
            return ResidentRows(read, shape, dtype, device)
    return SentRows(read, shape, dtype, device)


class ResidentRows:
    """Rows that are all on a device, where blocks of them are gathered.

    Parameters
    ----------
    read, shape, dtype, device
        As :func:`rows_on` takes them.
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
        """Yield blocks of the rows, float32.

        Parameters
        ----------
        order : tensor of int64, shape (n_samples,), or None
            The places of the rows; None for their own order.
        bounds : list of (int, int)
            First and last place of every block, the last one not included.
        """
        order = order if order is None else order.to(self.rows.device)
        for first, last in bounds:
            rows = self.rows[first:last]
            if order is not None:
                rows = self.rows.index_select(0, order[first:last])
            yield rows.to(torch.float32)


class SentRows:
    """Rows that stay in the host's memory, of which every block is sent when it is due.

    Parameters
    ----------
    read, shape, dtype, device
        As :func:`rows_on` takes them.
    """

    def __init__(self, read, shape, dtype, device):
        self.read = read
        self.n_columns = shape[1]
        self.dtype = dtype
        self.device = device

    def blocks(self, order, bounds):
        """Yield what :meth:`ResidentRows.blocks` does; a block is overwritten by the next but one.

        The host, which gathers, has to know the order: it waits for that once, before the first.
        """
        order = order if order is None else order.cpu().numpy()
        for rows in sent_ahead(self.read, bounds, self.n_columns, self.dtype, self.device, order):
            yield rows.to(torch.float32)


class _Slot:
    """A block's place in pinned memory and on the device, and when each may be written again."""

    def __init__(self, shape, dtype, device, stream):
        self.pinned = _pinned(shape, dtype)
        self.on_device = _allocated(shape, dtype, device, stream)
        self.copied = torch.cuda.Event()
        self.computed = torch.cuda.Event()
        # Memory that torch hands out again may still be read by what was computed before.
        self.computed.record(torch.cuda.current_stream(device))


def sent_ahead(read, bounds, n_columns, dtype, device, order=None):
    """Yield blocks of rows on a device, each copied while the one before it computes.

    They go through pinned memory, from which a device copies by itself, on a stream of their
    own. The host waits for none of the computing but that of blocks long past, before it writes
    in their place.

    Parameters
    ----------
    read, dtype, device
        As :func:`rows_on` takes them.
    bounds : list of (int, int)
        First and last place of every block, the last one not included.
    n_columns : int
        Length of a row.
    order : ndarray of int, default=None
        The places of the rows; None for their own order.

    Yields
    ------
    tensor of shape (last - first, n_columns), of dtype ``dtype``
        Overwritten by the next but one.
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
    """Return the bytes that tensors may still take: free ones, and what torch holds unused."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _pinned(shape, dtype):
    return torch.empty(shape, dtype=dtype, pin_memory=True)


def _allocated(shape, dtype, device, stream):
    """Return memory of a device that is not handed out again before a stream is done with it."""
    tensor = torch.empty(shape, dtype=dtype, device=device)
    tensor.record_stream(stream)
    return tensor
