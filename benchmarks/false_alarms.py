"""Claim: the detector flags the share of normal rows that was asked for.

The tables are the normal rows of every ``.npz`` file of a folder (``X``, and ``y`` with 1 for
anomalies), and of four data sets of scikit-learn. For each seed, a table is divided at random into
two halves. A method is fitted to 50 rows, to 200 rows, or to all rows of the first half. A size is
left out if the half does not have more rows. The method is then asked about all rows of the second
half. A table whose halves have fewer than 50 rows is left out. Every method has its default
settings, except the contamination.

The ratio is the mean flagged share over the seeds, divided by the share that was asked for. It also
varies by chance, since both halves are random. An exact threshold gives shares with a beta-binomial
distribution. The distribution depends on the number of calibration rows. For a method without
calibration, these are the rows of the fit. A table counts as "within" if its share is in the middle
99 % of that distribution. The distribution is skewed. With few rows its median is below 1, but its
mean is not.

With m scores, no share below 1 / (m + 1) can be reached. If a smaller share is asked for, the exact
threshold is the lowest score, and it flags more than was asked for. "exact" is the expected ratio
of the exact threshold. A p-value is never smaller than 1 / (m + 1), so it flags nothing for a
smaller share. Its "exact" is below 1 if c (m + 1) is not an integer, where c is the share.

The tables used in development are from ADBench (https://github.com/Minqi824/ADBench,
datasets/Classical). The three methods of PyOD come with ``pip install skvae[bench]``. Without PyOD
they are left out. The VAE of PyOD is slow, and has only one seed.

The results are kept in ``benchmarks/cache/false_alarms``, one file for each table, size, seed and
method. So an interrupted run can continue. If a method has changed, measure it again with ``--fresh
--methods``. The seconds are processor time on one thread for one fit.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import json
import warnings
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
from _common import (
    make_parser,
    one_thread,
    print_machine,
    print_table,
    rows_of,
    save,
    save_picture,
    write_whole,
)
from _false_alarms_chance import fold, summary
from _false_alarms_methods import LEVELS, METHODS, MOST_SEEDS, PYOD
from _false_alarms_tables import divide, normal_tables

CACHE = Path(__file__).parent / "cache" / "false_alarms"
SIZES = {"50": 50, "200": 200, "half": None}
LEAST_HALF = 50
QUICK_TABLES, QUICK_ROWS = 5, 500
SHOWN = 0.05  # the level in the list of tables and in the picture
LEAST_DRAWN = 0.1  # a smaller ratio is drawn at this height
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
MARKS = {"within": " ", "above": "+", "below": "-"}


def measure(table, X, size, seed, method, arguments):
    """Return the rows of a method on a table. They are read from the cache if they are there."""
    train, test = divide(X, SIZES[size], seed)
    if train is None or seed >= MOST_SEEDS.get(method, arguments.n_seeds):
        return []
    parts = table, arguments.most_rows, size, seed, method, *LEVELS
    kept = CACHE / f"{'--'.join(_plain(part) for part in parts)}.json"
    if kept.exists() and not arguments.fresh:
        return json.loads(kept.read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # contamination may be too small for so few rows
        measured = METHODS[method](seed, train, test)
    common = {
        "table": table,
        "size": size,
        "seed": seed,
        "n_samples": len(train),
        "n_asked": len(test),
        "n_features": train.shape[1],
    }
    rows = [common | row for row in measured]
    CACHE.mkdir(parents=True, exist_ok=True)
    write_whole(kept, lambda part: part.write_text(json.dumps(rows)))
    return json.loads(kept.read_text())  # levels are text, as from the cache


def _plain(part):
    return "".join(letter if letter.isalnum() or letter == "." else "-" for letter in str(part))


def measure_all(paths, methods, arguments):
    """Return the rows of all tables, and the names of the tables that are left out."""
    rows, left_out = [], []
    for table, X in normal_tables(paths, arguments.most_rows):
        if len(X) // 2 < LEAST_HALF:
            left_out.append(table)
            continue
        for seed, size, method in product(range(arguments.n_seeds), SIZES, methods):
            rows += measure(table, X, size, seed, method, arguments)
    return rows, left_out


def report_methods(rows, methods):
    """Print one line for each size, method and level, with means over the tables."""
    header = ["method", "asked", "tables", "exact", "mean", "median", "least", "largest"]
    header += ["within", "above", "below", "s a fit"]
    for size in SIZES:
        lines = []
        for method, level in product(methods, LEVELS):
            chosen = rows_of(rows, size=size, method=method, level=level)
            if chosen:
                told = summary(chosen)
                counted = [method, f"{level:.2f}", str(told["tables"])]
                ratios = [f"{told[key]:.2f}" for key in header[3:8]]
                shares = [f"{told[key]:.0%}" for key in header[8:11]]
                lines.append([*counted, *ratios, *shares, f"{told['seconds']:.2f}"])
        if lines:
            print(f"{_title(size)}: flagged / asked for; tables within the 99 % of chance\n")
            print_table(header, lines)


def report_tables(rows, methods):
    """Print one line for each table and size, with the ratio of every method at one level."""
    for size in SIZES:
        lines = []
        for table in dict.fromkeys(row["table"] for row in rows):
            chosen = rows_of(rows, table=table, size=size, level=SHOWN)
            if chosen:
                counts = [str(chosen[0][key]) for key in ("n_samples", "n_asked", "n_features")]
                lines.append([table, *counts, *_ratios(chosen, methods)])
        if lines:
            print(f"{_title(size)}: flagged / asked for, at {SHOWN}; + above, - below the 99 %\n")
            print_table(["table", "fitted", "asked", "d", *methods], lines)


def _ratios(rows, methods):
    """Return the ratio of every method on one table, with a mark outside the 99 % interval."""
    told = {row["method"]: f"{row['ratio']:.2f}{MARKS[row['verdict']]}" for row in rows}
    return [told.get(method, "") for method in methods]


def _title(size):
    return "fitted to half of the rows" if SIZES[size] is None else f"fitted to {size} rows"


def by_table(rows):
    """Return one row for each table, size and method, with the ratios of all levels."""
    alike = {}
    for row in rows:
        of_it = {key: row[key] for key in ("table", "size", "n_samples", "n_asked", "method")}
        kept = alike.setdefault(tuple(of_it.values()), of_it)
        kept[f"ratio at {row['level']}"] = round(row["ratio"], 3)
    return list(alike.values())


def draw(panels, rows, methods):
    """Draw the ratio of every table for each size and method, and the medians."""
    for axes, size in zip(panels[0], SIZES, strict=True):
        for place, method in enumerate(methods):
            chosen = rows_of(rows, size=size, method=method, level=SHOWN)
            ratios = np.maximum([row["ratio"] for row in chosen], LEAST_DRAWN)
            aside = np.random.RandomState(0).uniform(-0.25, 0.25, len(ratios))
            axes.plot(place + aside, ratios, ".", markersize=4, alpha=0.6, color="C0")
            if len(ratios):
                axes.hlines(np.median(ratios), place - 0.4, place + 0.4, color="C1")
        axes.axhline(1, color="0.5", linewidth=0.8)
        axes.set_yscale("log")
        axes.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS], fontsize=8)
        axes.minorticks_off()
        axes.set_xticks(range(len(methods)), methods, rotation=60, ha="right", fontsize=7)
        axes.set_title(_title(size), fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.sharey(panels[0, 0])
    panels[0, 0].set_ylabel(f"flagged / asked for, at {SHOWN}", fontsize=8)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of .npz files: X, y")
    parser.add_argument("--most-rows", type=int, default=10_000, help="most rows of a table")
    parser.add_argument("--n-seeds", type=int, default=3, help="divisions of a table (default: 3)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, help="default: all installed")
    parser.add_argument("--fresh", action="store_true", help="do not read kept results")
    parser.add_argument("--quick", action="store_true", help="few small tables, few rows, one seed")
    arguments = parser.parse_args()
    paths = arguments.data.glob("*.npz") if arguments.data else ()
    paths = sorted(paths, key=lambda path: path.stat().st_size)
    if arguments.data and not paths:
        parser.error(f"--data must name a folder of .npz files. Got {arguments.data} instead.")
    if arguments.quick:
        paths = paths[:QUICK_TABLES]
        arguments.most_rows, arguments.n_seeds = min(QUICK_ROWS, arguments.most_rows), 1
    chosen = arguments.methods or [m for m in METHODS if m not in PYOD or find_spec("pyod")]
    one_thread()
    print_machine()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in chosen:  # the imports of a first call are not timed
            METHODS[method](0, *np.random.RandomState(0).standard_normal((2, 100, 3)))
    measured, left_out = measure_all(paths, chosen, arguments)
    rows = fold(measured)
    methods = list(dict.fromkeys(row["method"] for row in measured))
    report_tables(rows, methods)
    report_methods(rows, methods)
    if left_out:
        print(f"left out, as a half has fewer than {LEAST_HALF} rows: {', '.join(left_out)}\n")
    save("false_alarms", by_table(rows), most_rows=arguments.most_rows, n_seeds=arguments.n_seeds)
    save_picture(
        "false_alarms",
        lambda panels: draw(panels, rows, methods),
        width=9.0,
        height=4.0,
        panels=(1, len(SIZES)),
    )


if __name__ == "__main__":
    main()
