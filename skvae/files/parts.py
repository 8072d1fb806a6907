"""Temporary files of writers. A writer locks its file, so an unlocked one can be removed."""

import os
import re
import secrets
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed, nor moved
    fcntl = None  # type: ignore[assignment]

__all__ = ["Part", "new_part", "remove_abandoned"]

# On systems with these flags, bytes are not translated, links are not followed, nothing waits.
WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
LOCKING = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
# The temporary name starts with this part of the name: 50 letters of up to four bytes, of 255.
MOST_LETTERS = 50
N_BYTES = 8  # random bytes in a name, so that no other file has it


class Part:
    """A temporary file in the folder of a path. The lock on it ends with the process.

    Parameters
    ----------
    path : str
        Absolute path of the file that the temporary file can replace.
    """

    def __init__(self, path):
        folder, name = os.path.split(path)
        drawn = secrets.token_hex(N_BYTES)
        self.path = os.path.join(folder, f"{name[:MOST_LETTERS]}.{drawn}.part")
        self.descriptor = None

    def claim(self):
        """Create and lock the file. Return False if another writer has removed it meanwhile."""
        self.descriptor = os.open(self.path, WRITING, 0o666)  # the process's umask still applies
        try:
            _hold(self.descriptor)
        except BlockingIOError:
            return False
        except OSError:  # on a disk without locks, nobody removes such files
            return True
        return os.path.exists(self.path)

    def become(self, path):
        """Replace a file. The lock is kept until then, so that nobody removes the part."""
        if fcntl is None:
            self.close()
        os.replace(self.path, path)

    def close(self):
        """Close the file, which ends the lock."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None

    def remove(self):
        """Close the file, and remove it if it exists."""
        self.close()
        with suppress(OSError):
            os.unlink(self.path)


@contextmanager
def new_part(path):
    """Yield a temporary file in the folder of a path. If the block fails, it is removed.

    Parameters
    ----------
    path : str
        Absolute.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> from skvae.files.parts import new_part
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "rows")
    ...     with new_part(path) as part:
    ...         _ = os.write(part.descriptor, b"0, 1")
    ...         part.become(path)
    ...     os.listdir(folder)
    ['rows']
    """
    part = Part(path)
    try:
        while not part.claim():
            part.remove()
            part = Part(path)
        yield part
    except BaseException:
        part.remove()
        raise
    part.close()


def remove_abandoned(path):
    """Remove the temporary files of a path that are not locked: their writers were killed.

    The file of another process or thread that is writing stays. On a disk without locks all stay.

    Parameters
    ----------
    path : str
        Absolute.
    """
    if fcntl is None:
        return
    folder, name = os.path.split(path)
    ours = re.compile(rf"{re.escape(name[:MOST_LETTERS])}\.[0-9a-f]{{{2 * N_BYTES}}}\.part")
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name):
                _remove_unless_held(entry.path)


def _remove_unless_held(path):
    with suppress(OSError):  # locked, removed meanwhile, or of another user
        descriptor = os.open(path, LOCKING)
        try:
            _hold(descriptor)
            os.unlink(path)
        finally:
            os.close(descriptor)


def _hold(descriptor):
    """Lock a file until its process closes it or ends. Raise an OSError if it is locked."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
