"""The file of the paper's experiment: what is kept of a row, and what is read again."""

import json

import numpy as np
import pytest
from _paper_errors import N_GROUPS, standard_error
from _paper_rows import packed, rounded, unpacked

ROW = {
    "key": "VAE",
    "test_mse": 0.012345678,
    "n": 3,
    "named": {"hair": {"gap": 1 / 3}},
    "without": [
        {"test_mse": group / 7, "samples": {"prior": {"mmd": float(group)}}, "x": None}
        for group in range(N_GROUPS)
    ],
}


def test_what_is_read_is_what_was_rounded_and_kept():
    kept = json.loads(json.dumps(packed(ROW)))
    assert unpacked(kept) == rounded(ROW)
    assert packed(unpacked(kept)) == kept
    assert not any(isinstance(cell, dict) for cell in kept.values())  # for the page of results
    (errors,) = (detail["without"] for detail in kept["details"] if "without" in detail)
    assert errors["samples"] == {"prior": {"mmd": list(range(N_GROUPS))}}


def test_a_row_without_errors_has_none_when_it_is_read():
    row = {"key": "VAE", "n": 3}
    assert unpacked(packed(row)) == row


def test_numbers_keep_seven_digits_and_all_else_stays():
    assert rounded({"a": [-7264.812345678, 1e-9 / 3], "b": True, "c": None, "d": 123456789}) == {
        "a": [-7264.812, 3.333333e-10],
        "b": True,
        "c": None,
        "d": 123456789,
    }
    assert np.isnan(rounded(float("nan")))


def test_rounding_leaves_the_errors():
    rng = np.random.default_rng(0)
    replicates = 0.9 + 0.001 * rng.standard_normal(N_GROUPS)
    assert standard_error(rounded(replicates.tolist())) == pytest.approx(
        standard_error(replicates), rel=1e-3
    )
