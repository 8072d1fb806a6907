"""The file of the paper's experiment: how a row of measures is kept in it, and read again."""

import json
from pathlib import Path

from _common import save
from _paper_errors import N_GROUPS
from _paper_measures import VERSION
from filelock import FileLock  # torch needs it too

__all__ = ["keep_rows", "packed", "read_rows", "rounded", "unpacked"]

DIGITS = 7  # significant, two more than the tables have: rounded once more they stay the same
# What a row has of every factor, feature or attribute. In the file it is in a list, which the page
# of results in the documentation leaves out.
DETAILS = (
    *("reconstruction_auc", "mean_auc", "named", "probe_auc"),
    *("legible", "legible_features", "interventions", "without"),
)


def rounded(measure):
    """Return a measure, or a dict or list of these, with the digits that are kept."""
    if isinstance(measure, dict):
        return {key: rounded(part) for key, part in measure.items()}
    if isinstance(measure, list):
        return [rounded(part) for part in measure]
    return float(f"{measure:.{DIGITS}g}") if isinstance(measure, float) else measure


def packed(row):
    """Return a row as it is in the file: rounded, and each measure ``without`` a group once.

    There a row has the same measures without each group of images, a dict for every group, which
    are here one dict of lists.
    """
    row = rounded(row)
    if "without" in row:
        row["without"] = _columns(row["without"])
    rest = {key: value for key, value in row.items() if key not in DETAILS}
    return rest | {"details": [{key: row[key]} for key in DETAILS if key in row]}


def unpacked(row):
    """Return the row that :func:`packed` packed."""
    rest = {key: value for key, value in row.items() if key != "details"}
    for detail in row["details"]:
        rest |= detail
    if "without" in rest:
        rest["without"] = [_without(rest["without"], group) for group in range(N_GROUPS)]
    return rest


def _columns(parts):
    """Return a dict of lists from a list of dicts, in dicts within them too."""
    if isinstance(parts[0], dict):
        return {key: _columns([part[key] for part in parts]) for key in parts[0]}
    return parts


def _without(columns, group):
    """Return one of the dicts that :func:`_columns` made one of."""
    if isinstance(columns, dict):
        return {key: _without(column, group) for key, column in columns.items()}
    return columns[group]


def read_rows(path):
    """Return the rows of a file by their keys, none where there is no file, and how many it has
    that were measured in another way."""
    content = Path(f"{path}.json")
    rows = json.loads(content.read_text())["rows"] if content.exists() else []
    known = {row["key"]: unpacked(row) for row in rows if row.get("measures") == VERSION}
    return known, len(rows) - len(known)


def keep_rows(own, path, cache, settings):
    """Write a run's own rows, by their keys, beside those that the file has by now."""
    with FileLock(cache / f"{Path(path).name}.lock"):
        rows, _ = read_rows(path)
        save(str(path), list(map(packed, (rows | own).values())), **rounded(settings))
