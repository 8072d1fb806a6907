"""Bytes on a disk: written whole or not at all, read from files alone."""

import os
import stat
from contextlib import contextmanager, suppress

from skvae.files.errors import SavingError
from skvae.files.parts import new_part, remove_abandoned

__all__ = ["read_whole", "replaced", "write_whole"]

# No file is waited for, and none is translated, where there are such flags.
READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def replaced(path):
    """Yield a binary file that takes its place at ``path`` if the block ends well.

    Whoever reads the path finds the old or the new one, never a part. The bytes go to a file beside
    it, whose name nobody can guess, and reach the disk before that one takes the place of the old.
    A link stays one: what it leads to is replaced. What writers that were killed have left beside
    it is removed first.

    Parameters
    ----------
    path : str or path-like
        A new file, or one to replace, which leaves its permissions.

    Raises
    ------
    OSError
        If the disk is full, or the folder is missing or not writable; the old file stays.
    SavingError
        If the path is that of something else than a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skvae.files.disk import replaced
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "rows")
    ...     with replaced(path) as file:
    ...         _ = file.write(b"0, 1")
    ...     path.read_bytes()
    b'0, 1'
    """
    path = os.path.realpath(os.fsdecode(path))
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        raise _no_file(path)
    remove_abandoned(path)
    with new_part(path) as part:
        with open(part.descriptor, "wb", closefd=False) as file:
            yield file
            file.flush()
            os.fsync(part.descriptor)
        if mode is not None:
            os.chmod(part.path, stat.S_IMODE(mode))
        part.become(path)
    _sync_folder(os.path.dirname(path))


def write_whole(path, data):
    """Write a file at once, as :func:`replaced` does.

    Parameters
    ----------
    path : str or path-like
        A new file, or one to replace.
    data : bytes
        What it is to hold.
    """
    with replaced(path) as file:
        file.write(data)


def read_whole(path):
    """Return the bytes of a file; a pipe or a device is refused, and not waited for.

    Raises
    ------
    OSError
        If there is none, or it may not be read.
    SavingError
        If the path is that of something else than a file.
    """
    if os.path.isdir(path):
        raise _no_file(path)
    descriptor = os.open(path, READING)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _no_file(path)
        return file.read()


def _no_file(path):
    error = SavingError(
        f"A path must be that of a file. Got {os.fspath(path)!r}, which is something else, "
        f"instead. Give the path of a file."
    )
    error.got = "which is no file"
    return error


def _sync_folder(folder):
    """Have the new name reach the disk too, where a folder can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
