"""Claim: fit needs at most 1.3 times the memory of X, X included, beyond the interpreter's own.

Every model is measured in a process of its own, which imports the package, does one tiny fit,
notes its peak resident size, then makes X (200,000 x 200 float32) and fits it for one epoch. The
figure is the growth of the peak, divided by the size of X.
"""

import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from _common import make_parser, print_machine, print_table, save

import skvae

MODELS = (
    "AutoencoderTransformer",
    "VAETransformer",
    "BetaVAETransformer",
    "BetaTCVAETransformer",
)
TARGET = 1.3
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


def peak():
    """Return the peak resident size of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def measure(name, n_samples, n_features):
    """Return the row of a model; runs in a process of its own."""
    estimator = getattr(skvae, name)(max_epochs=1, random_state=0)
    rng = np.random.default_rng(0)
    estimator.fit(rng.standard_normal((1000, n_features), dtype=np.float32))
    before = peak()
    X = np.empty((n_samples, n_features), dtype=np.float32)
    rng.standard_normal(dtype=np.float32, out=X)
    made = peak()
    estimator.fit(X)
    return {
        "model": name,
        "before": before,
        "size": X.nbytes,
        "with_data": made - before,
        "with_fit": peak() - before,
        "ratio": (peak() - before) / X.nbytes,
    }


def cells(row):
    """Return the row of the printed table."""
    sizes = [f"{row[name] / 1e6:.0f}" for name in ("before", "size", "with_data", "with_fit")]
    return [row["model"], *sizes, f"{row['ratio']:.2f}", f"<= {TARGET}"]


HEADER = ("model", "before MB", "X MB", "+ X MB", "+ X and fit MB", "ratio to X", "target")


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--n-samples", type=int, default=200_000, help="rows (default: 200000)")
    parser.add_argument("--n-features", type=int, default=200, help="columns (default: 200)")
    arguments = parser.parse_args()
    print_machine()
    shape = (arguments.n_samples, arguments.n_features)
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        rows = [processes.submit(measure, name, *shape).result() for name in MODELS]
    print_table(HEADER, [cells(row) for row in rows])
    save("fit_memory", rows, n_samples=shape[0], n_features=shape[1], epochs=1)


if __name__ == "__main__":
    main()
