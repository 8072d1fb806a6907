"""The example of a fit on several processes: their fit is that of one, at the batches of all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parents[1]
SECONDS = 120
LAST_SECONDS = 45  # torchrun itself kills after 30 what has not ended


def launch(n_processes, script, *arguments):
    """Run a script on some processes, none of which outlives the call; return what it printed."""
    command = [sys.executable]
    if n_processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node"]
        command += [str(n_processes)]
    process = subprocess.Popen(
        [*command, str(script), *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except BaseException:
        process.terminate()  # which torchrun passes on to the sessions that its workers are
        try:
            process.communicate(timeout=LAST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        raise
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    """What one process and what two left, with the same batches."""
    folder = tmp_path_factory.mktemp("data_parallel")
    np.save(folder / "X.npy", table)
    for n_processes in (1, 2):
        launch(n_processes, FOLDER / "data_parallel.py", folder, f"{n_processes}.json")
    return folder


@pytest.fixture(scope="module")
def results(folder):
    return [json.loads((folder / name).read_text()) for name in ("1.json", "2.json")]


@pytest.mark.long
@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_two_processes_are_one_with_the_doubled_batch(name, results):
    one, two = (result[name] for result in results)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-5)
    np.testing.assert_allclose(two["codes"], one["codes"], rtol=0, atol=1e-4)
    assert results[1]["backend"] == "gloo"


@pytest.mark.long
def test_a_learned_noise_variance_follows_the_rows_of_one_process(results):
    one, two = (result["learned"] for result in results)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0.01)
    assert two["losses"] != pytest.approx(one["losses"], rel=1e-5)


@pytest.mark.long
def test_the_total_correlation_sees_a_processs_own_rows_among_all(results):
    one, two = (result["seen"] for result in results)
    assert one == [[100, 400]]
    assert two == [[50, 400], [50, 400]]


def test_the_example_leaves_an_estimator_and_nothing_else(folder):
    X = load_digits().data / 16
    estimator = joblib.load(folder / "vae.joblib")
    assert estimator.transform(X).shape == (1797, 10)
    assert sorted(path.name for path in folder.iterdir()) == [
        "1.json",
        "2.json",
        "X.npy",
        "vae.joblib",
    ]
