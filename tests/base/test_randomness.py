"""Randomness comes from random_state alone, in every thread and process; torch's settings stay."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from small_transformers import ESTIMATORS, every_estimator, small

from skvae import VAETransformer

CODES = """
import sys
import numpy as np
import skvae
X = np.random.RandomState(0).standard_normal((300, 6))
for name in sys.argv[2:]:
    estimator = getattr(skvae, name)(2, max_epochs=3, random_state=7)
    np.save(f"{sys.argv[1]}/{name}.npy", estimator.fit_transform(X))
"""


def codes_of(Estimator):
    X = np.random.RandomState(0).standard_normal((300, 6))
    return Estimator(2, max_epochs=3, random_state=7).fit_transform(X)


@pytest.mark.usefixtures("two_threads")
@every_estimator
def test_an_int_gives_the_same_codes_everywhere(Estimator):
    expected = codes_of(Estimator)
    torch.manual_seed(99)
    np.random.seed(99)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()
    np.testing.assert_array_equal(codes_of(Estimator), expected)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.random.get_state()[2] == numpy_state[2]
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state[1])
    for backend, n_jobs in (("threading", 4), ("loky", 2)):
        results = joblib.Parallel(n_jobs=n_jobs, backend=backend)(
            joblib.delayed(codes_of)(Estimator) for _ in range(4)
        )
        for codes in results:
            np.testing.assert_array_equal(codes, expected)


@pytest.mark.usefixtures("two_threads")
def test_another_process_gives_the_same_codes(tmp_path):
    names = [Estimator.__name__ for Estimator in ESTIMATORS]
    command = [sys.executable, "-c", CODES, str(tmp_path), *names]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for Estimator in ESTIMATORS:
        codes = np.load(tmp_path / f"{Estimator.__name__}.npy")
        np.testing.assert_array_equal(codes, codes_of(Estimator))


def test_none_follows_numpys_seed_and_a_random_state_moves_on(table):
    np.random.seed(3)
    first = small(VAETransformer, random_state=None).fit_transform(table)
    second = small(VAETransformer, random_state=None).fit_transform(table)
    np.random.seed(3)
    again = small(VAETransformer, random_state=None).fit_transform(table)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    moving = small(VAETransformer, random_state=np.random.RandomState(0))
    assert not np.array_equal(moving.fit_transform(table), moving.fit_transform(table))


def test_defaults_of_torch_are_left_alone(table):
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    small(VAETransformer).fit(table).score_samples(table)
    assert torch.get_num_threads() == threads
    assert torch.get_default_dtype() == dtype


def test_a_callers_default_dtype_changes_nothing(table):
    expected = small(VAETransformer).fit_transform(table)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(small(VAETransformer).fit_transform(table), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_concurrent_calls_equal_serial_ones(table):
    fitted = small(VAETransformer).fit(table)
    inputs = [table[:50].astype(np.float32), table[50:120]]
    expected = [fitted.transform(X) for X in inputs]
    with ThreadPoolExecutor(4) as pool:
        for index, codes in enumerate(pool.map(fitted.transform, inputs * 1000)):
            np.testing.assert_array_equal(codes, expected[index % 2])
