"""Summaries for tables.py: medians, ranges, and ratios to a reference."""

import numpy as np
from _common import rows_of
from _tables_methods import REFERENCE

__all__ = ["MEASURES", "folded", "over_tables", "with_ratios"]

MEASURES = ("rmse", "accuracy", "seconds", "nats")
CASE = ("table", "rate", "mechanism", "seed")


def with_ratios(rows):
    """Return rows with the ratios of their errors to those of the reference in the same case.

    ``rmse_ratio`` is the ratio of the RMSE. ``error_ratio`` is the ratio of the shares of wrong
    categories. A ratio is NaN if the table has no column of its kind, or if the reference makes no
    error.
    """
    reference = {tuple(row[key] for key in CASE): row for row in rows_of(rows, method=REFERENCE)}
    found = []
    for row in rows:
        other = reference[tuple(row[key] for key in CASE)]
        ratios = {
            "rmse_ratio": _ratio(row["rmse"], other["rmse"]),
            "error_ratio": _ratio(1 - row["accuracy"], 1 - other["accuracy"]),
        }
        found.append({**row, **ratios})
    return found


def _ratio(value, other):
    return value / other if other > 0 else np.nan


def folded(rows):
    """Return one row for each table, rate, mechanism and method: medians and ranges over seeds."""
    groups = {}
    for row in rows:
        key = tuple(row[name] for name in ("table", "rate", "mechanism", "method"))
        groups.setdefault(key, []).append(row)
    lines = []
    for (table, rate, mechanism, method), group in groups.items():
        line = {"table": table, "rate": rate, "mechanism": mechanism, "method": method}
        line["seeds"] = len(group)
        for key in (*MEASURES, "rmse_ratio", "error_ratio"):
            values = [row[key] for row in group if row[key] is not None and np.isfinite(row[key])]
            line[key] = float(np.median(values)) if values else None
            if values and key.endswith("ratio"):
                line[f"{key}, range"] = [min(values), max(values)]
        lines.append(line)
    return lines


def over_tables(rows, key, tables, **wanted):
    """Return the median over the seeds of an entry's median over tables, and the range over seeds.

    The result is None if no table has the entry.
    """
    medians = []
    chosen = [row for row in rows_of(rows, **wanted) if row["table"] in tables]
    for seed in sorted({row["seed"] for row in chosen}):
        values = [row[key] for row in chosen if row["seed"] == seed]
        values = [value for value in values if value is not None and np.isfinite(value)]
        if values:
            medians.append(np.median(values))
    if not medians:
        return None
    return float(np.median(medians)), float(min(medians)), float(max(medians))
