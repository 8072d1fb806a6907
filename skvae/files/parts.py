"""Files that are not whole yet: who writes one holds a lock on it, so what nobody holds can go."""

import os
import re
import secrets
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed, nor moved
    fcntl = None  # type: ignore[assignment]

__all__ = ["Part", "new_part", "remove_abandoned"]

# None is translated, led elsewhere by a link, or waited for, where there are such flags.
WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
LOCKING = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
# Of a name that the one beside it begins with: a letter has four bytes at most, of 255 in a name.
MOST_LETTERS = 50
N_BYTES = 8  # drawn for a name, which so is taken by nobody


class Part:
    """A new file beside a path, open and held by this process, which a kill lets go.

    Parameters
    ----------
    path : str
        Absolute; what the part may become.
    """

    def __init__(self, path):
        folder, name = os.path.split(path)
        drawn = secrets.token_hex(N_BYTES)
        self.path = os.path.join(folder, f"{name[:MOST_LETTERS]}.{drawn}.part")
        self.descriptor = None

    def claim(self):
        """Make the file, and return whether no other writer took it for an abandoned one."""
        self.descriptor = os.open(self.path, WRITING, 0o666)  # less what the umask takes away
        try:
            _hold(self.descriptor)
        except BlockingIOError:
            return False
        except OSError:  # a disk without locks, on which nobody removes what it cannot hold
            return True
        return os.path.exists(self.path)

    def become(self, path):
        """Take the place of a file; held until then, so that nobody removes it before."""
        if fcntl is None:
            self.close()
        os.replace(self.path, path)

    def close(self):
        """Let go of the file."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None

    def remove(self):
        """Let go of the file, which goes if it is there."""
        self.close()
        with suppress(OSError):
            os.unlink(self.path)


@contextmanager
def new_part(path):
    """Yield a new file beside a path, which is removed if the block fails.

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
    """Remove the parts beside a path that nobody holds: their writers were killed.

    A part that another process or thread is writing stays, and so do all on a disk without locks.

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
    with suppress(OSError):  # held, gone meanwhile, or of another user
        descriptor = os.open(path, LOCKING)
        try:
            _hold(descriptor)
            os.unlink(path)
        finally:
            os.close(descriptor)


def _hold(descriptor):
    """Lock a file until it is closed, by its process or by the end of it; or raise an OSError."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
