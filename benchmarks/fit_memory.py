"""Claim: fit needs at most 1.3 times the memory of X, including X, in addition to the interpreter.

Every model is measured in its own process. The process imports the package, makes one tiny fit, and
records its peak resident size. Then it makes X (200,000 x 200, float32), and fits it for one epoch.
The result is the growth of the peak, divided by the size of X. The layout of the heap differs
between processes, so the greatest value of several processes counts.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from _common import make_parser, print_machine, print_table, save
from _memory import peak_memory

import skvae

MODELS = (
    "AutoencoderTransformer",
    "VAETransformer",
    "BetaVAETransformer",
    "BetaTCVAETransformer",
)
TARGET = 1.3


def measure(name, n_samples, n_features):
    """Fit one model. This runs in its own process."""
    estimator = getattr(skvae, name)(max_epochs=1, random_state=0)
    rng = np.random.default_rng(0)
    estimator.fit(rng.standard_normal((1000, n_features), dtype=np.float32))
    before = peak_memory()
    X = np.empty((n_samples, n_features), dtype=np.float32)
    rng.standard_normal(dtype=np.float32, out=X)
    with_data = peak_memory() - before
    estimator.fit(X)
    with_fit = peak_memory() - before
    return {
        "before": before,
        "size": X.nbytes,
        "with_data": with_data,
        "with_fit": with_fit,
        "ratio": with_fit / X.nbytes,
    }


def summarise(name, runs):
    """Return the row of a model: its run with the most memory, and the ratios of all runs."""
    greediest = max(runs, key=lambda run: run["ratio"])
    return {"model": name, **greediest, "ratios": [run["ratio"] for run in runs]}


def cells(row):
    """Return a row of the printed table."""
    sizes = [f"{row[name] / 1e6:.0f}" for name in ("before", "size", "with_data", "with_fit")]
    least = min(row["ratios"])
    return [row["model"], *sizes, f"{row['ratio']:.2f} ({least:.2f})", f"<= {TARGET}"]


HEADER = ("model", "before MB", "X MB", "X: + MB", "X, fit: + MB", "/ X (least run)", "target")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--n-samples", type=int, default=200_000, help="rows (default: 200000)")
    parser.add_argument("--n-features", type=int, default=200, help="columns (default: 200)")
    parser.add_argument("--repeats", type=int, default=3, help="processes per model (default: 3)")
    arguments = parser.parse_args()
    print_machine()
    shape = (arguments.n_samples, arguments.n_features)
    rows = []
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for name in MODELS:
            runs = [
                processes.submit(measure, name, *shape).result() for _ in range(arguments.repeats)
            ]
            rows.append(summarise(name, runs))
    print_table(HEADER, [cells(row) for row in rows])
    settings = {"n_samples": shape[0], "n_features": shape[1], "epochs": 1}
    save("fit_memory", rows, **settings, repeats=arguments.repeats)


if __name__ == "__main__":
    main()
