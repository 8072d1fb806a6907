"""CUDA's streams and events without a GPU: copies happen as late as what was asked for allows.

A stream is a queue. What stands in it runs when something waits for it, and not before: code that
forgets to wait finds old numbers.
"""

from contextlib import contextmanager

import torch

from skvae.training import transfers

__all__ = ["FakeCuda"]


class Stream:
    """Operations in their order; those of one that is ``prompt`` run at once."""

    def __init__(self, prompt=False):
        self.prompt = prompt
        self.operations = []
        self.n_run = 0

    def do(self, operation):
        self.operations.append(operation)
        if self.prompt:
            self.run(len(self.operations))

    def run(self, stop):
        while self.n_run < stop:
            self.n_run += 1
            self.operations[self.n_run - 1]()

    def wait_event(self, event):
        self.do(event.reached())


class Event:
    """A place in a stream; one that was never recorded is passed."""

    stream = None

    def record(self, stream):
        self.stream, self.place = stream, len(stream.operations)

    def reached(self):
        if self.stream is None:
            return lambda: None
        stream, place = self.stream, self.place
        return lambda: stream.run(place)

    def synchronize(self):
        self.reached()()


class FakeCuda:
    """Takes the place of ``torch.cuda`` for rows on their way; the "device" is the CPU.

    Parameters
    ----------
    monkeypatch : pytest.MonkeyPatch
    free : int, default=2**30
        Bytes of the device that are free.
    prompt : bool, default=True
        Whether what is computed runs at once, as it does where torch's CPU computes it.
    """

    def __init__(self, monkeypatch, free=2**30, prompt=True):
        self.computing = Stream(prompt)
        self.current = self.computing
        self.sent = []  # (dtype, rows) of every copy
        plain_copy = torch.Tensor.copy_

        def copy_(tensor, source, non_blocking=False):
            if self.current is self.computing:
                return plain_copy(tensor, source)
            assert non_blocking, "a copy on a stream of its own that the host waits for"
            self.sent.append((source.dtype, len(source)))
            self.current.do(lambda: plain_copy(tensor, source))
            return tensor

        for name, value in {
            "Stream": lambda device: Stream(),
            "Event": Event,
            "stream": self.stream,
            "current_stream": lambda device: self.current,
            "mem_get_info": lambda device: (free, 2**40),
            "memory_reserved": lambda device: 0,
            "memory_allocated": lambda device: 0,
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        monkeypatch.setattr(torch.Tensor, "copy_", copy_)
        monkeypatch.setattr(
            transfers, "_pinned", lambda shape, dtype: torch.empty(shape, dtype=dtype)
        )
        monkeypatch.setattr(
            transfers,
            "_allocated",
            lambda shape, dtype, device, stream: torch.empty(shape, dtype=dtype),
        )

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        yield
        self.current = before
