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

TICK = 1e-9  # seconds; under a limit of processor time its clock may stand still within a call
MOST_WORSE = 1.15  # medians of the same code on a busy machine differ by some 10 %


class Row(NamedTuple):
    """A ratio of two contenders' seconds, and what the claim asks of it."""

    name: str
    numerator: str
    denominator: str
    target: float
    reason: str  # where the target is from
    smaller_is_better: bool = True
    needs: str | None = None  # a library, without which the row is left out


class Contest(NamedTuple):
    """Contenders that take turns, and the rows that their seconds give.

    ``prepare(quick)`` returns a function that makes one repetition: of the names of contenders,
    the seconds that each took, by name.
    """

    rows: tuple[Row, ...]
    prepare: Callable[[bool], Callable[[set[str]], dict[str, float]]]
    is_cheap: bool = False  # enough so to be checked after every change
    warms_up: bool = True  # by a quick repetition, which is not counted


def timed(call, *, number=1, parts=1, clock=process_time):
    """Return a function that calls ``number`` times and returns the seconds of a part of a call.

    Of one thread the processor's seconds are those of a clock on an idle machine, and a busy one
    disturbs them less.
    """

    def seconds():
        gc.collect()
        started = clock()
        for _ in range(number):
            call()
        return max(clock() - started, TICK) / (number * parts)

    return seconds


def taking_turns(contenders):
    """Return the function that has each of some timed contenders run once, in turn."""

    def repetition(wanted):
        return {name: seconds() for name, seconds in contenders.items() if name in wanted}

    return repetition


def chosen(contests, patterns):
    """Return the contests with those rows alone whose names one of the patterns matches."""
    kept = []
    for contest in contests:
        rows = tuple(r for r in contest.rows if any(fnmatch(r.name, p) for p in patterns))
        if rows:
            kept.append(contest._replace(rows=rows))
    return kept


def ratio(numerator, denominator):
    """Return median, least and greatest of the ratios of the repetitions."""
    ratios = [a / b for a, b in zip(numerator, denominator, strict=True)]
    return {"median": median(ratios), "min": min(ratios), "max": max(ratios)}


def summary(row, seconds):
    """Return what the JSON file says of a row, from {contender: seconds of every repetition}."""
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
    """Return the summaries of a contest's rows; of one whose library is missing, that it is."""
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
    """Return the factor by which a row's ratio is worse than before; below 1, it is better."""
    factor = after["ratio"]["median"] / before["ratio"]["median"]
    return factor if after["better"] == "smaller" else 1 / factor
