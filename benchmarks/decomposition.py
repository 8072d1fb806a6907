"""Claim: the exact KL decomposition of 50,000 rows x 32 dimensions takes < 500 MB and < 1 minute.

A new process records its peak resident size after a tiny fit. It then makes X (50,000 x 64,
float32), fits a VAE of 32 dimensions for one epoch, and decomposes its divergence with the default
of 10,000 draws. The result is the growth of the peak, X and the fit included. A second table
compares the parts with their closed form, for a Gaussian aggregate posterior and a growing number
of rows. A third table shows the error of too few rows if the true total correlation is 0.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import math
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save
from _memory import peak_memory

from skvae import VAETransformer
from skvae.metrics import gaussian_total_correlation, kl_decomposition

LIMIT_MB, LIMIT_SECONDS = 500, 60
N_FEATURES = 64
PARTS = ("mutual_information", "total_correlation", "dimension_wise_kl")
# q(z|x) = N(LOADINGS x, diag(NOISE)), and x ~ N(0, I).
LOADINGS = np.array([[0.8, 0.3], [0.1, 0.7]])
NOISE = np.array([0.16, 0.36])
DIMENSIONS = 10  # in the third table
TRUE_INFORMATION = (6.9, 12.0, 16.0, 23.0)


class Posterior:
    """These posteriors, one for each row. The class replaces a fitted estimator."""

    def __init__(self, mean, variance):
        self.mean = mean
        self.std = np.broadcast_to(np.sqrt(variance), mean.shape)

    def posterior(self, X):
        """Return the means and the standard deviations of the rows with the indices X."""
        return self.mean[X], self.std[X]


def whitened(n_rows, n_columns):
    """Return normal draws whose mean is exactly 0 and whose second moment is exactly I."""
    x = np.random.default_rng(0).standard_normal((n_rows, n_columns))
    orthonormal, _ = np.linalg.qr(x - x.mean(0))
    return math.sqrt(n_rows) * orthonormal


def cost(n_rows, n_components):
    """Decompose the divergence of a fitted VAE. This runs in its own process."""
    one_thread()
    warnings.simplefilter("ignore")  # after one epoch the parts may be unusual
    vae = VAETransformer(n_components, max_epochs=1, random_state=0)
    rng = np.random.default_rng(0)
    tiny = rng.standard_normal((200, N_FEATURES), dtype=np.float32)
    kl_decomposition(vae.fit(tiny), tiny, n_samples=100, random_state=0)
    before = peak_memory()
    X = rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    vae.fit(X)
    with_fit = peak_memory() - before
    start, start_cpu = time.perf_counter(), time.process_time()
    kl_decomposition(vae, X, random_state=0)
    return {
        "n_rows": n_rows,
        "n_components": n_components,
        "size": X.nbytes,
        "with_fit": with_fit,
        "with_decomposition": peak_memory() - before,
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - start_cpu,
    }


def decompose(posterior):
    """Return the parts, their standard errors and the Gaussian total correlation."""
    rows = np.arange(len(posterior.mean))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = kl_decomposition(posterior, rows, random_state=0)
    return {
        "n_rows": len(rows),
        **{part: getattr(result, part) for part in PARTS},
        **{f"{part}_se": getattr(result, f"{part}_se") for part in PARTS},
        "gaussian_total_correlation": gaussian_total_correlation(posterior, rows),
        "saturated": bool(result.saturated),
    }


def closed_form():
    """Return the parts for the Gaussian aggregate of infinitely many rows."""
    covariance = LOADINGS @ LOADINGS.T + np.diag(NOISE)
    variance = covariance.diagonal()
    log_determinant = np.linalg.slogdet(covariance)[1]
    total_correlation = 0.5 * (np.log(variance).sum() - log_determinant)
    return {
        "mutual_information": 0.5 * (log_determinant - np.log(NOISE).sum()),
        "total_correlation": total_correlation,
        "dimension_wise_kl": 0.5 * (variance - 1 - np.log(variance)).sum(),
        "gaussian_total_correlation": total_correlation,
    }


def cells(label, row):
    """Return a row of the second or third table."""
    numbers = [
        f"{row[part]:.4f} ({row[f'{part}_se']:.4f})" if f"{part}_se" in row else f"{row[part]:.4f}"
        for part in PARTS
    ]
    saturated = {True: "yes", False: "no"}.get(row.get("saturated"), "")
    return [label, *numbers, f"{row['gaussian_total_correlation']:.4f}", saturated]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--n-rows", type=int, default=50_000, help="rows (default: 50000)")
    parser.add_argument("--n-components", type=int, default=32, help="dimensions (default: 32)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()

    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        measured = processes.submit(cost, arguments.n_rows, arguments.n_components).result()
    sizes = [f"{measured[name] / 1e6:.0f}" for name in ("size", "with_fit", "with_decomposition")]
    times = [f"{measured[name]:.1f}" for name in ("seconds", "processor_seconds")]
    shape = f"{arguments.n_rows} x {arguments.n_components}"
    header = (
        "rows x dims",
        "X MB",
        "X, fit: + MB",
        "all: + MB",
        "limit",
        "s",
        "processor s",
        "limit",
    )
    print_table(header, [[shape, *sizes, f"{LIMIT_MB}", *times, f"{LIMIT_SECONDS}"]])

    header = ("", "MI (s.e.)", "TC (s.e.)", "DW (s.e.)", "Gaussian TC", "saturated")
    exact = closed_form()
    gaussian = [
        decompose(Posterior(whitened(n_rows, 2) @ LOADINGS.T, NOISE))
        for n_rows in (30, 100, 300, 1000, 3000, 10_000, 30_000)
    ]
    table = [cells(f"N = {row['n_rows']}", row) for row in gaussian]
    print_table(header, [*table, cells("closed form", exact)])

    variances = [math.exp(-2 * information / DIMENSIONS) for information in TRUE_INFORMATION]
    codes = whitened(10_000, DIMENSIONS)
    independent = [
        {"true_mutual_information": information}
        | decompose(Posterior(math.sqrt(1 - variance) * codes, variance))
        for information, variance in zip(TRUE_INFORMATION, variances, strict=True)
    ]
    table = [cells(f"MI {row['true_mutual_information']:g}, TC 0", row) for row in independent]
    print_table(header, table)

    rows = [
        {"table": "cost", **measured},
        *({"table": "gaussian aggregate", **row} for row in gaussian),
        {"table": "gaussian aggregate, closed form", **exact},
        *({"table": "independent codes", **row} for row in independent),
    ]
    save("decomposition", rows, n_samples=10_000, threads=1)


if __name__ == "__main__":
    main()
