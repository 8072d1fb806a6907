"""What all benchmarks share: facts about the machine, rows of results, tables, JSON, pictures."""

import json
import os
import platform
import warnings
from argparse import ArgumentParser
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path
from time import process_time

import numpy as np
import torch

import skvae

__all__ = [
    "machine",
    "make_parser",
    "median_and_range",
    "one_thread",
    "print_machine",
    "print_table",
    "recorded_warnings",
    "rounded",
    "rows_of",
    "save",
    "save_picture",
    "timed",
    "write_whole",
]

RESULTS = Path(__file__).parent / "results"
DECIMALS = 4  # of rounded results, one more than tables show
LIBRARIES = ("numpy", "torch", "scikit-learn", "skorch")


def one_thread():
    """Limit torch to one thread. A script itself sets OMP_NUM_THREADS before its imports."""
    torch.set_num_threads(1)


def make_parser(docstring):
    """Return an argument parser. The first line of the script's docstring is its description."""
    return ArgumentParser(description=docstring.strip().splitlines()[0])


def machine():
    """Return a description of the machine and of the installed versions."""
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "skvae": skvae.__version__,
    }


def _processor():
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def print_machine():
    """Print the machine and the versions in one line."""
    print(", ".join(f"{name} {value}" for name, value in machine().items()), end="\n\n")


def timed(function, *arguments, clock=process_time, **options):
    """Return the seconds of a call, and its result.

    The seconds are processor time, unless another clock is given. On one thread and an idle
    machine, both are equal. A busy machine affects processor time less.
    """
    started = clock()
    result = function(*arguments, **options)
    return clock() - started, result


def rows_of(rows, **wanted):
    """Return the rows whose entries have the wanted values."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def median_and_range(values, form):
    """Return the median of numbers as text, with the least and the greatest number in brackets.

    ``form`` says how a number is written, such as ".2f". Values that are None are left out. If no
    number remains, the text is empty.
    """
    numbers = [value for value in values if value is not None]
    if not numbers:
        return ""
    middle, least, greatest = (f"{of(numbers):{form}}" for of in (np.median, min, max))
    return f"{middle} ({least} to {greatest})"


def rounded(rows):
    """Return the rows with all floats, also those in lists, rounded to four decimals."""
    return [{key: _rounded(value) for key, value in row.items()} for row in rows]


def _rounded(value):
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def print_table(header, rows, *, n_left=1):
    """Print rows of strings under a header. The first ``n_left`` columns are aligned left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if place < n_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
    print()


@contextmanager
def recorded_warnings():
    """Return a list that holds the user warnings of the block after the block has ended.

    The list has a ``warnings.WarningMessage`` for each warning. No warning is printed. Warnings for
    programmers, such as deprecations, are left out.
    """
    kept = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield kept
    kept += [warning for warning in caught if issubclass(warning.category, UserWarning)]


def write_whole(path, write):
    """Write a file under a temporary name, and then rename it. So it is complete, or not there.

    Several processes can write the same file. The last one wins.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    write(part)
    part.replace(path)


def save(name, rows, **settings):
    """Write ``results/name.json``: the machine, the settings, and the rows.

    Each row is a dict, and takes one line. The old file is replaced only when the new one is
    complete. If writing is interrupted, the old file stays.
    """
    RESULTS.mkdir(exist_ok=True)
    first = {"machine": machine(), "settings": settings}
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in first.items()]
    lines = ",\n".join(map(json.dumps, rows))
    text = "{\n" + ",\n".join([*parts, f'"rows": [\n{lines}\n]']) + "\n}\n"
    write_whole(RESULTS / f"{name}.json", lambda part: part.write_text(text))


def save_picture(name, draw, *, width=7.0, height=3.2, panels=None):
    """Write the picture ``results/name.png``. ``draw(axes)`` draws it.

    Without matplotlib, nothing is written. ``panels`` is a number of rows and a number of columns.
    If it is given, ``draw`` gets a two-dimensional array of axes.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots(*panels, squeeze=False) if panels else figure.add_subplot())
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / f"{name}.png", dpi=110)
