"""What comes of a checkpoint that is another kind of file, damaged, newer, or no file at all."""

import os

import numpy as np
import pytest
import torch
from named_pipes import has_pipes
from refused_checkpoints import VAE, assert_refused, foreign
from saved_files import resealed
from sklearn.base import clone

import skvae
from skvae import CheckpointWarning, SavingError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit"


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


@has_pipes
def test_a_pipe_is_refused_and_not_waited_for(table, path):
    os.mkfifo(path)
    sentence = foreign(path, "which is no file")
    assert_refused(lambda: clone(VAE).fit(table, checkpoint=path), sentence, path)
