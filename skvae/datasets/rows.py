"""Rows of pixels become an array, in memory or in a file, without a second copy."""

import os
from pathlib import Path

import numpy as np

from skvae.files.disk import replaced

__all__ = ["check_memmap", "stacked"]


def check_memmap(memmap, function):
    """Raise a sentence unless ``memmap`` is None or a place where a file can be made."""
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
    """Return the rows that an iterator yields as a uint8 array.

    Parameters
    ----------
    rows : iterable of bytes or of ndarray, each of n_columns bytes
        Consumed one at a time.
    n_rows : int
        The greatest number of rows that may come.
    n_columns : int
        Length of a row.
    memmap : str or path-like, default=None
        The .npy file to write the rows to as they come. It takes its name when it is whole,
        and replaces what had that name; of two processes that write one name the last stays.

    Returns
    -------
    ndarray of shape (n_yielded, n_columns), uint8
        In C order. With ``memmap`` a read-only memory map of that file.

    Raises
    ------
    ValueError
        If a row has another length. A file at ``memmap`` is then left as it was.

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
    """Yield the rows, each of which has all its bytes."""
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
        # NumPy pads the header for just this: any number of rows takes up the same length.
        file.seek(0)
        _write_header(file, n_yielded, n_columns)
    return np.load(path, mmap_mode="r")


def _write_header(file, n_rows, n_columns):
    header = {"descr": "|u1", "fortran_order": False, "shape": (n_rows, n_columns)}
    np.lib.format.write_array_header_1_0(file, header)
