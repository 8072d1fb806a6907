"""Run small computations in one torch thread, without an effect on other threads."""

from _thread import allocate_lock, start_new_thread
from queue import SimpleQueue

import torch

__all__ = ["at_one_torch_thread", "in_threads_for"]

# If rows times weights of a step are below this, torch uses one thread. Two threads are at most a
# third faster then, and much slower on a busy machine.
SMALL_STEP = 2**28

_thread_lock = allocate_lock()


def _keep_count_of_new_threads(known, changed, kept):
    """Restore the thread count of new threads, after another thread has changed it."""
    with _thread_lock:
        of_new_threads = torch.get_num_threads()  # this thread is new
        known.put(None)
        changed.get()
        torch.set_num_threads(of_new_threads)
    kept.put(None)


def _set_own_thread_count(count):
    """Set torch's thread count for this operating system thread only.

    ``torch.set_num_threads`` also sets the count of threads that have not used torch yet. So a new
    thread reads that count before, and restores it after. Signals are never handled in that
    thread. It is started at the lowest level, since an interrupt in ``Thread.start`` may raise a
    RuntimeError.
    """
    known, changed, kept = SimpleQueue(), SimpleQueue(), SimpleQueue()
    try:
        try:
            start_new_thread(_keep_count_of_new_threads, (known, changed, kept))
            known.get()
            torch.set_num_threads(count)
        finally:
            changed.put(None)
    finally:
        changed.put(None)  # again, as an interrupt may come just before the first
    kept.get()


def at_one_torch_thread(function):
    """Return ``function()``, called with one torch thread in this operating system thread.

    The thread count is restored, even if an interrupt (Ctrl-C) comes at any time. So this is not a
    context manager: an interrupt at the first instruction of ``__exit__`` would skip the rest.
    """
    count = torch.get_num_threads()
    if count == 1:
        return function()
    try:
        try:
            _set_own_thread_count(1)
            return function()
        finally:
            _set_own_thread_count(count)
    finally:
        if torch.get_num_threads() != count:
            _set_own_thread_count(count)


def in_threads_for(step, function):
    """Return ``function()``, called with one torch thread if its steps are small.

    Parameters
    ----------
    step : int
        Number of rows that the network computes at a time, times its number of weights.
    function : callable
        The function to call.
    """
    return at_one_torch_thread(function) if step < SMALL_STEP else function()
