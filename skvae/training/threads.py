"""How a small fit is held at one thread, without any other thread noticing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

__all__ = ["one_torch_thread"]

_thread_lock = threading.Lock()


def _in_new_thread(function, *arguments):
    """Return the result of a call in an operating system thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def _set_own_thread_count(count):
    """Set torch's thread count of this operating system thread, and of no other.

    ``torch.set_num_threads`` also sets the count of threads that have yet to use torch;
    so a new thread reads that count before, and another puts it back.
    """
    with _thread_lock:
        of_new_threads = _in_new_thread(torch.get_num_threads)
        torch.set_num_threads(count)
        _in_new_thread(torch.set_num_threads, of_new_threads)


@contextmanager
def one_torch_thread():
    """Hold torch at one thread in this operating system thread; its count comes back after."""
    count = torch.get_num_threads()
    if count == 1:
        yield
        return
    _set_own_thread_count(1)
    try:
        yield
    finally:
        _set_own_thread_count(count)
