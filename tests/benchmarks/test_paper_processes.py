"""Runs of the paper's experiment at the same time, in one folder: real processes, small images."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up_images import SIDE, pictures
from PIL import Image

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
WRITER = """
import sys
from pathlib import Path
from time import monotonic
from _paper_measures import VERSION
from _paper_runs import keep_rows
who, folder = sys.argv[1], Path(sys.argv[2])
own = {}
(folder / who).touch()
begun = monotonic()
while len(list(folder.glob("writer*"))) < 2 and monotonic() < begun + 60:
    pass
for number in range(40):
    key = f"{who}-{number}"
    own[key] = {"key": key, "measures": VERSION, "named": number}
    keep_rows(own, folder / "rows", folder, {})
"""


def together(*commands):
    """Run Python with these arguments, all at once; return what each wrote to stderr."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path, str(BENCHMARKS)])}
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(commands), errors


@pytest.mark.long
def test_no_row_of_another_run_is_lost(tmp_path):
    together(*(["-c", WRITER, name, tmp_path] for name in ("writer1", "writer2")))
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    keys = {f"{name}-{number}" for name in ("writer1", "writer2") for number in range(40)}
    assert {row["key"] for row in rows} == keys
    assert not list(tmp_path.glob("*.part"))


@pytest.fixture
def data(tmp_path):
    X, factors = pictures(160, 0)  # the fewest
    levels = json.dumps({"hair": ["none", "bob", "bun", "fro"]})
    np.savez(
        tmp_path / "quarters.npz",
        X=X.reshape(-1, SIDE, SIDE),
        factors=factors,
        factor_names=["hair", "grey"],
        factor_levels=levels,
    )
    return f"npz:{tmp_path / 'quarters.npz'}"


@pytest.mark.long
def test_two_runs_in_one_folder_share_their_fits(data, tmp_path):
    options = ["--architecture", "hybrid", "--models", "four", "--epochs", 2, "--latent", 4]
    options += ["--data", data, "--n-jobs", 1, "--out", tmp_path / "out"]
    script = BENCHMARKS / "paper.py"
    together([script, *options, "--seeds", 0, 1], [script, *options, "--seeds", 1, 0])
    (results,) = (tmp_path / "out").glob("*.json")
    rows = json.loads(results.read_text())["rows"]
    models = ("AE", "VAE", "BetaVAE", "BetaTCVAE")
    assert sorted((row["name"], row["seed"]) for row in rows) == sorted(
        (name, seed) for name in models for seed in (0, 1)
    )
    fits = tmp_path / "out" / "paper-fits"
    assert {path.name for path in fits.glob("*-seed?-*.joblib")} == {
        f"{row['key']}.joblib" for row in rows
    }
    assert not [*fits.glob("*.part"), *fits.glob("*.begun")]
    pictures_drawn = sorted((tmp_path / "out").glob("*.png"))
    assert len(pictures_drawn) == 3
    for path in pictures_drawn:
        with Image.open(path) as picture:
            picture.load()
