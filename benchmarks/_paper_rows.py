"""The file of the paper's experiment: how a row of measures is written and read."""

import json
from pathlib import Path

from _common import save
from _paper_errors import N_GROUPS
from _paper_measures import VERSION
from filelock import FileLock  # torch needs it too

__all__ = ["keep_rows", "packed", "read_rows", "rounded", "unpacked"]

DIGITS = 7  # significant digits, two more than in tables: rounding again changes nothing
# The measures of every factor, feature or attribute. In the file they are in a list. The
# documentation's page of results leaves lists out.
DETAILS = (
    *("reconstruction_auc", "mean_auc", "named", "probe_auc"),
    *("legible", "legible_features", "interventions", "without"),
)


def rounded(measure):
    """Return a measure, or a dict or list of measures, rounded to the digits of the file."""
    if isinstance(measure, dict):
        return {key: rounded(part) for key, part in measure.items()}
    if isinstance(measure, list):
        return [rounded(part) for part in measure]
    return float(f"{measure:.{DIGITS}g}") if isinstance(measure, float) else measure


def packed(row):
    """Return a row in the form of the file, rounded.

    In ``row``, ``without`` is a list with a dict of measures for each group that is left out. In
    the file, it is one dict of lists.
    """
    row = rounded(row)
    if "without" in row:
        row["without"] = _columns(row["without"])
    rest = {key: value for key, value in row.items() if key not in DETAILS}
    return rest | {"details": [{key: row[key]} for key in DETAILS if key in row]}


def unpacked(row):
    """Return the row from the form that :func:`packed` returns."""
    rest = {key: value for key, value in row.items() if key != "details"}
    for detail in row["details"]:
        rest |= detail
    if "without" in rest:
        rest["without"] = [_without(rest["without"], group) for group in range(N_GROUPS)]
    return rest


def _columns(parts):
    """Return a dict of lists from a list of dicts, also for nested dicts."""
    if isinstance(parts[0], dict):
        return {key: _columns([part[key] for part in parts]) for key in parts[0]}
    return parts


def _without(columns, group):
    """Return one of the dicts from the result of :func:`_columns`."""
    if isinstance(columns, dict):
        return {key: _without(column, group) for key, column in columns.items()}
    return columns[group]


def read_rows(path):
    """Return {key: row} for a file, and the number of its rows with measures of other versions.

    Without a file there are no rows.
    """
    content = Path(f"{path}.json")
    rows = json.loads(content.read_text())["rows"] if content.exists() else []
    known = {row["key"]: unpacked(row) for row in rows if row.get("measures") == VERSION}
    return known, len(rows) - len(known)


def keep_rows(own, path, cache, settings):
    """Write a run's own rows beside the other rows that the file has at this time."""
    with FileLock(cache / f"{Path(path).name}.lock"):
        rows, _ = read_rows(path)
        save(str(path), list(map(packed, (rows | own).values())), **rounded(settings))
