"""What the benchmarks share."""

import json
import sys
import warnings
from types import SimpleNamespace

import _common
import numpy as np
import pytest
from _common import median_and_range, recorded_warnings, rounded, rows_of, save, timed
from _memory import peak_memory
from _pyod import make_pyod
from sklearn.exceptions import ConvergenceWarning


def test_what_a_fit_warns_its_user_of_is_recorded_and_not_printed(recwarn):
    with recorded_warnings() as caught:
        for _ in range(2):  # always, not once for each place
            warnings.warn("not yet", ConvergenceWarning, stacklevel=1)
        warnings.warn("look", UserWarning, stacklevel=1)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
    assert [(warning.category, str(warning.message)) for warning in caught] == [
        (ConvergenceWarning, "not yet"),
        (ConvergenceWarning, "not yet"),
        (UserWarning, "look"),
    ]
    assert not recwarn


def test_results_have_a_line_for_every_row(monkeypatch, tmp_path):
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    for rows in ([{"x": 1, "y": [2.5, None]}, {"x": "a\nb"}], []):
        save("made_up", rows, n=3, why={"deep": True})
        text = (tmp_path / "made_up.json").read_text()
        content = json.loads(text)
        assert content.keys() == {"machine", "settings", "rows"}
        assert (content["settings"], content["rows"]) == ({"n": 3, "why": {"deep": True}}, rows)
        assert all(json.dumps(row) in text.replace("},\n", "}\n").splitlines() for row in rows)


def test_what_fails_within_the_block_is_raised():
    with pytest.raises(ZeroDivisionError), recorded_warnings():
        1 / 0  # noqa: B018


def test_rows_are_chosen_by_all_the_values_wanted_in_their_order():
    rows = [{"table": table, "seed": seed} for table in "ab" for seed in (1, 0, None)]
    assert rows_of(rows, table="b") == rows[3:]
    assert rows_of(rows, seed=None, table="a") == [rows[2]]
    assert rows_of(rows) == rows
    with pytest.raises(KeyError):
        rows_of(rows, tabel="a")


@pytest.mark.parametrize(
    ("values", "form", "text"),
    [
        ([3, 1, 2, 10], ".1f", "2.5 (1.0 to 10.0)"),
        ([0.12345, None, -2.0, 7], ".3g", "0.123 (-2 to 7)"),
        ([0.25], ".2f", "0.25 (0.25 to 0.25)"),
        ([None], ".2f", ""),
        ([], ".2f", ""),
    ],
)
def test_a_median_is_told_with_the_least_and_the_greatest_number(values, form, text):
    assert median_and_range(values, form) == text
    assert median_and_range(iter(values), form) == text


def test_rounded_rows_keep_everything_but_the_digits_of_floats():
    row = {"a": 0.123456, "b": [1 / 3, 2], "c": "0.123456", "d": None, "e": 123456, "f": True}
    kept = {"a": 0.1235, "b": [0.3333, 2], "c": "0.123456", "d": None, "e": 123456, "f": True}
    assert rounded([row, {"a": 1e-9}]) == [kept, {"a": 0.0}]
    assert row["b"] == [1 / 3, 2]


def test_the_peak_of_memory_is_in_bytes():
    X = np.ones(1_500_000)
    assert X.nbytes < peak_memory() < 2**37  # more than tests take, and less than 1024 times that


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PyOD AutoEncoder", ("AutoEncoder", {"random_state": 3, "verbose": 0})),
        ("PyOD VAE", ("VAE", {"random_state": 3, "verbose": 0})),
        ("PyOD ECOD", ("ECOD", {})),
    ],
)
def test_detectors_of_pyod_get_a_seed_where_they_take_one(name, expected, monkeypatch):
    kind, parameters = expected
    for module, of in (("auto_encoder", "AutoEncoder"), ("ecod", "ECOD"), ("vae", "VAE")):
        made = {of: lambda of=of, **given: (of, given)}
        monkeypatch.setitem(sys.modules, f"pyod.models.{module}", SimpleNamespace(**made))
    for package in ("pyod", "pyod.models"):
        monkeypatch.setitem(sys.modules, package, SimpleNamespace(__path__=[]))
    assert make_pyod(name, 3) == (kind, parameters)
    assert make_pyod(name, 3, contamination=0.1) == (kind, {**parameters, "contamination": 0.1})


def test_a_call_is_timed_by_the_clock_that_is_given():
    ticks = iter([2.0, 5.5])
    assert timed(divmod, 7, 2, clock=lambda: next(ticks)) == (3.5, (3, 1))
    seconds, result = timed(sorted, [1, 2], reverse=True)
    assert (seconds >= 0, result) == (True, [2, 1])
