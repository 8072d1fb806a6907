"""The paper's experiment as it is run, from a file to its tables, on images that are small."""

import re

import _common
import numpy as np
import paper
import pytest
from made_up_images import SIDE, pictures


def run(monkeypatch, tmp_path, capsys, content, *options):
    """Run the script on a file of this content, and return what it printed."""
    np.savez(tmp_path / "quarters.npz", **content)
    arguments = ["--data", f"npz:{tmp_path / 'quarters.npz'}", "--architecture", "hybrid"]
    arguments += ["--models", "four", "--epochs", "1", "--n-jobs", "1", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["paper.py", *arguments, *options])
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    paper.main()
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def content():
    X, factors = pictures(500, 0)
    # The first of four quarters is the lack of glasses.
    levels = '{"glasses": ["none", "round", "square", "dark"]}'
    names = np.array(["glasses", "grey"])
    X = X.reshape(-1, SIDE, SIDE)
    return {"X": X, "factors": factors, "factor_names": names, "factor_levels": levels}


@pytest.mark.long
def test_a_run_with_rare_features_and_fewer_codes_than_factors(
    content, monkeypatch, tmp_path, capsys
):
    printed = run(monkeypatch, tmp_path, capsys, content, "--rare", "--latent", "1")
    (counted,) = re.findall("rare: .*", printed)
    assert re.fullmatch(
        r"rare: \d+ different images, repeated; shares: any glasses \d\.\d%", counted
    )
    table = printed.partition("What the paper claims\n\n")[2].partition("\n\n")[0]
    _, _, *lines = table.splitlines()
    said = [re.split("  +", line) for line in lines]
    assert {len(cells) for cells in said} == {5}
    assert {cells[-1] for cells in said} <= {"holds", "fails", "cannot be told"}
    assert "Unique features go first: any glasses" in {cells[0] for cells in said}


def test_a_run_on_images_of_which_nothing_is_known(content, monkeypatch, tmp_path, capsys):
    printed = run(monkeypatch, tmp_path, capsys, {"X": content["X"]}, "--quick", "--learned")
    assert "judge" not in printed.partition("What the paper claims")[0]
    assert "VAE (learned)" in printed
    assert "margin: the least of the differences" in printed
