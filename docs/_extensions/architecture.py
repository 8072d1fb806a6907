"""The directive `architecture`: the layers of tests/test_architecture.py, drawn and in a table."""

import ast
from html import escape
from itertools import pairwise
from pathlib import Path

from docutils.nodes import raw
from docutils.parsers.rst import Directive

__all__ = ["drawing", "layers", "purpose", "setup"]

ROOT = Path(__file__).parent.parent.parent
WIDTH, ROW, BOX, LETTER, GAP = 760, 38, 26, 7.4, 10
ALONE = "datasets"
ARROW = '<path d="M{x} {top}v{length}m-4 -6l4 6l4 -6" class="arrow"/>'


def layers():
    """Return the layers from the lowest up, of a subpackage its name alone."""
    tree = ast.parse((ROOT / "tests/test_architecture.py").read_text(encoding="utf-8"))
    assigned = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found = ast.literal_eval(assigned["LAYERS"])
    return [names for names in found if not any("." in name for name in names)]


def purpose(name):
    """Return the first line of a module's docstring."""
    path = ROOT / "skvae" / name
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]


def box(name, x, y, width, height=BOX):
    """Return a module as a rectangle with its name in it and its purpose as a hint."""
    text = f'<text x="{x + width / 2}" y="{y + height / 2 + 4}">{shown(name)}</text>'
    hint = f"<title>{escape(purpose(name))}</title>"
    rectangle = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>'
    return f"<g>{hint}{rectangle}{text}</g>"


def shown(name):
    """Return the name of a module as it is read."""
    return "skvae" if name == "__init__" else escape(name)


def drawing():
    """Return the layers as an SVG element in the colours of the page, the highest on top."""
    rows = [names for names in reversed(layers()) if names != [ALONE]]
    height = ROW * len(rows)
    right = LETTER * len(ALONE) + 2 * GAP
    parts = [box(ALONE, WIDTH - right, 0, right, height - ROW + BOX)]
    for number, names in enumerate(rows):
        widths = [LETTER * len(shown(name)) + 2 * GAP for name in names]
        x = (WIDTH - right - sum(widths) - GAP * (len(names) - 1)) / 2
        for name, width in zip(names, widths, strict=True):
            parts.append(box(name, round(x, 1), ROW * number, round(width, 1)))
            x += width + GAP
    middle = (WIDTH - right) / 2
    for number, _ in enumerate(pairwise(rows)):
        top = ROW * number + BOX + 1
        parts.append(ARROW.format(x=middle, top=top, length=ROW - BOX - 2))
    label = "Modules in layers; each imports from lower ones only"
    return (
        f'<svg class="architecture" viewBox="-1 -1 {WIDTH + 2} {height}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def rows_of_table():
    """Return the layers as the rows of an HTML table, the highest on top."""
    for names in reversed(layers()):
        modules = "<br>".join(f"<code>{shown(name)}</code>" for name in names)
        purposes = "<br>".join(escape(purpose(name)).replace("``", "") for name in names)
        yield f"<tr><td>{modules}</td><td>{purposes}</td></tr>"


class Architecture(Directive):
    """The drawing, and below it what each layer is for."""

    def run(self):
        table = f'<table class="table architecture">{"".join(rows_of_table())}</table>'
        scrolling = f'<div class="pst-scrollable-table-container">{table}</div>'
        return [raw("", drawing() + scrolling, format="html")]


def setup(app):
    app.add_directive("architecture", Architecture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
