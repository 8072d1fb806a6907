"""When a checkpoint is written, on what disks, in pipelines, and kills at any instant."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from refused_checkpoints import VAE
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skvae import CheckpointWarning
from skvae.training import checkpoints

EPOCH_OF_THE_CLOCK = 4.0  # seconds


class RemovesFolder(Callback):
    """Deletes a folder at the end of the first epoch; cloned as it is."""

    folder = None

    def on_epoch_end(self, net, **kwargs):
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit"


# ------------------------------------------------------------------ disks that fail


def said(path, epoch, error):
    return (
        f"A checkpoint must be written to {str(path)!r}. Got an error after epoch {epoch} instead: "
        f"{error}. Training continues, but an interrupt would lose it: make room there."
    )


def test_a_full_disk_warns_once_and_loses_no_fit(table, path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_SHARE", 0)
    monkeypatch.setattr(checkpoints, "write_whole", full)
    with pytest.warns(CheckpointWarning) as caught:
        fitted = clone(VAE).fit(table, checkpoint=path)
    (warning,) = caught
    assert str(warning.message) == said(path, 1, "[Errno 28] No space left on device")
    assert warning.filename == __file__
    np.testing.assert_array_equal(fitted.transform(table), clone(VAE).fit(table).transform(table))
    assert not path.exists()


def test_a_folder_that_goes_meanwhile_warns(table, tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr(RemovesFolder, "folder", folder)
    vae = clone(VAE).set_params(callbacks=[RemovesFolder()])
    with pytest.warns(CheckpointWarning, match="after epoch 3 instead: A file needs a folder"):
        fitted = vae.fit(table, checkpoint=folder / "fit")
    np.testing.assert_array_equal(fitted.transform(table), clone(VAE).fit(table).transform(table))


# ------------------------------------------------------------------ when it is written


def test_a_file_is_written_after_ten_seconds_and_at_the_end(table, path, monkeypatch):
    clock, written = [0.0], []

    class Ticks(Callback):
        def on_epoch_end(self, net, **kwargs):
            clock[0] += EPOCH_OF_THE_CLOCK

    def write(path, data):
        written.append(clock[0] / EPOCH_OF_THE_CLOCK)
        clock[0] += slow

    monkeypatch.setattr(checkpoints, "monotonic", lambda: clock[0])
    monkeypatch.setattr(checkpoints, "write_whole", write)
    vae = clone(VAE).set_params(callbacks=[Ticks], max_epochs=11)
    slow = 0.0
    vae.fit(table, checkpoint=path)
    assert written == [3, 6, 9, 11]
    clock[0], slow = 0.0, 1.0  # a second, for which it waits twenty
    written.clear()
    vae.fit(table, checkpoint=path)
    assert written == [3, 8.25, 11.5]


# ------------------------------------------------------------------ pipelines


def test_a_pipeline_passes_it_on(table, path):
    pipe = make_pipeline(StandardScaler(), clone(VAE))
    plain = clone(pipe).fit(table).transform(table)
    clone(pipe).fit(table, vaetransformer__checkpoint=path)
    assert path.exists()
    again = clone(pipe).fit(table, vaetransformer__checkpoint=path)
    np.testing.assert_array_equal(again.transform(table), plain)


def test_metadata_routing_passes_it_on(table, path):
    with sklearn.config_context(enable_metadata_routing=True):
        vae = clone(VAE).set_fit_request(checkpoint=True)
        make_pipeline(StandardScaler(), vae).fit(table, checkpoint=path)
    assert path.exists()


# ------------------------------------------------------------------ kill -9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
@pytest.mark.parametrize("n_fits", [1, pytest.param(50, marks=pytest.mark.long)])
def test_fits_killed_at_random_instants_are_those_not_killed(n_fits, tmp_path):
    script = Path(__file__).parents[1] / "killed_fits.py"
    command = [sys.executable, str(script), str(n_fits), str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    n_kills, n_same = map(int, ended.stdout.split())
    assert n_same == n_fits
    assert n_kills >= n_fits
