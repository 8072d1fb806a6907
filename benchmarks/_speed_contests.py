"""Ratios of times: what is compared, how it is measured, and when a ratio has become worse."""

import gc
from collections.abc import Callable
from fnmatch import fnmatch
from importlib.util import find_spec
from statistics import median
from time import process_time
from typing import NamedTuple

__all__ = [
    "MOST_WORSE",
    "Contest",
    "Row",
    "chosen",
    "measured",
    "ratio",
    "summary",
    "taking_turns",
    "timed",
    "worsening",
]

TICK = 1e-9  # seconds; if processor time is limited, its clock may stand still in a call
MOST_WORSE = 1.15  # medians of the same code on a busy machine differ by about 10 %


class Row(NamedTuple):
    """A ratio of the seconds of two contenders, and its target."""

    name: str
    numerator: str
    denominator: str
    target: float
    reason: str  # why the target has its value
    smaller_is_better: bool = True
    needs: str | None = None  # a library; without it the row is left out


class Contest(NamedTuple):
    """Contenders that run in turn, and the ratios of their seconds.

    ``prepare(quick)`` returns a function for one repetition. It takes the names of the wanted
    contenders, and returns the seconds of each by name.
    """

    rows: tuple[Row, ...]
    prepare: Callable[[bool], Callable[[set[str]], dict[str, float]]]
    is_cheap: bool = False  # if True, it can be checked after every change
    warms_up: bool = True  # a quick repetition comes first, and is not counted


def timed(call, *, number=1, parts=1, clock=process_time):
    """Return a function that makes ``number`` calls, and returns the seconds of one part of a call.

    On one thread and an idle machine, processor time equals that of a clock. A busy machine affects
    it less.
    """

    def seconds():
        gc.collect()
        started = clock()
        for _ in range(number):
            call()
        return max(clock() - started, TICK) / (number * parts)

    return seconds


def taking_turns(contenders):
    """Return a function that runs each wanted contender once, in turn."""

    def repetition(wanted):
        return {name: seconds() for name, seconds in contenders.items() if name in wanted}

    return repetition


def chosen(contests, patterns):
    """Return the contests with only those rows whose names match one of the patterns."""
    kept = []
    for contest in contests:
        rows = tuple(r for r in contest.rows if any(fnmatch(r.name, p) for p in patterns))
        if rows:
            kept.append(contest._replace(rows=rows))
    return kept


def ratio(numerator, denominator):
    """Return the median, the least and the greatest ratio of the repetitions."""
    ratios = [a / b for a, b in zip(numerator, denominator, strict=True)]
    return {"median": median(ratios), "min": min(ratios), "max": max(ratios)}


def summary(row, seconds):
    """Return the entries of a row for the JSON file, from {contender: seconds per repetition}."""
    of_ratio = ratio(seconds[row.numerator], seconds[row.denominator])
    share = of_ratio["median"] / row.target
    return {
        "name": row.name,
        "numerator": row.numerator,
        "denominator": row.denominator,
        "numerator_seconds": median(seconds[row.numerator]),
        "denominator_seconds": median(seconds[row.denominator]),
        "ratio": of_ratio,
        "better": "smaller" if row.smaller_is_better else "larger",
        "target": row.target,
        "reason": row.reason,
        "met": share <= 1 if row.smaller_is_better else share >= 1,
    }


def measured(contest, *, repeats, quick=False):
    """Return the summaries of a contest's rows. A row without its library is marked as left out."""
    possible = [row for row in contest.rows if row.needs is None or find_spec(row.needs)]
    wanted = {name for row in possible for name in (row.numerator, row.denominator)}
    seconds = {name: [] for name in wanted}
    if wanted:
        if contest.warms_up:
            contest.prepare(True)(wanted)
        repetition = contest.prepare(quick)
        for _ in range(repeats):
            for name, time in repetition(wanted).items():
                seconds[name].append(time)
    return [
        summary(row, seconds)
        if row in possible
        else {"name": row.name, "left_out": f"{row.needs} is not installed"}
        for row in contest.rows
    ]


def worsening(before, after):
    """Return the factor by which a row's ratio is worse than before. Below 1, it is better."""
    factor = after["ratio"]["median"] / before["ratio"]["median"]
    return factor if after["better"] == "smaller" else 1 / factor
