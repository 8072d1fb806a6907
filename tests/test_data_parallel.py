"""The example of a fit on several processes: their fit is that of one, at the batches of all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent
EXAMPLE = FOLDER.parent / "docs" / "examples" / "accelerate_fit.py"
SECONDS = 120


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
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def results(table, tmp_path_factory):
    """What one process and what two found, with the same batches."""
    folder = tmp_path_factory.mktemp("data_parallel")
    np.save(folder / "X.npy", table)
    for n_processes in (1, 2):
        launch(
            n_processes, FOLDER / "data_parallel.py", folder / "X.npy", folder / f"{n_processes}"
        )
    return [json.loads((folder / f"{n_processes}").read_text()) for n_processes in (1, 2)]


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
def test_two_processes_are_one_with_the_doubled_batch(name, results):
    one, two = (result[name] for result in results)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=1e-5)
    np.testing.assert_allclose(two["codes"], one["codes"], rtol=0, atol=1e-4)
    assert results[1]["backend"] == "gloo"


def test_a_learned_noise_variance_follows_the_rows_of_one_process(results):
    one, two = (result["learned"] for result in results)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0.01)
    assert two["losses"] != pytest.approx(one["losses"], rel=1e-5)


def test_the_total_correlation_sees_a_processs_own_rows_among_all(results):
    one, two = (result["seen"] for result in results)
    assert one == [[100, 400]]
    assert two == [[50, 400], [50, 400]]


def test_the_example_leaves_an_estimator(tmp_path):
    output = launch(2, EXAMPLE, "--epochs", 2, "--output", tmp_path / "vae.joblib")
    assert output.count("train_loss") == 1  # of the main process alone
    X = load_digits().data / 16
    estimator = joblib.load(tmp_path / "vae.joblib")
    assert estimator.transform(X).shape == (1797, 10)
    assert [path.name for path in tmp_path.iterdir()] == ["vae.joblib"]
