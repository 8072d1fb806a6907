"""Read regular files, and write files completely or not at all."""

import os
import stat
from contextlib import contextmanager, suppress

from skvae.files.errors import SavingError
from skvae.files.parts import new_part, remove_abandoned

__all__ = ["read_whole", "replaced", "write_whole"]

# Opening never waits for another process, and bytes are never translated, on systems that have
# these flags.
READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def replaced(path):
    """Yield a binary file that replaces the file at ``path`` if the block succeeds.

    Other processes see either the old file or the complete new one. The bytes are first written to
    a temporary file in the same folder, with a random name, and flushed to the disk. Then it
    replaces the old file. If ``path`` is a symbolic link, the link stays and its target is
    replaced. Temporary files that killed writers have left are removed
    first.

    Parameters
    ----------
    path : str or path-like
        A new file, or an existing one to replace; the permissions of the old file are kept.

    Raises
    ------
    OSError
        If the disk is full, or the folder is missing or not writable; the old file stays.
    SavingError
        If the path exists and is not a regular file.

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
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"A file needs a folder that exists. Got {folder!r} instead, which is none. Make it "
            f"first."
        )
    remove_abandoned(path)
    with new_part(path) as part:
        with open(part.descriptor, "wb", closefd=False) as file:
            yield file
            file.flush()
            os.fsync(part.descriptor)
        if mode is not None:
            os.chmod(part.path, stat.S_IMODE(mode))
        part.become(path)
    _sync_folder(folder)


def write_whole(path, data):
    """Write all data to a file, as :func:`replaced` does.

    Parameters
    ----------
    path : str or path-like
        A new file, or one to replace.
    data : bytes
        The content of the file.
    """
    with replaced(path) as file:
        file.write(data)


def read_whole(path):
    """Return the bytes of a file; raise at once for a pipe or a device instead of waiting.

    Raises
    ------
    OSError
        If there is no file, or it may not be read.
    SavingError
        If the path is not that of a regular file.
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
    """Flush the new name to the disk too, on systems that can open a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
