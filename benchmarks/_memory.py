"""The memory of a process."""

import resource
import sys

__all__ = ["peak_memory"]

UNIT = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss, in bytes


def peak_memory():
    """Return the peak resident size of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
