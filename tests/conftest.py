import os

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # before scipy: else checks are skipped silently
os.environ.setdefault("MPLBACKEND", "Agg")

import signal
import sys

import numpy as np
import pytest
import torch
from fake_cuda import FakeCuda
from sklearn.datasets import load_digits


@pytest.fixture(autouse=True)
def _closed_figures():
    """Close all figures after a test, if matplotlib was imported."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def digits():
    """Handwritten digits, (1797, 64), in [0, 1]."""
    X = load_digits().data / 16
    X.setflags(write=False)
    return X


@pytest.fixture(scope="session")
def table():
    """Correlated Gaussian columns, (400, 6). Their variances along principal axes decrease."""
    rng = np.random.RandomState(0)
    directions, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    X = rng.standard_normal((400, 6)) * [3.0, 2.0, 1.0, 0.5, 0.4, 0.3] @ directions + 5.0
    X.setflags(write=False)
    return X


@pytest.fixture
def two_threads():
    """Use two threads of torch. Other tests use one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def alarm_interrupts():
    """Have an alarm raise what Ctrl-C raises."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def gpu(monkeypatch):
    """The CPU in the place of a GPU that has room for all rows."""
    monkeypatch.setattr("skvae.training.batches._is_gpu", lambda device: True)
    return FakeCuda(monkeypatch)
