"""The page of the benchmarks' results: what it says of a small folder of scripts and files."""

import json

import benchmark_rows
import pytest
from benchmark_rows import averaged, shown, unnested
from benchmark_tables import page, tables

MACHINE = {"date": "2026-01-02", "processor": "A | B", "cores": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (3, "3"),
        (12345, "12,345"),
        (0.123456, "0.1235"),
        (-64002.7, "-64,003"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("a|b\nc", r"a\|b c"),
        ([1, 0.5], "1, 0.5"),
    ],
)
def test_values_are_short(value, text):
    assert shown(value) == text


def test_dicts_of_the_same_keys_become_rows():
    row = {"table": "t", "A": {"x": 1, "y": 2}, "B": {"x": 3, "y": 4}, "other": {"z": 5}}
    rest = {"table": "t", "other": {"z": 5}}
    assert unnested(row) == [
        {**rest, "of": "A", "x": 1, "y": 2},
        {**rest, "of": "B", "x": 3, "y": 4},
    ]
    assert unnested(rest) == [rest]


def test_dicts_whose_keys_are_taken_stay_where_they_are():
    row = {"x": 0, "A": {"x": 1}, "B": {"x": 2}}
    assert unnested(row) == [row]


def test_means_are_over_seeds_by_texts_and_parameters():
    rows = [
        {"model": model, "beta": beta, "seed": seed, "score": seed + beta}
        for model in "AB"
        for beta in (1, 4)
        for seed in (0, 1, 2)
    ]
    means, over = averaged(rows)
    assert over == ["seed"]
    assert means == [
        {"model": model, "beta": beta, "rows": 3, "score": 1.0 + beta}
        for model in "AB"
        for beta in (1, 4)
    ]


def test_means_are_over_the_column_of_most_texts_where_rows_stay_many(monkeypatch):
    monkeypatch.setattr(benchmark_rows, "MOST_ROWS", 4)
    rows = [
        {"table": f"t{table}", "method": method, "auc": table}
        for table in range(5)
        for method in "AB"
    ]
    assert averaged(rows) == (
        [{"method": method, "rows": 5, "auc": 2.0} for method in "AB"],
        ["table"],
    )


def test_a_value_that_some_rows_lack_is_averaged_over_those_that_have_it():
    rows = [{"model": "A", "x": 1.0}, {"model": "A", "x": None}, {"model": "A", "x": 2.0}]
    assert averaged(rows)[0] == [{"model": "A", "rows": 3, "x": 1.5}]


def test_few_rows_stay_as_they_are_and_what_is_equal_is_said_once():
    rows = [{"model": model, "n": 7, "curve": list(range(9)), "x": x} for model, x in ("A1", "B2")]
    assert tables(rows) == [
        "*In all rows*: n 7.",
        "| model | x |\n| --- | --- |\n| A | 1 |\n| B | 2 |",
    ]


def test_many_columns_go_down():
    (text,) = tables([{f"c{number}": number for number in range(11)}])
    assert text.splitlines()[:3] == ["| c0 | 0 |", "| --- | --- |", "| c1 | 1 |"]


def test_many_rows_are_said_to_be_means():
    rows = [{"model": "A", "seed": seed, "x": seed} for seed in range(41)]
    assert tables(rows) == [
        "*In all rows*: model A.",
        "Means of 41 rows, over seed:",
        "| rows | x |\n| --- | --- |\n| 41 | 20 |",
    ]


@pytest.fixture
def benchmarks(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "speed.py").write_text('"""Claim: ``fit`` is\nfast.\n\nDetails.\n"""\n')
    (tmp_path / "speed_more.py").write_text('"""Claim: more."""\n')
    (tmp_path / "_common.py").write_text('"""No benchmark."""\n')
    content = {"machine": MACHINE, "settings": {"n": 5, "deep": {"a": {"b": 1}}, "long": [0] * 9}}
    for name in ("speed", "speed-images", "speed_more"):
        rows = [{"model": name, "seconds": 1.5}]
        (tmp_path / f"results/{name}.json").write_text(json.dumps({**content, "rows": rows}))
    for name in ("speed", "speed-images-curves", "unknown"):
        (tmp_path / f"results/{name}.png").touch()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/fast.md").write_text("# Fast?\n\n## speed.py: how fast, it says\n")
    return tmp_path


def test_each_script_has_its_claim_its_files_and_their_pictures(benchmarks):
    text = page(benchmarks, benchmarks / "pages")
    lines = [line for line in text.splitlines() if line and not line.startswith("|")]
    measured = "*Measured* on 2026-01-02: processor A \\| B, cores 2."
    assert lines[lines.index("## speed.py") :] == [
        "## speed.py",
        "Claim: `fit` is fast.",
        "[What the results mean](pages/fast.md#speedpy-how-fast-it-says).",
        "### speed",
        measured,
        "*Settings*: n 5.",
        "![speed](../benchmarks/results/speed.png)",
        "### speed-images",
        measured,
        "*Settings*: n 5.",
        "![speed-images-curves](../benchmarks/results/speed-images-curves.png)",
        "## speed_more.py",
        "Claim: more.",
        "[What the results mean](benchmarks.md).",
        measured,
        "*Settings*: n 5.",
    ]
    assert "| speed_more | 1.5 |" in text
    assert "unknown" not in text
    assert "_common" not in text


def test_a_script_without_results_is_left_out(benchmarks):
    (benchmarks / "results/speed_more.json").unlink()
    assert "speed_more" not in page(benchmarks, benchmarks / "pages")
