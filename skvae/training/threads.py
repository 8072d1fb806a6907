"""How small computations are held at one thread, without any other thread noticing."""

from _thread import allocate_lock, start_new_thread
from queue import SimpleQueue

import torch

__all__ = ["at_one_torch_thread", "in_threads_for"]

# Rows times weights of a step through a network below which torch is held at one thread: a second
# one brings a third at best there, and on a busy machine costs many times what it brings.
SMALL_STEP = 2**28

_thread_lock = allocate_lock()


def _keep_count_of_new_threads(known, changed, kept):
    """Put back the count that threads have before they use torch, after it was changed."""
    with _thread_lock:
        of_new_threads = torch.get_num_threads()  # this thread is one
        known.put(None)
        changed.get()
        torch.set_num_threads(of_new_threads)
    kept.put(None)


def _set_own_thread_count(count):
    """Set torch's thread count of this operating system thread, and of no other.

    ``torch.set_num_threads`` also sets the count of threads that have yet to use torch. So a new
    thread reads that before, and puts it back after: in there no signal is ever handled. It is
    started at the lowest level, as ``Thread.start`` interrupted may end in a RuntimeError.
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
    """Return ``function()``, called while torch has one thread in this operating system thread.

    The count comes back after, wherever an interrupt (Ctrl-C) comes. Hence no context manager: an
    interrupt at the first instruction of ``__exit__`` would keep the rest of it from being run.
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
    """Return ``function()``, which goes through a network: at one thread if by small steps.

    Parameters
    ----------
    step : int
        Rows that go through at a time, times the weights of the network.
    function : callable
        What to call.
    """
    return at_one_torch_thread(function) if step < SMALL_STEP else function()
