"""What the benchmarks share: the machine's description, a table, and a JSON file for each."""

import json
import os
import platform
import warnings
from argparse import ArgumentParser
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

import skvae

__all__ = [
    "make_parser",
    "one_thread",
    "print_machine",
    "print_table",
    "recorded_warnings",
    "save",
    "save_picture",
    "write_whole",
]

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("numpy", "torch", "scikit-learn", "skorch")


def one_thread():
    """Hold torch at one thread; a script sets OMP_NUM_THREADS itself, before its imports."""
    torch.set_num_threads(1)


def make_parser(docstring):
    """Return an argument parser that says what the script's docstring says."""
    return ArgumentParser(description=docstring.strip().splitlines()[0])


def machine():
    """Return a description of the machine and of the versions in use."""
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "skvae": skvae.__version__,
    }


def _processor():
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def print_machine():
    """Print the machine and the versions, one line."""
    print(", ".join(f"{name} {value}" for name, value in machine().items()), end="\n\n")


def print_table(header, rows, *, n_left=1):
    """Print rows of strings under a header; the first ``n_left`` columns align left."""
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
    """Give a list that has, once the block is over, what a fit in it warned its user of.

    Each is a ``warnings.WarningMessage``; none is printed. Warnings to programmers, of what is
    deprecated say, are left out.
    """
    kept = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield kept
    kept += [warning for warning in caught if issubclass(warning.category, UserWarning)]


def write_whole(path, write):
    """Have a file written beside its place and then moved there: it is there whole, or not.

    Processes that write the same file do not disturb each other: the last one's stays.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    write(part)
    part.replace(path)


def save(name, rows, **settings):
    """Write ``results/name.json``: the machine, the settings, and the rows, a dict each.

    A row is a line. The file is replaced as a whole: one that is interrupted leaves the one before.
    """
    RESULTS.mkdir(exist_ok=True)
    first = {"machine": machine(), "settings": settings}
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in first.items()]
    lines = ",\n".join(map(json.dumps, rows))
    text = "{\n" + ",\n".join([*parts, f'"rows": [\n{lines}\n]']) + "\n}\n"
    write_whole(RESULTS / f"{name}.json", lambda part: part.write_text(text))


def save_picture(name, draw, *, width=7.0, height=3.2, panels=None):
    """Write ``results/name.png``, drawn by ``draw(axes)``, where matplotlib is installed.

    With ``panels``, the numbers of rows and columns, ``draw`` gets a two-dimensional array of axes.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots(*panels, squeeze=False) if panels else figure.add_subplot())
    RESULTS.mkdir(exist_ok=True)
    figure.savefig(RESULTS / f"{name}.png", dpi=110)
