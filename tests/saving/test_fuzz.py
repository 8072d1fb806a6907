"""Files changed at random: an estimator or the package's error, soon, and small."""

import numpy as np
import pytest
from fuzz_saving import fault, files, run
from saved_files import MUTATIONS, mutated


def test_a_changed_file_ends_in_an_estimator_or_in_the_packages_error(tmp_path):
    ends, faults = run(200, seed=3, folder=tmp_path)
    assert not faults
    assert {end for _, end in ends} == {"loaded", "refused"}
    assert sum(ends.values()) == 200


def test_every_mutation_changes_a_file(tmp_path):
    data, _ = files(tmp_path)[0]
    rng, changed = np.random.RandomState(0), set()
    for _ in range(300):
        other, done = mutated(data, rng)
        changed |= {done} if other != data else set()
    assert changed == MUTATIONS.keys()


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda path: np.zeros(2**22), "bytes for a file of 10"),
        (lambda path: {}["key"], "KeyError: 'key'"),
        (lambda path: 5, "a int"),
    ],
)
def test_the_judge_finds_faults(function, found, tmp_path):
    assert found in fault(tmp_path / "file", 10, function)[0]
