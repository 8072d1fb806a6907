"""Write the page benchmark_results before a build: benchmarks/results/*.json as tables."""

import ast
import json
import re
from pathlib import Path

from benchmark_rows import MOST_ROWS, averaged, flat, is_long, listed, shown, unnested

__all__ = ["page", "setup", "tables"]

DOCS = Path(__file__).parent.parent
MOST_COLUMNS = 10
IDENTIFIERS = {"key"}  # of no use to readers
INTRODUCTION = """# Results of the benchmarks

`make bench` wrote these numbers. Each script has its claim, the machine, its short settings and its
rows, in the units of the script. Where a file has many rows, their means are shown. The JSON files
in `benchmarks/results` have all rows and longer lists. [Benchmarks](benchmarks.md) says what the
results mean."""


def table(rows):
    """Return dicts with the same keys as a Markdown table. Few long rows are transposed."""
    cells = [list(rows[0]), *([shown(value) for value in row.values()] for row in rows)]
    if len(rows[0]) > MOST_COLUMNS >= len(rows):
        cells = [list(column) for column in zip(*cells, strict=True)]
    cells[0] = [name.replace("_", "_&#8203;") for name in cells[0]]  # allows a line break
    cells.insert(1, ["---"] * len(cells[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def tables(rows):
    """Return the rows of a file as a sentence and tables."""
    rows = [
        {key: row[key] for key in row if key not in IDENTIFIERS and not is_long(row[key])}
        for row in map(flat, (part for row in rows for part in unnested(row)))
    ]
    first = rows[0] if len(rows) > 1 else {}
    same = {key: first[key] for key in first if all(row.get(key) == first[key] for row in rows)}
    rows = [{key: value for key, value in row.items() if key not in same} for row in rows]
    parts = [f"*In all rows*: {listed(same)}."] if same else []
    if len(rows) > MOST_ROWS:
        n_rows, (rows, over) = len(rows), averaged(rows)
        parts.append(f"Means of {n_rows} rows, over {', '.join(over) or 'those alike'}:")
    alike = {}  # one table for the rows with the same columns
    for row in rows:
        if len(row) > MOST_COLUMNS:
            row = {key: value for key, value in row.items() if not isinstance(value, list)}
        alike.setdefault(tuple(row), []).append(row)
    return [*parts, *map(table, alike.values())]


def section(path, pictures):
    """Return the content of one file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    machine = dict(content["machine"])
    parts = [f"*Measured* on {machine.pop('date')}: {listed(machine)}."]
    settings = flat(content["settings"])
    nested = [key for key, value in settings.items() if ": " in key and isinstance(value, list)]
    deep = [key for key in settings if key.count(": ") > 1]
    if short := listed({key: settings[key] for key in settings if key not in {*nested, *deep}}):
        parts.append(f"*Settings*: {short}.")
    parts += tables(content["rows"])
    return [*parts, *(f"![{name.stem}](../benchmarks/results/{name.name})" for name in pictures)]


def owner(name, names):
    """Return the longest of the names with which a file's name begins."""
    return max((other for other in names if name.startswith(other)), key=len, default=None)


def discussed(folder):
    """Return {script: address of its section} for the scripts that pages of the folder discuss."""
    return {
        script: f"{page.parent.name}/{page.name}#"
        + re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        for page in sorted(folder.glob("*.md"))
        for heading, script in re.findall(
            r"^## ((\w+)\.py.*)$", page.read_text(encoding="utf-8").lower(), re.MULTILINE
        )
    }


def page(benchmarks=DOCS.parent / "benchmarks", discussions=DOCS / "benchmarks"):
    """Return the page. It has a section for each script, with a part for each of its files."""
    files = {path.stem: path for path in (benchmarks / "results").glob("*.json")}
    pictures = {stem: [] for stem in files}
    for path in sorted((benchmarks / "results").glob("*.png")):
        if stem := owner(path.stem, files):
            pictures[stem].append(path)
    addresses = discussed(discussions)
    parts = [INTRODUCTION]
    scripts = {path.stem: path for path in sorted(benchmarks.glob("[a-z]*.py"))}
    for name, script in scripts.items():
        own = [stem for stem in sorted(files) if owner(stem, scripts) == name]
        if not own:
            continue
        text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8")))
        claim = text.partition("\n\n")[0].replace("``", "`").replace("\n", " ")
        about = f"[What the results mean]({addresses.get(name, 'benchmarks.md')})."
        parts += [f"## {script.name}", claim, about]
        for stem in own:
            parts += [f"### {stem}"] if len(own) > 1 else []
            parts += section(files[stem], pictures[stem])
    return "\n\n".join(parts) + "\n"


def _write(app):
    path, text = DOCS / "benchmark_results.md", page()
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
