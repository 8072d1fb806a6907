"""What speed.py makes of seconds, and when its check fails."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import _common
import pytest
import speed
from _speed_contests import (
    Contest,
    Row,
    chosen,
    measured,
    ratio,
    summary,
    taking_turns,
    timed,
    worsening,
)
from _speed_tables import cells, check

FOLDER = Path(__file__).parents[2] / "benchmarks"
SMALLER = Row("load", "ours", "theirs", 0.5, "half")
LARGER = Row("peer", "theirs", "ours", 2.0, "twice", smaller_is_better=False)
SECONDS = {"ours": [1.0, 3.0, 2.0], "theirs": [4.0, 4.0, 4.0]}


def constant(*ratios):
    """Return a contest of one row that has some ratio at every repetition, the next at the next."""
    left = list(ratios)
    return Contest(
        (SMALLER,), lambda quick: lambda wanted: {"ours": left.pop(0), "theirs": 1.0}, True, False
    )


def kept(row, value):
    return {row.name: {"name": row.name, "ratio": {"median": value}}}


def test_a_ratio_is_of_repetitions_and_not_of_medians():
    assert ratio([1, 9, 4], [2, 3, 1]) == {"median": 3, "min": 0.5, "max": 4}


def test_a_row_has_its_ratio_its_target_and_whether_it_is_met():
    assert summary(SMALLER, SECONDS) == {
        "name": "load",
        "numerator": "ours",
        "denominator": "theirs",
        "numerator_seconds": 2.0,
        "denominator_seconds": 4.0,
        "ratio": {"median": 0.5, "min": 0.25, "max": 0.75},
        "better": "smaller",
        "target": 0.5,
        "reason": "half",
        "met": True,
    }
    assert not summary(SMALLER._replace(target=0.49), SECONDS)["met"]
    assert summary(LARGER, SECONDS)["met"]
    assert not summary(LARGER._replace(target=2.01), SECONDS)["met"]


def test_seconds_are_of_a_part_of_a_call_and_never_zero():
    clock = iter([10.0, 16.0, 20.0, 20.0])
    seconds = timed(lambda: None, number=3, parts=2, clock=lambda: next(clock))
    assert seconds() == 1.0
    assert seconds() > 0


def test_contenders_take_turns_and_only_those_that_a_row_is_of():
    order = []

    def contender(name):
        return lambda: order.append(name) or 1.0

    turns = taking_turns({name: contender(name) for name in ("a", "b", "c")})
    contest = Contest((Row("row", "c", "a", 1.0, ""),), lambda quick: turns, warms_up=False)
    assert measured(contest, repeats=2)[0]["ratio"]["median"] == 1
    assert order == ["a", "c", "a", "c"]
    measured(contest._replace(warms_up=True), repeats=1)
    assert order[4:] == ["a", "c", "a", "c"]


def test_a_row_whose_library_is_missing_says_so_and_is_not_run():
    def prepare(quick):
        raise AssertionError("prepared")

    row = SMALLER._replace(needs="no_such_library")
    (result,) = measured(Contest((row,), prepare), repeats=1)
    assert result == {"name": "load", "left_out": "no_such_library is not installed"}
    assert cells(result)[:2] == ["load", "left out: no_such_library is not installed"]


@pytest.mark.parametrize(
    ("better", "after", "factor"),
    [("smaller", 1.5, 1.5), ("smaller", 0.5, 0.5), ("larger", 0.5, 2.0), ("larger", 2.0, 0.5)],
)
def test_worse_is_longer_of_ours_and_shorter_of_theirs(better, after, factor):
    before, now = ({"ratio": {"median": value}, "better": better} for value in (1.0, after))
    assert worsening(before, now) == factor


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.14], ""),
        ([0.5], ""),
        ([1.16, 1.14], "worse once, not again"),
        ([1.16, 1.16], "WORSE"),
    ],
)
def test_a_check_fails_past_15_percent_twice(ratios, verdict):
    contest = constant(*ratios)
    lines, failed = check([contest], kept(SMALLER, 1.0), lambda c: measured(c, repeats=1))
    assert failed == (["load"] if verdict == "WORSE" else [])
    ((*_, worse_by, said),) = lines
    assert said == verdict
    assert worse_by == f"{ratios[-1] - 1:+.0%}"


@pytest.mark.parametrize("before", [{}, {"load": {"name": "load", "left_out": "torch"}}])
def test_a_row_that_was_not_kept_is_not_compared(before):
    lines, failed = check([constant(9.0)], before, lambda c: measured(c, repeats=1))
    assert lines == [["load", "", "9.00", "", "", "not compared"]]
    assert failed == []


def test_what_fails_exits_with_its_names(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    rows = list(kept(SMALLER, 1.0).values())
    (tmp_path / "speed.json").write_text(json.dumps({"rows": rows}))
    dear = constant()._replace(is_cheap=False)
    speed.compare([constant(1.0), dear], repeats=1)
    assert capsys.readouterr().out.endswith(
        "\nNo ratio is more than 15 % worse than in results/speed.json.\n"
    )
    with pytest.raises(SystemExit) as error:
        speed.compare([constant(1.2, 1.2)], repeats=1)
    assert error.value.code == (
        "Ratios must be at most 15 % worse than in results/speed.json. Got load worse twice "
        "instead. Find the change that causes it, or keep new ratios and say why."
    )


def test_a_check_without_kept_ratios_says_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr(_common, "RESULTS", tmp_path)
    with pytest.raises(SystemExit) as error:
        speed.compare([constant(1.0)], repeats=1)
    assert error.value.code == (
        f"--check needs the ratios to compare with. Got no speed.json in {tmp_path.name} instead. "
        f"Run python benchmarks/speed.py."
    )


def test_rows_have_names_of_their_own_and_patterns_choose_them():
    names = [row.name for contest in speed.CONTESTS for row in contest.rows]
    assert max(Counter(names).values()) == 1
    contests = chosen(speed.CONTESTS, ["load", "fit-*-mlp"])
    assert [[row.name for row in contest.rows] for contest in contests] == [
        ["fit-1797x64-mlp"],
        ["fit-20000x30-mlp"],
        ["load"],
    ]


@pytest.mark.long
def test_it_runs_and_a_part_of_its_rows_is_not_kept(tmp_path):
    names = ["fit-1797x64-*", "one-row-*", "load"]
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import _common, "
        "speed; _common.RESULTS = Path(sys.argv[2]); speed.main(sys.argv[3:])"
    )
    options = ["--quick", "--only", *names]
    result = subprocess.run(
        [sys.executable, "-c", code, str(FOLDER), str(tmp_path), *options],
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for name in ("fit-1797x64-plain", "fit-1797x64-mlp", "one-row-predict", "load"):
        assert f"\n{name} " in result.stdout
    assert not list(tmp_path.iterdir())


def test_an_unknown_row_is_refused(capsys):
    with pytest.raises(SystemExit):
        speed.main(["--only", "nothing"])
    error = capsys.readouterr().err
    assert ": --only must match some of fit-1797x64-plain, fit-1797x64-fused, " in error
    assert error.endswith(", search-loop. Got nothing instead.\n")
