"""Claim: a search on two worker processes takes at most 0.6 of the time of one process.

The search is a grid of 12 fits (4 betas x 3 folds), of two seconds or more each. Every process has
one torch thread. The searches with n_jobs=1 and n_jobs=2 run in turn, three times. Before that, a
small search of each kind loads the libraries. The ratio is that of the median times. It needs two
idle cores.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before the imports of this process and of the workers

import sys
from statistics import median
from time import perf_counter

import numpy as np
import torch
from _common import make_parser, one_thread, print_machine, print_table, save
from joblib import Parallel, delayed
from sklearn.model_selection import GridSearchCV

from skvae import BetaVAETransformer
from skvae.datasets import make_linear_gaussian

BETAS = (0.5, 1.0, 2.0, 4.0)
FOLDS = 3
TARGET = 0.6


def searched(X, n_epochs, n_jobs):
    """Return the seconds of a search, the seconds of its shortest fit, and its scores."""
    model = BetaVAETransformer(10, max_epochs=n_epochs, random_state=0)
    search = GridSearchCV(model, {"beta": BETAS}, cv=FOLDS, refit=False, n_jobs=n_jobs)
    started = perf_counter()
    results = search.fit(X).cv_results_
    seconds = perf_counter() - started
    return seconds, results["mean_fit_time"].min(), results["mean_test_score"]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="number of rows (default 20,000)")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of a fit (default 30)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default 3)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    X = make_linear_gaussian(arguments.rows, n_features=64, random_state=0).data
    threads = Parallel(n_jobs=2)(delayed(torch.get_num_threads)() for _ in range(2))
    print(f"torch threads of a worker: {max(threads)}\n")
    runs = {1: [], 2: []}
    for n_jobs in runs:
        searched(X[:1000], 1, n_jobs)
    for _ in range(arguments.repeats):
        for n_jobs, measured in runs.items():
            measured.append(searched(X, arguments.epochs, n_jobs))
    for _, _, scores in runs[1] + runs[2]:
        np.testing.assert_array_equal(scores, runs[1][0][2])
    rows = [
        {
            "n_jobs": n_jobs,
            "seconds": median(seconds for seconds, _, _ in measured),
            "fit_seconds": median(fit for _, fit, _ in measured),
            "threads": max(threads),
        }
        for n_jobs, measured in runs.items()
    ]
    for row in rows:
        row["ratio"] = row["seconds"] / rows[0]["seconds"]
    cells = [
        [
            str(row["n_jobs"]),
            f"{row['seconds']:.1f}",
            f"{row['fit_seconds']:.2f}",
            f"{row['ratio']:.2f}",
        ]
        for row in rows
    ]
    print_table(("n_jobs", "search, s", "shortest fit, s", "ratio"), cells)
    save("n_jobs", rows, target=TARGET, n_samples=len(X), epochs=arguments.epochs)
    if rows[1]["ratio"] > TARGET:
        sys.exit(f"Two workers took more than {TARGET} of the time of one.")
    print(f"Two workers took at most {TARGET} of the time of one.")


if __name__ == "__main__":
    main()
