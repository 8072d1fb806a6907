"""Files of every format ever written load, and answer as they did."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import skvae
from skvae.saving.files import FORMAT

FOLDERS = sorted(Path(__file__).parent.glob("format*"))
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*.skvae"))]
LARGEST = 10_000  # bytes: the state of the random numbers takes 5,056


@pytest.mark.filterwarnings("ignore:Trying to unpickle estimator")  # of other versions' scalers
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_of_an_earlier_format_answers_as_it_did(path):
    expected = json.loads((path.parent / "expected.json").read_text())[path.stem]
    found = runpy.run_path(str(path.parent / "write.py"))["answers"](path.stem, skvae.load(path))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


def test_there_are_files_of_every_format_and_they_are_small():
    assert [folder.name for folder in FOLDERS] == [f"format{n + 1}" for n in range(FORMAT)]
    for folder in FOLDERS:
        names = json.loads((folder / "expected.json").read_text())
        assert {path.stem for path in folder.glob("*.skvae")} == names.keys()
    assert all(path.stat().st_size < LARGEST for path in FILES)
