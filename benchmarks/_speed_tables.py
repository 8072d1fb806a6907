"""The tables and the picture of speed.py, and the comparison of its ratios with those kept."""

import json

from _speed_contests import MOST_WORSE, worsening

__all__ = ["CHECK_HEADER", "HEADER", "cells", "check", "draw", "kept_rows"]

HEADER = ("row", "ratio of", "to", "s", "s", "ratio (least-greatest)", "target")
CHECK_HEADER = ("row", "kept", "now", "again", "worse by", "")


def cells(row):
    """Return a row of the printed table."""
    if "left_out" in row:
        return [row["name"], f"left out: {row['left_out']}", "", "", "", "", ""]
    sign = "<=" if row["better"] == "smaller" else ">="
    return [
        row["name"],
        row["numerator"],
        row["denominator"],
        f"{row['numerator_seconds']:.3g}",
        f"{row['denominator_seconds']:.3g}",
        "{median:.2f} ({min:.2f}-{max:.2f})".format(**row["ratio"]),
        f"{sign} {row['target']:.2f}{'' if row['met'] else ' missed'}",
    ]


def kept_rows(path):
    """Return the rows of a JSON file by name."""
    if not path.exists():
        raise SystemExit(
            f"--check needs the ratios to compare with. Got no {path.name} in {path.parent.name} "
            f"instead. Run python benchmarks/speed.py."
        )
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


def check(contests, kept, measure):
    """Compare ratios with those kept. If one is much worse, measure it once more.

    Return the rows of the printed table, and the names of the ratios that were worse both times.
    """
    lines, failed = [], []
    for contest in contests:
        first = {row["name"]: row for row in measure(contest)}
        bad = {name for name, row in first.items() if _worse_by(kept, row) > MOST_WORSE}
        rows = tuple(row for row in contest.rows if row.name in bad)
        repeated = measure(contest._replace(rows=rows)) if rows else []
        second = {row["name"]: row for row in repeated}
        for name, row in first.items():
            again = second.get(name)
            verdict = _verdict(kept, row, again)
            if verdict == "WORSE":
                failed.append(name)
            lines.append(_line(kept.get(name, {}), row, again, verdict))
    return lines, failed


def _worse_by(kept, row):
    """Return the factor by which a row is worse than kept, or 0 if they cannot be compared."""
    before = kept.get(row["name"], {})
    return worsening(before, row) if "ratio" in before and "ratio" in row else 0.0


def _verdict(kept, row, again):
    """Return the result of a comparison as text."""
    if not _worse_by(kept, row):
        return "not compared"
    if again is None:
        return ""
    return "WORSE" if _worse_by(kept, again) > MOST_WORSE else "worse once, not again"


def _line(before, row, again, verdict):
    """Return a row of the printed comparison."""
    medians = [f"{r['ratio']['median']:.2f}" if r and "ratio" in r else "" for r in (before, row)]
    last = again or row
    factor = _worse_by({row["name"]: before}, last)
    return [
        row["name"],
        *medians,
        f"{again['ratio']['median']:.2f}" if again else "",
        f"{factor - 1:+.0%}" if factor else "",
        verdict,
    ]


def draw(axes, rows):
    """Draw every ratio divided by its target. Ratios to the right of the line miss the target."""
    rows = [row for row in rows if "ratio" in row][::-1]
    for place, row in enumerate(rows):
        times = {key: value / row["target"] for key, value in row["ratio"].items()}
        if row["better"] == "larger":
            times = {key: 1 / value for key, value in times.items()}
        colour = "C0" if row["met"] else "C1"
        axes.plot([times["min"], times["max"]], [place, place], color=colour, linewidth=1)
        axes.plot(times["median"], place, "o", color=colour, markersize=4)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=7)
    axes.set_xlabel("ratio / target (inverted where larger is better)")
    axes.spines[["top", "right"]].set_visible(False)
