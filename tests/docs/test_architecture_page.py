"""The drawing of the rooms in the site: it has every room and every file, floor by floor."""

import re
from html import escape

import architecture
from test_architecture import FLOORS, PACKAGE, RANK


def test_every_room_is_drawn():
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", architecture.drawing())
    assert sorted(drawn) == sorted(RANK)


def test_every_file_of_the_package_is_described_once():
    described = [path for room in RANK for path in architecture.files(room)]
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    assert sorted(described) == sorted(files)
    tables = "".join(architecture.tables())
    for path in files:
        assert f"<code>{path.stem}</code>" in tables
        assert escape(architecture.purpose(path)).replace("``", "") in tables


def test_a_room_is_below_those_that_may_import_it():
    pattern = r'<rect x="[^"]*" y="([^"]*)"[^>]*/><text[^>]*>([^<]*)<'
    height = {name: -float(y) for y, name in re.findall(pattern, architecture.drawing())}
    heights = [height[name] for name in sorted(height, key=RANK.get)]
    assert heights == sorted(heights)


def test_boxes_of_a_floor_are_apart():
    boxes = re.findall(r'<rect x="([^"]*)" y="([^"]*)" width="([^"]*)"', architecture.drawing())
    ends = {}
    for x, y, width in sorted((float(x), float(y), float(width)) for x, y, width in boxes):
        assert x >= ends.get(y, 0)
        ends[y] = x + width
    assert max(ends.values()) <= architecture.WIDTH


def test_a_purpose_is_the_first_line_of_a_module():
    assert architecture.purpose(PACKAGE / "vae.py") in (PACKAGE / "vae.py").read_text()
    assert architecture.purpose(PACKAGE / "nn") in (PACKAGE / "nn/__init__.py").read_text()
    assert architecture.floors() == FLOORS
