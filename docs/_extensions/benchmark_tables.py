"""The page benchmark_results, written before a build: benchmarks/results/*.json as tables."""

import json
from pathlib import Path

__all__ = ["page", "setup"]

DOCS = Path(__file__).parent.parent
RESULTS = DOCS.parent / "benchmarks/results"
MOST_COLUMNS, MOST_VALUES = 12, 8
INTRODUCTION = """# Results of the benchmarks

What `make bench` wrote, file by file: the machine, the settings, and the rows as they are, in the
units of the script that has the name of the file. [Benchmarks](benchmarks.md) says what they
mean."""


def flat(nested, prefix=""):
    """Return a dict without dicts in it, keys joined by a colon."""
    entries = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            entries |= flat(value, f"{prefix}{key}: ")
        else:
            entries[f"{prefix}{key}"] = value
    return entries


def shown(value):
    """Return a value as the text of a cell."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        several = len(value) > MOST_VALUES or any(isinstance(item, list) for item in value)
        return f"{len(value)} values" if several else f"[{', '.join(map(shown, value))}]"
    return str(value).replace("|", r"\|").replace("\n", " ")


def table(rows):
    """Return dicts of the same keys as a Markdown table; many keys go down, not across."""
    cells = [list(rows[0]), *([shown(value) for value in row.values()] for row in rows)]
    if len(rows[0]) > MOST_COLUMNS >= len(rows):
        cells = [list(column) for column in zip(*cells, strict=True)]
    cells.insert(1, ["---"] * len(cells[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def section(path):
    """Return what one file says."""
    content = json.loads(path.read_text(encoding="utf-8"))
    lists = [
        ", ".join(f"{key} {shown(value)}" for key, value in flat(content[part]).items())
        for part in ("machine", "settings")
    ]
    tables = {}  # rows of the same keys stand together
    for row in map(flat, content["rows"]):
        tables.setdefault(tuple(row), []).append(row)
    parts = [
        f"## {path.stem}",
        f"*Machine*: {lists[0]}.",
        f"*Settings*: {lists[1]}.",
        *map(table, tables.values()),
    ]
    picture = path.with_suffix(".png")
    if picture.exists():
        parts.append(f"![{path.stem}](../benchmarks/results/{picture.name})")
    return "\n\n".join(parts)


def page():
    """Return the page."""
    return "\n\n".join([INTRODUCTION, *map(section, sorted(RESULTS.glob("*.json")))]) + "\n"


def _write(app):
    path, text = DOCS / "benchmark_results.md", page()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
