"""The directive `architecture`: a drawing of the package's rooms, and tables of their files."""

import ast
from html import escape
from itertools import pairwise
from pathlib import Path

from docutils.nodes import raw
from docutils.parsers.rst import Directive

__all__ = ["drawing", "files", "floors", "purpose", "setup"]

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "skvae"
WIDTH, ROW, BOX, LETTER, GAP = 760, 52, 34, 7.4, 14
ARROW = '<path d="M{x} {top}v{length}m-4 -6l4 6l4 -6" class="arrow"/>'


def floors():
    """Return the rooms, the lowest floor first, as `tests/test_architecture.py` lists them."""
    tree = ast.parse((ROOT / "tests/test_architecture.py").read_text(encoding="utf-8"))
    assigned = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return ast.literal_eval(assigned["FLOORS"])


def files(room):
    """Return the files of a room, without `__init__.py`. A room is a folder or a file."""
    folder = PACKAGE / room
    if not folder.is_dir():
        return [folder.with_suffix(".py")]
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def purpose(path):
    """Return the first line of the docstring of a file, or of a folder's `__init__.py`."""
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]


def box(room, x, y, width):
    """Return a room as a rectangle with its name. Its purpose is a tooltip."""
    text = f'<text x="{x + width / 2}" y="{y + BOX / 2 + 4}">{escape(room)}</text>'
    hint = f"<title>{escape(purpose(PACKAGE / room))}</title>"
    rectangle = f'<rect x="{x}" y="{y}" width="{width}" height="{BOX}" rx="4"/>'
    return f"<g>{hint}{rectangle}{text}</g>"


def drawing():
    """Return the rooms as an SVG element in the page's colours, with the highest floor on top."""
    rows = floors()[::-1]
    parts = []
    for number, rooms in enumerate(rows):
        widths = [round(LETTER * len(room) + 3 * GAP, 1) for room in rooms]
        x = (WIDTH - sum(widths) - GAP * (len(rooms) - 1)) / 2
        for room, width in zip(rooms, widths, strict=True):
            parts.append(box(room, round(x, 1), ROW * number, width))
            x += width + GAP
    for number, _ in enumerate(pairwise(rows)):
        top = ROW * number + BOX + 1
        parts.append(ARROW.format(x=WIDTH / 2, top=top, length=ROW - BOX - 2))
    label = "Rooms of the package in floors; each imports from lower ones only"
    return (
        f'<svg class="architecture" viewBox="-1 -1 {WIDTH + 2} {ROW * len(rows)}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def tables():
    """Yield an HTML table of files and purposes for every room, the highest floor first."""
    for rooms in floors()[::-1]:
        for room in rooms:
            rows = "".join(
                f"<tr><td><code>{escape(path.stem)}</code></td>"
                f"<td>{escape(purpose(path)).replace('``', '')}</td></tr>"
                for path in files(room)
            )
            folder = (PACKAGE / room).is_dir()
            says = f": {escape(purpose(PACKAGE / room)).replace('``', '')}" if folder else ""
            yield (
                f"<p><strong>{escape(room)}</strong>{says}</p>"
                f'<div class="pst-scrollable-table-container">'
                f'<table class="table architecture">{rows}</table></div>'
            )


class Architecture(Directive):
    """The drawing, and below it the purpose of each room and of each file."""

    def run(self):
        return [raw("", drawing() + "".join(tables()), format="html")]


def setup(app):
    app.add_directive("architecture", Architecture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
