"""Bytes on a disk: written whole or not at all, read from files alone."""

import os
import secrets
import stat
from contextlib import suppress

from skvae.saving.errors import SavingError

__all__ = ["read_whole", "write_whole"]

# No file of these is asked to wait for another process, and none is translated, where there are
# such flags.
READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
REGULAR = "a file. Got {path!r}, which is something else, instead. Give the path of a file."


def write_whole(path, data, *, by="save"):
    """Write a file at once: whoever reads it finds the old or the new one, never a part.

    The bytes go to a file beside it, whose name nobody can guess, and reach the disk before that
    one takes the place of the old. A link stays one: what it leads to is replaced.

    Parameters
    ----------
    path : str or path-like
        A new file, or one to replace, which leaves its permissions.
    data : bytes
        What it is to hold.
    by : str, default="save"
        The function that a sentence names.

    Raises
    ------
    OSError
        If the disk is full, or the folder is missing or not writable; the old file stays.
    SavingError
        If the path is that of something else than a file.
    """
    path = os.path.realpath(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        raise SavingError(f"{by} writes {REGULAR.format(path=path)}")
    beside = f"{path}.{secrets.token_hex(8)}.part"
    descriptor = os.open(beside, WRITING, 0o666)  # less what the process's umask takes away
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(beside, stat.S_IMODE(mode))
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(os.path.dirname(path))


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
        raise SavingError(f"load reads {REGULAR.format(path=os.fspath(path))}")
    descriptor = os.open(path, READING)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SavingError(f"load reads {REGULAR.format(path=os.fspath(path))}")
        return file.read()


def _sync_folder(folder):
    """Have the new name reach the disk too, where a folder can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
