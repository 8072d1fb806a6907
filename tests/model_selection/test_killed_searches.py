"""A search that was killed goes on with what it had done."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killed_search import SEARCHES, killed_before

N_FITS = {"pipelines": 7, "candidates": 6}  # three betas, two folds; the best once more
LEFT = {"pipelines": 3, "candidates": 2}  # after four: of the candidates two are whole


class Killed(BaseException):
    """In the place of SIGKILL."""


def kill():
    raise Killed


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_killed_search_fits_only_what_is_left(kind, tmp_path):
    with killed_before(-1, kill) as n_fits:
        expected = SEARCHES[kind](str(tmp_path / "whole"))
    assert n_fits == [N_FITS[kind]]
    with killed_before(4, kill), pytest.raises(Killed):
        SEARCHES[kind](str(tmp_path / "killed"))
    with killed_before(-1, kill) as n_fits:
        assert SEARCHES[kind](str(tmp_path / "killed")) == expected
    assert n_fits == [LEFT[kind]]


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_killed_by_the_system_fits_only_what_is_left(kind, tmp_path):
    script = Path(__file__).parents[1] / "killed_search.py"

    def search(folder, fit):
        command = [sys.executable, str(script), kind, str(tmp_path / folder), str(fit)]
        return subprocess.run(command, capture_output=True, text=True)

    whole = search("whole", -1).stdout.split()
    assert search("killed", 4).returncode == -signal.SIGKILL
    assert search("killed", -1).stdout.split() == [str(LEFT[kind]), *whole[1:]]
