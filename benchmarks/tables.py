"""Claim: VAEImputer fills missing values of tables at least as well as KNNImputer.

10, 30 or 50 % of the entries of every column of real tables are removed, and then imputed. There
are two mechanisms:

at random       all values of a column have the same probability to be removed
not at random   a larger number is removed more often: 4.5 times as often for each standard
                deviation of its normal score; for a category, some levels are removed more often,
                drawn for each seed

The imputers have default settings unless stated:

SimpleImputer      means, and the most frequent level
KNNImputer         means over five neighbours
IterativeImputer   linear models in turn: BayesianRidge, and RidgeClassifier for a category
of forests         IterativeImputer in four rounds of 20 extremely randomised trees, which classify
                   if the column is a category, like missForest
VAEImputer         as it is for tables of numbers; for other tables, on the codes of a
                   TableEncoder(missing="keep"), with its likelihoods

The imputers of scikit-learn get standardised numbers. SimpleImputer and KNNImputer get categories
as one-hot blocks, and the largest column of a block is taken. The iterative ones get categories as
the numbers of their levels in order. They cannot use one-hot blocks. A column of a block follows
from the other columns, so it would keep its initial value.

RMSE is the error of the removed numbers, in standard deviations of their columns. Accuracy is the
share of removed categories that are restored. "ratio" compares with KNNImputer on the same missing
entries: the ratio of the RMSE, and of the share of wrong categories. Nats are log p(removed |
remaining) per entry. Numbers are in standard deviations, or in mixed tables in units of their
codes. Other imputers have no nats. Seconds are processor time for fit and transform, on one thread.

Targets are not used. Tables have at most 500 rows. The settings of VAEImputer were chosen on half
of the tables. Both halves are reported.

``--data`` is a folder with eight tables of the UCI Machine Learning Repository: gzipped CSV, names
in the first row. Without it, only the tables of scikit-learn are used.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

from itertools import product
from pathlib import Path

import numpy as np
from _common import (
    make_parser,
    one_thread,
    print_machine,
    print_table,
    rounded,
    rows_of,
    save,
    save_picture,
)
from _tables_data import CHOSEN_ON, TABLES, is_file, load
from _tables_holes import MECHANISMS, accuracy, removed_entries, rmse, with_holes
from _tables_methods import METHODS, fill, removed_nats
from _tables_summary import folded, over_tables, with_ratios
from joblib import Parallel, delayed

RATES = (0.1, 0.3, 0.5)
HALVES = {
    "tables that settings were chosen on": CHOSEN_ON,
    "other tables": tuple(name for name in TABLES if name not in CHOSEN_ON),
    "all tables": tuple(TABLES),
}
RATIOS = {"rmse_ratio": "RMSE", "error_ratio": "share of wrong categories"}


def measure(name, rate, mechanism, seed, methods, folder):
    """Return one row of results for each method. All methods get the same missing entries."""
    one_thread()
    table = load(name, folder)
    removed = removed_entries(table, rate, mechanism, seed)
    holes = with_holes(table, removed)
    case = {"table": name, "rate": rate, "mechanism": mechanism, "seed": seed}
    rows = []
    for method in methods:
        filled, seconds, log_prob = fill(method, holes, seed)
        measured = {
            "rmse": rmse(table, filled, removed),
            "accuracy": accuracy(table, filled, removed),
            "seconds": seconds,
            "nats": log_prob and removed_nats(log_prob, table, holes, removed),
        }
        rows.append({**case, "method": method, **measured})
    return rows


def shown(value, digits=3):
    """Return a number as text, or an empty text if there is none."""
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def report_tables(lines, methods):
    """Print the measures of every table, rate and mechanism, as medians over the seeds."""
    cells = []
    for name, rate, mechanism in dict.fromkeys(
        (line["table"], line["rate"], line["mechanism"]) for line in lines
    ):
        of_case = rows_of(lines, table=name, rate=rate, mechanism=mechanism)
        of_method = {line["method"]: line for line in of_case}
        cells.append([name, f"{rate:.0%}", mechanism])
        for key in ("rmse_ratio", "error_ratio"):
            cells[-1] += [shown(of_method[method][key], 2) for method in methods]
        cells[-1].append(shown(next(line["nats"] for line in of_case[::-1]), 2))
    places = [f"{short} {place}" for short in ("RMSE", "wrong") for place in range(len(methods))]
    print("ratios to KNNImputer, medians over the seeds; nats of VAEImputer. Methods:")
    print(", ".join(f"{place} {method}" for place, method in enumerate(methods)), end="\n\n")
    print_table(["table", "removed", "how", *places, "nats"], cells, n_left=3)


def report_halves(rows, methods, tables):
    """Print medians over tables of the ratios, with the values of the least and greatest seed."""
    cases = [(rate, mechanism) for mechanism in MECHANISMS for rate in RATES]
    header = ["method", *(f"{rate:.0%} {mechanism}" for rate, mechanism in cases)]
    for (half, names), (key, title) in product(HALVES.items(), RATIOS.items()):
        names = [name for name in names if name in tables]
        cells = []
        for method in methods:
            cells.append([method])
            for rate, mechanism in cases:
                wanted = {"method": method, "rate": rate, "mechanism": mechanism}
                found = over_tables(rows, key, names, **wanted)
                cells[-1].append("{:.3f} ({:.3f}-{:.3f})".format(*found) if found else "")
        if any(any(line[1:]) for line in cells):
            print(f"{half}: ratio of the {title}, median over tables (least and greatest seed)\n")
            print_table(header, cells)


def report_seconds(lines, methods, tables):
    """Print the seconds of every method on every table."""
    cells = []
    for method in methods:
        of_tables = [rows_of(lines, method=method, table=name) for name in tables]
        medians = [np.median([line["seconds"] for line in some]) for some in of_tables]
        cells.append([method, *(f"{seconds:.2f}" for seconds in medians)])
    print("processor time in seconds, medians over rates, mechanisms and seeds\n")
    print_table(["method", *tables], cells)


def draw(panels, rows, methods, tables):
    """Draw the median ratio of the RMSE over the rate, with a panel for each mechanism."""
    for axes, mechanism in zip(panels.flat, MECHANISMS, strict=True):
        for place, method in enumerate(methods):
            found = [
                over_tables(
                    rows, "rmse_ratio", tables, method=method, rate=rate, mechanism=mechanism
                )
                for rate in RATES
            ]
            median, least, greatest = zip(*found, strict=True)
            axes.plot(RATES, median, marker="o", color=f"C{place}", label=method)
            axes.fill_between(RATES, least, greatest, color=f"C{place}", alpha=0.2, linewidth=0)
        axes.set_xticks(RATES, [f"{rate:.0%}" for rate in RATES])
        axes.set_title(f"removed {mechanism}", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    panels.flat[0].set_ylabel("RMSE / that of KNNImputer,\nmedian over tables", fontsize=8)
    panels.flat[-1].legend(frameon=False, fontsize=8)


def make_arguments():
    """Return the parser of the options."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of tables, name.csv.gz")
    parser.add_argument("--tables", nargs="+", choices=TABLES, help="default: all with data")
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=1, help="cases at a time (default: 1)")
    parser.add_argument("--quick", action="store_true", help="one seed, nothing saved")
    return parser


def main():
    arguments = make_arguments().parse_args()
    tables = [
        name
        for name in arguments.tables or TABLES
        if arguments.data is not None or not is_file(name)
    ]
    n_seeds = 1 if arguments.quick else arguments.n_seeds
    methods = list(METHODS)
    print_machine()
    parts = Parallel(n_jobs=arguments.n_jobs, verbose=1)(
        delayed(measure)(*case, methods, arguments.data)
        for case in product(tables, RATES, MECHANISMS, range(n_seeds))
    )
    rows = with_ratios([row for part in parts for row in part])
    lines = folded(rows)
    report_tables(lines, methods)
    report_halves(rows, methods, tables)
    report_seconds(lines, methods, tables)
    if arguments.quick:
        return
    save("tables", rounded(lines), seeds=n_seeds, chosen_on=list(CHOSEN_ON))
    save_picture(
        "tables",
        lambda panels: draw(panels, rows, methods, tables),
        width=8.0,
        height=3.4,
        panels=(1, 2),
    )


if __name__ == "__main__":
    main()
