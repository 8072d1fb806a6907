"""The page on the paper's experiment: its tables have what the kept results give, and no more."""

import json
import re
from dataclasses import asdict, fields
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

import paper
import pytest
from _paper_factors import FEATURES
from _paper_fits import Setting
from _paper_rows import read_rows
from _paper_runs import AS_THEY_ARE, Run

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results"
KEPT = "paper-avatars64-hybrid-bfloat16"
PAPERS = "paper-avatars64-paper-lr0.001-bfloat16"
PAPERS_RATE = "paper-avatars64-paper-bfloat16"
SPRITES = "paper-lpc_sprites64-hybrid-bfloat16"


def seeds_of(rows, model, images):
    """Return the kept rows of a model that was fitted to one set of images, one for each seed."""
    marks = {**asdict(model), "images": images}
    found = [row for row in rows.values() if marks.items() <= row.items()]
    return sorted(found, key=itemgetter("seed"))


def report_of(kept, features=FEATURES, *, whole=False, learned=True, resampled=()):
    """Print what the script prints of kept results, without a fit."""
    rows, n_others = read_rows(RESULTS / kept)
    assert n_others == 0
    settings = json.loads((RESULTS / f"{kept}.json").read_text())["settings"]
    setting = Setting(**{field.name: settings[field.name] for field in fields(Setting)})
    betas, tc_betas = ([5.0, 2.0, 20.0], [20.0, 5.0, 100.0]) if whole else ([5.0], [20.0])
    run = Run(setting, settings["seeds"], 32, betas, tc_betas, whole=whole, learned=learned)
    results = {}
    for fit in run.fits({}):
        results.setdefault(fit.model, []).append(rows[fit.key])
    results = {AS_THEY_ARE: results}
    for name in resampled:
        results[name] = {model: seeds_of(rows, model, name) for model in run.four}
    floor = settings["judge"]["frechet_floor"]
    reference = SimpleNamespace(
        floor=settings["noise_floor"], judge=object(), features=SimpleNamespace(floor=floor)
    )
    paper.report(run, results, reference, settings, dict.fromkeys(features))


@pytest.fixture
def printed(capsys):
    """What the script prints of the run that the page is about."""
    report_of(KEPT, resampled=("rare", "common"))
    return capsys.readouterr().out


@pytest.fixture
def all_printed(printed, capsys):
    """The same, and what it prints of all betas, of the paper's own network and of sprites."""
    report_of(KEPT, whole=True)
    report_of(PAPERS, learned=False)
    report_of(PAPERS_RATE, learned=False)
    report_of(SPRITES, features=())
    return printed + capsys.readouterr().out


# What the page says of the options, and of when a factor is found.
SAID = {"0.5", "0.487", "0.1"}


def cells_of(page):
    """Return the cells of all tables of a page, without their headers."""
    tables = re.findall(r"^\|.*\n\|(?:---\|)+\n((?:\|.*\n)+)", page, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return {cell.strip() for line in lines for cell in line.strip("|").split("|")}


def test_every_cell_of_the_page_is_one_that_the_script_prints(all_printed):
    cells = cells_of((ROOT / "docs/paper.md").read_text(encoding="utf-8"))
    shown = {cell for line in all_printed.splitlines() for cell in re.split(r" {2,}", line.strip())}
    assert len(cells) > 300
    assert cells - {"PCA"} <= shown


def test_every_fraction_in_the_words_of_the_page_is_one_that_the_script_prints(all_printed):
    page = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    words = re.sub(r"^\|.*$", "", page, flags=re.MULTILINE)
    fractions = set(re.findall(r"(?<![\w.])\d+\.\d+", words))
    assert fractions >= {"0.036", *SAID}
    assert fractions - SAID <= set(re.findall(r"\d+\.\d+", all_printed))


def test_every_claim_is_on_the_page_with_its_verdict(printed):
    page = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    table = printed.partition("What the paper claims\n\n")[2].partition("\n\n")[0]
    _, _, *lines = table.splitlines()
    for line in lines:
        *_, measured, medians, margin, verdict = re.split(r" {2,}", line)
        assert f"| {measured} | {medians} | {margin} | {verdict} |" in page


def test_the_kept_results_are_small_and_of_the_measures_that_are_taken():
    for path in RESULTS.glob("paper-*.png"):
        assert path.stat().st_size < 500_000, path  # the README shows them
    for path in RESULTS.glob("paper-*.json"):
        rows, n_others = read_rows(path.with_suffix(""))
        assert path.stat().st_size < 12_000 * len(rows), path
        assert rows, path
        assert n_others == 0, path


@pytest.mark.parametrize(
    ("page", "figures"),
    [
        ("README.md", ["traversals", "samples", "betas"]),
        ("docs/index.md", ["betas"]),
        ("docs/examples/GALLERY_HEADER.rst", ["betas", "samples"]),
    ],
)
def test_the_project_opens_with_figures_of_the_experiment(page, figures):
    text = (ROOT / page).read_text(encoding="utf-8")
    pictures = re.findall(r"(?:\]\(|image:: )(\S+\.png)", text)[: len(figures)]
    assert [Path(name).name for name in pictures] == [f"{KEPT}-{figure}.png" for figure in figures]
    assert all((ROOT / page).parent.joinpath(name).exists() for name in pictures)
