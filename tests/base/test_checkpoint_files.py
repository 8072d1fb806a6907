"""Whose a checkpoint is, when it is written, and what comes of one that cannot be used."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from saved_files import resealed
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping, LRScheduler

import skvae
from skvae import AutoencoderTransformer, CheckpointWarning, SavingError, VAETransformer
from skvae.training import checkpoints
from skvae.training.steps import Steps

VAE = VAETransformer(2, hidden_layer_sizes=(4,), max_epochs=3, random_state=0)
EPOCH_OF_THE_CLOCK = 4.0  # seconds


class RemovesFolder(Callback):
    """Deletes a folder at the end of the first epoch; cloned as it is."""

    folder = None

    def on_epoch_end(self, net, **kwargs):
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit"


@pytest.fixture
def no_steps(monkeypatch):
    """Let no fit take a step."""

    def refused(steps):
        raise AssertionError("a step")

    def forbid():
        monkeypatch.setattr(Steps, "move", refused)

    return forbid


def assert_refused(fit, sentence, path):
    """Assert that a fit is refused with this sentence, and that the file stays as it is."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SavingError) as refused:
        fit()
    assert str(refused.value) == sentence
    assert (path.read_bytes() if path.is_file() else None) == before


def of_another_fit(path, difference):
    return (
        f"checkpoint= can continue only the fit that wrote the file. Got {str(path)!r} of a fit "
        f"with {difference}, instead. Set it back, or give another path."
    )


def foreign(path, got):
    return (
        f"checkpoint= takes the path of a new file, or of a complete file that fit wrote. Got "
        f"{str(path)!r}, {got}, instead. Remove it to start from the beginning, or give another "
        f"path."
    )


# ------------------------------------------------------------------ of a fit that has ended


@pytest.mark.parametrize("warm_start", [False, True])
def test_the_file_of_a_fit_that_has_ended_gives_it_at_once(warm_start, table, path, no_steps):
    vae = clone(VAE).set_params(warm_start=warm_start, early_stopping=True)
    fitted = clone(vae).fit(table, checkpoint=path)
    written = path.read_bytes()
    no_steps()
    again = clone(vae).fit(table, checkpoint=str(path))
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    np.testing.assert_array_equal(again.history_["train_loss"], fitted.history_["train_loss"])
    assert path.read_bytes() == written


def test_a_callbacks_stop_is_an_end(table, path, no_steps):
    stop = EarlyStopping("train_loss", patience=1, threshold=10.0)
    vae = clone(VAE).set_params(callbacks=[stop], max_epochs=20)
    fitted = clone(vae).fit(table, checkpoint=path)
    assert fitted.n_iter_ < 5
    no_steps()
    assert clone(vae).fit(table, checkpoint=path).n_iter_ == fitted.n_iter_


def test_a_fit_with_a_checkpoint_is_the_fit_without(table, path):
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    fitted = clone(VAE).fit(table, checkpoint=path)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    plain = clone(VAE).fit(table)
    np.testing.assert_array_equal(plain.transform(table), fitted.transform(table))
    assert vars(plain).keys() == vars(fitted).keys()


def test_without_a_seed_the_fit_goes_on_with_the_one_it_drew(table, path):
    vae = clone(VAE).set_params(random_state=None, early_stopping=True)
    fitted = clone(vae).fit(table, checkpoint=path)
    again = clone(vae).fit(table, checkpoint=path)
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    assert again._split_seed_ == fitted._split_seed_


# ------------------------------------------------------------------ of another fit


@pytest.mark.parametrize(
    ("parameters", "difference"),
    [
        ({"lr": 0.5}, "lr=0.001, and now lr=0.5"),
        ({"max_epochs": 4}, "max_epochs=3, and now max_epochs=4"),
        ({"hidden_layer_sizes": [5]}, "hidden_layer_sizes=(4), and now hidden_layer_sizes=(5)"),
        ({"random_state": 1}, "random_state=0, and now random_state=1"),
        ({"activation": torch.nn.Mish}, "activation='silu', and now activation=torch.nn.modules."
         "activation.Mish"),
        ({"callbacks": [LRScheduler("StepLR", step_size=1)]}, "callbacks=None, and now callbacks="
         "(skorch.callbacks.lr_scheduler.LRScheduler('policy': 'StepLR', 'monitor': 'train..."),
    ],
)  # fmt: skip
def test_other_parameters_are_refused(parameters, difference, table, path):
    clone(VAE).fit(table, checkpoint=path)
    other = clone(VAE).set_params(**parameters)
    sentence = of_another_fit(path, difference)
    assert_refused(lambda: other.fit(table, checkpoint=path), sentence, path)
    assert not hasattr(other, "net_")


def test_another_selector_is_refused(table, path):
    frame = pd.DataFrame(table).rename(columns=str)
    numbers = [("gaussian", make_column_selector(pattern)) for pattern in ("[^0]", "0")]
    clone(VAE).set_params(likelihood=numbers).fit(frame, checkpoint=path)
    other = clone(VAE).set_params(likelihood=numbers[::-1])
    with pytest.raises(
        SavingError, match=r"^checkpoint= can continue only the.* and now likelihood"
    ):
        other.fit(frame, checkpoint=path)


def test_another_class_is_refused(table, path):
    clone(VAE).fit(table, checkpoint=path)
    other = AutoencoderTransformer(2, hidden_layer_sizes=(4,), max_epochs=3, random_state=0)
    classes = "estimator=skvae.vae.VAETransformer", "estimator=skvae.autoencoder."
    sentence = of_another_fit(path, f"{classes[0]}, and now {classes[1]}AutoencoderTransformer")
    assert_refused(lambda: other.fit(table, checkpoint=path), sentence, path)


def test_other_rows_are_refused(table, path):
    vae = clone(VAE).set_params(early_stopping=True)
    clone(vae).fit(table, checkpoint=path)
    changed = table.copy()
    changed[-1, -1] += 1e-9
    for others in ({"X": changed}, {"X": table, "X_val": table}, {"X": table.astype(np.float32)}):
        with pytest.raises(SavingError, match=r"^checkpoint= can continue only the.* and now X"):
            clone(vae).fit(**others, checkpoint=path)
    clone(vae).fit(np.asfortranarray(table), checkpoint=path)  # the same


def test_what_only_shows_may_change(table, path, capfd):
    clone(VAE).fit(table, checkpoint=path)
    clone(VAE).set_params(verbose=1).fit(table, checkpoint=path)
    assert "3/3" in capfd.readouterr().err


def test_a_warm_start_of_a_fit_has_no_checkpoint(table, path):
    vae = clone(VAE).set_params(warm_start=True).fit(table)
    codes = vae.transform(table)
    with pytest.raises(ValueError, match=r"^checkpoint= needs a fit that") as refused:
        vae.fit(table, checkpoint=path)
    assert str(refused.value) == (
        "checkpoint= needs a fit that starts from the beginning. Got a warm start after another "
        "fit instead. Leave checkpoint out, or fit a clone."
    )
    np.testing.assert_array_equal(vae.transform(table), codes)


# ------------------------------------------------------------------ other files


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "one that is cut after 0 bytes, or another kind of file"),
        (b"precious notes", "one that is cut after 14 bytes, or another kind of file"),
    ],
)
def test_another_kind_of_file_is_left_alone(content, got, table, path):
    path.write_bytes(content)
    fit = clone(VAE).fit
    assert_refused(lambda: fit(table, checkpoint=path), foreign(path, got), path)


def test_a_saved_estimator_is_left_alone(table, path):
    skvae.save(clone(VAE).fit(table), path)
    sentence = foreign(path, "one that no fit wrote")
    assert_refused(lambda: clone(VAE).fit(table, checkpoint=path), sentence, path)


def test_a_file_that_is_cut_or_changed_is_refused(table, path):
    clone(VAE).fit(table, checkpoint=path)
    data = path.read_bytes()
    for broken in (data[:-1], data[: len(data) // 2], data[:-40] + b"x" + data[-39:]):
        path.write_bytes(broken)
        with pytest.raises(SavingError, match=r"^checkpoint= takes the path of a new file, or of"):
            clone(VAE).fit(table, checkpoint=path)
        assert path.read_bytes() == broken


@pytest.mark.parametrize("part", ["weights", "optimizer", "generator", "history", "callbacks"])
def test_a_file_without_a_part_is_refused(part, table, path):
    clone(VAE).fit(table, checkpoint=path)

    def remove(document, arrays):
        ((_, pairs),) = document["state"].items()
        (pair,) = [pair for pair in pairs if pair[0] == part]
        pairs.remove(pair)

    resealed(path, remove)
    fit = clone(VAE).fit
    sentence = foreign(path, f"one without what this fit needs ({part!r})")
    assert_refused(lambda: fit(table, checkpoint=path), sentence, path)


def test_a_newer_format_is_refused(table, path):
    clone(VAE).fit(table, checkpoint=path)

    def raised(document, arrays):
        document["checkpoint"] = 2
        document["versions"]["skvae"] = "9.0"

    resealed(path, raised)
    sentence = (
        f"checkpoint= of skvae {skvae.__version__} reads files of format 1 at most. Got format 2, "
        f"written by skvae 9.0, instead. Install that version."
    )
    assert_refused(lambda: clone(VAE).fit(table, checkpoint=path), sentence, path)


def test_other_versions_warn_and_go_on(table, path):
    fitted = clone(VAE).fit(table, checkpoint=path)
    resealed(path, lambda document, arrays: document["versions"].update(torch="1.0"))
    now = torch.__version__
    with pytest.warns(CheckpointWarning) as caught:
        again = clone(VAE).fit(table, checkpoint=path)
    assert str(caught[0].message) == (
        f"A fit continues bit by bit only with the versions with which it started. Got a "
        f"checkpoint of skvae {skvae.__version__} and torch 1.0 and now skvae {skvae.__version__} "
        f"and torch {now} instead. Remove {str(path)!r} to start from the beginning if results "
        f"differ."
    )
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))


def test_load_says_what_a_checkpoint_is_for(table, path):
    clone(VAE).fit(table, checkpoint=path)
    with pytest.raises(SavingError) as refused:
        skvae.load(path)
    assert str(refused.value) == (
        "load takes a file that skvae.save wrote. Got a checkpoint of a fit instead. Call fit "
        "with checkpoint= and its path, which goes on."
    )


def test_what_is_no_path_of_a_file_is_refused(table, tmp_path):
    for wrong in (3, b"fit", tmp_path / "none" / "fit"):
        sentence = (
            f"checkpoint= takes the path of a file in a folder that exists. Got {wrong!r} instead. "
            f"Make the folder, or give another path."
        )
        assert_refused(lambda w=wrong: clone(VAE).fit(table, checkpoint=w), sentence, tmp_path)
    sentence = foreign(tmp_path, "which is no file")
    assert_refused(lambda: clone(VAE).fit(table, checkpoint=tmp_path), sentence, tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_and_not_waited_for(table, path):
    os.mkfifo(path)
    sentence = foreign(path, "which is no file")
    assert_refused(lambda: clone(VAE).fit(table, checkpoint=path), sentence, path)


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
    with pytest.warns(CheckpointWarning, match="after epoch 3 instead: .*No such file"):
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
