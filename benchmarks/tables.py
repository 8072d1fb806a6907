"""Claim: VAEImputer fills holes in tables at least as well as KNNImputer.

Entries of real tables are taken away, 10, 30 or 50 % of every column, and filled in again:

at random       every value of a column is as likely to go as any other
not at random   a larger number is likelier to go, a standard deviation 4.5 times, in terms of
                normal scores; of a category some levels, drawn for each seed

by, each at its defaults unless it says so,

SimpleImputer      means, and the most frequent level
KNNImputer         means over five neighbours
IterativeImputer   linear models by turns: BayesianRidge, of a category a RidgeClassifier
of forests         IterativeImputer in four rounds, of 20 extremely randomised trees, which
                   classify where the column is one of categories; in the way of missForest
VAEImputer         as it is for tables of numbers alone; else of the codes of a
                   TableEncoder(missing="keep"), with its likelihoods, and back

scikit-learn's imputers get numbers standardised. The first two get categories as one-hot blocks, of
which the largest is taken; the iterative ones as numbers of the levels, in order, because a column
of a block follows from the others and would stay as it begins.

RMSE is that of the numbers taken away, in standard deviations of their columns; accuracy the share
of categories that come back. "ratio" is to KNNImputer's on the same holes: of the RMSE, and of the
share of wrong categories. Nats are log p(taken away | left) of an entry, of numbers in standard
deviations (in mixed tables in units of their codes), which the other imputers do not have. Seconds
are the processor's, of fit and transform, one thread. Targets are left out; tables have at most
500 rows. The settings of VAEImputer were chosen on half of the tables: each half is reported.

``--data`` is a folder with eight tables of the UCI Machine Learning Repository, gzipped CSV with
names in the first row; without it those that scikit-learn brings are all.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by the libraries when they are imported

from itertools import product
from pathlib import Path

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
from _tables_data import CHOSEN_ON, TABLES, is_file, load
from _tables_holes import MECHANISMS, accuracy, removed_entries, rmse, with_holes
from _tables_methods import METHODS, fill, removed_nats
from _tables_summary import folded, over_tables, rows_of, with_ratios
from joblib import Parallel, delayed

RATES = (0.1, 0.3, 0.5)
HALVES = {
    "tables that settings were chosen on": CHOSEN_ON,
    "other tables": tuple(name for name in TABLES if name not in CHOSEN_ON),
    "all tables": tuple(TABLES),
}
RATIOS = {"rmse_ratio": "RMSE", "error_ratio": "share of wrong categories"}


def measure(name, rate, mechanism, seed, methods, folder):
    """Return one row of results for each method, of the same holes."""
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
    """Return a number as text, or nothing for one that is not there."""
    return "" if value is None or not np.isfinite(value) else f"{value:.{digits}f}"


def report_tables(lines, methods):
    """Print the measures of every table, rate and mechanism, medians over the seeds."""
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
    print("ratios to KNNImputer's, medians over the seeds; nats are VAEImputer's. Methods:")
    print(", ".join(f"{place} {method}" for place, method in enumerate(methods)), end="\n\n")
    print_table(["table", "gone", "how", *places, "nats"], cells, n_left=3)


def report_halves(rows, methods, tables):
    """Print medians over tables of the ratios, with the least and the greatest seed's."""
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
    print("seconds of the processor, medians over rates, mechanisms and seeds\n")
    print_table(["method", *tables], cells)


def draw(panels, rows, methods, tables):
    """Draw the median ratio of the RMSE over the rate, one panel for each mechanism."""
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
        axes.set_title(f"taken away {mechanism}", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    panels.flat[0].set_ylabel("RMSE over KNNImputer's,\nmedian over tables", fontsize=8)
    panels.flat[-1].legend(frameon=False, fontsize=8)


def make_arguments():
    """Return the parser of the options."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of tables, name.csv.gz")
    parser.add_argument("--tables", nargs="+", choices=TABLES, help="default: all there are")
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--n-jobs", type=int, default=1, help="cases at a time (default: 1)")
    parser.add_argument("--quick", action="store_true", help="one seed, nothing saved")
    return parser


def rounded(line):
    """Return a line of results with numbers as short as their accuracy."""
    return {
        key: round(value, 4)
        if isinstance(value, float)
        else [round(end, 4) for end in value]
        if isinstance(value, list)
        else value
        for key, value in line.items()
    }


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
    save("tables", [rounded(line) for line in lines], seeds=n_seeds, chosen_on=list(CHOSEN_ON))
    save_picture(
        "tables",
        lambda panels: draw(panels, rows, methods, tables),
        width=8.0,
        height=3.4,
        panels=(1, 2),
    )


if __name__ == "__main__":
    main()
