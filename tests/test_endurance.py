"""What holds over hundreds of fits, thousands of calls, a thousand Ctrl-C, and in eight threads."""

import ctypes
import gc
import random
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import torch
from sklearn.base import clone

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.files.container import unpack_file
from skvae.training import checkpoints

pytestmark = pytest.mark.long

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0}
ESTIMATORS = [
    AutoencoderTransformer(2, **SMALL),
    VAETransformer(2, **SMALL),
    BetaVAETransformer(2, early_stopping=True, **SMALL),
    BetaTCVAETransformer(2, beta=2.0, **SMALL),
]
METHODS = ("transform", "reconstruct", "reconstruction_error", "score_samples")
FLAT = 4 * 2**20  # bytes: of an allocator, which keeps pages as it likes
N_FITS, N_CALLS, N_INTERRUPTS, N_THREADS, N_CALLS_OF_A_THREAD = 200, 10_000, 1000, 8, 2000


def memory():
    """Return the bytes that the process has in memory, what is free given back before."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def assert_flat(work, n_times):
    """Assert that the memory after all of the work is that after a tenth of it."""
    for number in range(n_times):
        if number == n_times // 10:
            before = memory()
        work(number)
    assert memory() - before < FLAT


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@needs_proc
def test_memory_is_flat_over_many_fits(table, tmp_path):
    def fit(number):
        estimator = clone(ESTIMATORS[number % len(ESTIMATORS)])
        estimator.fit(table, checkpoint=tmp_path / f"{number % 7}.{number}" if number % 2 else None)
        estimator.transform(table)

    assert_flat(fit, N_FITS)


@needs_proc
@pytest.mark.parametrize("method", METHODS)
def test_memory_is_flat_over_many_calls_with_one_row(method, table):
    fitted = clone(ESTIMATORS[1]).fit(table)
    call = getattr(fitted, method)
    assert_flat(lambda number: call(table[number % 400 : number % 400 + 1]), N_CALLS)


def is_interrupted(fit, seconds):
    """Return whether an interrupt after some time came before the fit's end."""
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        fit()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    return False


def global_state():
    """Return what of the process a fit leaves as it is."""
    names = sorted(thread.name for thread in threading.enumerate())
    numpy_state = np.random.get_state()
    return (
        names,
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_rng_state().tolist(),
        numpy_state[1].tolist(),
        np.geterr(),
        signal.getsignal(signal.SIGINT),
    )


@pytest.mark.usefixtures("two_threads", "alarm_interrupts")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_thousand_interrupts_leave_no_half_state(table, tmp_path, monkeypatch):
    """A fit ends as ever or leaves nothing, a warm start the state before, a checkpoint whole."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    rng, n_interrupts, turn = random.Random(0), 0, 0
    cold = [clone(one).fit(table) for one in ESTIMATORS]
    warm = [clone(one).set_params(warm_start=True).fit(table) for one in ESTIMATORS]
    expected = [one.transform(table) for one in cold]
    begin = perf_counter()
    for estimator in cold:
        estimator.fit(table)
    seconds = (perf_counter() - begin) / len(cold)
    before = global_state()
    while n_interrupts < N_INTERRUPTS:
        turn += 1
        kind, number = rng.choice(["cold", "checkpoint", "warm"]), turn % len(ESTIMATORS)
        estimator, options = (warm if kind == "warm" else cold)[number], {}
        path = tmp_path / f"{number}"
        if kind == "checkpoint":
            options["checkpoint"] = path
        n_before, codes = warm[number].n_iter_, warm[number].transform(table)
        fit = partial(estimator.fit, table, **options)
        n_interrupts += is_interrupted(fit, rng.uniform(1e-6, seconds))
        assert global_state() == before
        if kind == "warm":
            if estimator.n_iter_ == n_before:
                np.testing.assert_array_equal(estimator.transform(table), codes)
            else:
                assert estimator.n_iter_ == n_before + SMALL["max_epochs"]
        elif hasattr(estimator, "net_"):
            np.testing.assert_array_equal(estimator.transform(table), expected[number])
            path.unlink(missing_ok=True)
        else:
            assert not [name for name in vars(estimator) if name.endswith("_")]
        if path.exists():
            unpack_file(path.read_bytes())  # which looks at its checksum
        assert {file.name for file in tmp_path.iterdir()} <= {"0", "1", "2", "3"}


@pytest.mark.parametrize("number", range(len(ESTIMATORS) + 1))
def test_calls_in_eight_threads_are_those_in_one(number, table):
    if number < len(ESTIMATORS):
        fitted, methods = clone(ESTIMATORS[number]).fit(table), METHODS
    else:
        detector = AutoencoderOutlierDetector(clone(ESTIMATORS[1]), n_refits=0, random_state=0)
        fitted, methods = detector.fit(table), ("score_samples", "predict")
    starts = range(0, 400, 20)
    expected = {
        (method, start): getattr(fitted, method)(table[start : start + 20])
        for method in methods
        for start in starts
    }

    def ask(seed):
        rng = random.Random(seed)
        for _ in range(N_CALLS_OF_A_THREAD):
            method, start = rng.choice(methods), rng.choice(starts)
            found = getattr(fitted, method)(table[start : start + 20])
            np.testing.assert_array_equal(found, expected[method, start])

    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(ask, range(N_THREADS)))
