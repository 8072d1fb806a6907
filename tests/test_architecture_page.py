"""The drawing of the layers in the site: it has every module, in the order of the layers."""

import re
from html import escape

import architecture
from test_architecture import LAYERS, PACKAGE, RANK

CORE = [name for name in RANK if "." not in name]


def test_every_module_is_drawn_and_described():
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", architecture.drawing())
    assert sorted(drawn) == sorted("skvae" if name == "__init__" else name for name in CORE)
    rows = "".join(architecture.rows_of_table())
    for name in CORE:
        assert escape(architecture.purpose(name)).replace("``", "") in rows


def test_a_module_is_below_those_that_may_import_it():
    pattern = r'<rect x="[^"]*" y="([^"]*)"[^>]*/><text[^>]*>([^<]*)<'
    found = re.findall(pattern, architecture.drawing())
    height = {name: -float(y) for y, name in found if name != "datasets"}
    ranked = sorted(height, key=lambda name: RANK["__init__" if name == "skvae" else name])
    heights = [height[name] for name in ranked]
    assert heights == sorted(heights)


def test_boxes_of_a_layer_are_apart():
    boxes = re.findall(r'<rect x="([^"]*)" y="([^"]*)" width="([^"]*)"', architecture.drawing())
    ends = {}
    for x, y, width in sorted((float(x), float(y), float(width)) for x, y, width in boxes):
        assert x >= ends.get(y, 0)
        ends[y] = x + width
    assert max(ends.values()) <= architecture.WIDTH


def test_a_purpose_is_the_first_line_of_a_module():
    assert architecture.purpose("vae") in (PACKAGE / "vae.py").read_text().splitlines()[0]
    assert architecture.layers()[0] == LAYERS[0]
