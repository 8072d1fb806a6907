"""Collect rows of pixels in an array, in memory or in a file, without a second copy."""

import os
from pathlib import Path

import numpy as np

from skvae.files.disk import replaced

__all__ = ["check_memmap", "stacked"]


def check_memmap(memmap, function):
    """Raise an error unless ``memmap`` is None or a path at which a file can be made."""
    if memmap is None:
        return
    if (
        not isinstance(memmap, str | os.PathLike)
        or Path(memmap).is_dir()
        or not Path(memmap).absolute().parent.is_dir()
    ):
        raise ValueError(
            f"{function} needs a memmap of None or the path of a file in a folder that exists. "
            f"Got {memmap!r} instead. Make the folder, or give another path."
        )


def stacked(rows, n_rows, n_columns, memmap=None):
    """Return the rows of an iterator as a uint8 array.

    Parameters
    ----------
    rows : iterable of bytes or of ndarray, each of n_columns bytes
        Consumed one at a time.
    n_rows : int
        Maximum number of rows.
    n_columns : int
        Length of a row in bytes.
    memmap : str or path-like, default=None
        The .npy file to write the rows to, one by one. The file appears under this name once it is
        complete, and replaces an existing one. If two processes write the same name, the last one
        wins.

    Returns
    -------
    ndarray of shape (n_yielded, n_columns), uint8
        In C order. With ``memmap`` it is a read-only memory map of that file.

    Raises
    ------
    ValueError
        If a row has another length. An existing file at ``memmap`` then stays as it was.

    Examples
    --------
    >>> from skvae.datasets.rows import stacked
    >>> stacked([b"ab", b"cd"], 3, 2)
    array([[ 97,  98],
           [ 99, 100]], dtype=uint8)
    """
    rows = _whole(rows, n_columns)
    if memmap is not None:
        return _stacked_in_file(rows, n_rows, n_columns, memmap)
    data = np.empty((n_rows, n_columns), dtype=np.uint8)
    n_yielded = 0
    for row in rows:
        data[n_yielded] = np.frombuffer(row, dtype=np.uint8)
        n_yielded += 1
    return data[:n_yielded]


def _whole(rows, n_columns):
    """Yield the rows after checking the length of each."""
    for row in rows:
        if len(row) != n_columns:
            raise ValueError(f"a row of {len(row)} bytes in place of {n_columns}")
        yield row


def _stacked_in_file(rows, n_rows, n_columns, path):
    with replaced(path) as file:
        _write_header(file, n_rows, n_columns)
        n_yielded = 0
        for row in rows:
            file.write(row)
            n_yielded += 1
        # NumPy pads the header for this purpose: its length is the same for any number of rows.
        file.seek(0)
        _write_header(file, n_yielded, n_columns)
    return np.load(path, mmap_mode="r")


def _write_header(file, n_rows, n_columns):
    header = {"descr": "|u1", "fortran_order": False, "shape": (n_rows, n_columns)}
    np.lib.format.write_array_header_1_0(file, header)
