"""The script that is to run on a GPU runs, so that no lease of one is lost to a slip in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
CODE = (
    "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import _common, gpu; "
    "_common.RESULTS = Path(sys.argv[2]); gpu.main(sys.argv[3:])"
)


def run(results, *options):
    return subprocess.run(
        [sys.executable, "-c", CODE, str(FOLDER), str(results), *options],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )


def test_without_a_gpu_it_says_what_it_needs(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        f"gpu.py needs a GPU that torch computes on. Got torch {torch.__version__} without one "
        f"instead. Install torch for your GPU, or try the script with --device cpu --quick.\n"
    )


@pytest.mark.long
def test_all_of_it_runs_on_a_cpu_and_there_agrees_with_itself(tmp_path):
    parts = ["agreement", "fit", "transform", "paper"]
    result = run(tmp_path, "--device", "cpu", "--quick", "--parts", *parts)
    assert result.returncode == 0, result.stdout + result.stderr
    content = json.loads((tmp_path / "gpu-cpu-quick.json").read_text())
    found = content["settings"]
    names = [row["case"] for row in content["rows"]]
    assert names == [row["case"] for row in found["agreement"]]
    assert {(row["loss"], row["codes"]) for row in found["agreement"]} == {(0.0, 0.0)}
    assert all(row["largest_difference"] < 1e-4 for row in found["transform"])
    assert found["paper"] == {"ended": "left out: no data, or no time"}
    assert re.search(r"^VAE, paper, 300 x 16x16x3 +\d", result.stdout, re.MULTILINE)
