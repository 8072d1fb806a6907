"""The page on image networks: its table has every kept row of the frontier, and no other."""

import json
from pathlib import Path

import pytest
from image_frontier import lines_of

ROOT = Path(__file__).parents[2]
KEPT = {
    "drawn faces": "avatars64",
    "sprites": "lpc_sprites64",
    "Olivetti": "olivetti64",
    "MNIST": "mnist",
}
FEATURES = ("baldness", "any glasses", "any beard")


@pytest.fixture(scope="module")
def on_page():
    """Return {images: the lines of the table}. Only the first line of some images names them."""
    page = (ROOT / "docs/benchmarks/images.md").read_text()
    section = page.split("## image_frontier.py")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    tables, images = {}, None
    for line in lines[1:]:  # after the header
        named, *cells = (cell.strip() for cell in line.removesuffix("|")[1:].split("|"))
        images = named or images
        tables.setdefault(images, []).append(cells)
    return tables


@pytest.mark.parametrize("images", KEPT)
def test_the_table_has_the_kept_rows(images, on_page):
    path = ROOT / f"benchmarks/results/image_frontier-{KEPT[images]}.json"
    kept = json.loads(path.read_text())
    settings = kept["settings"]
    features = [name for name in FEATURES if name in settings["pca"]["auc"]]
    lines = lines_of(kept["rows"], features, settings["pca"], settings["pixels_auc"])
    n_missing = len(FEATURES) - len(features)
    assert on_page[images] == [[*line, *[""] * n_missing] for line in lines]


def test_the_table_has_no_other_images(on_page):
    assert set(on_page) == set(KEPT)
