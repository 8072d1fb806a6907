"""Claim: a table on the disk is fitted and transformed with less than 1 GB of the process's memory.

A temporary folder gets a uint8 memory map of 200,000 rows x 12,288 columns. It has 2.3 GB, like
200,000 colour images of 64 x 64. Every model is measured in its own process. It fits a small
perceptron for one epoch. Then it calls ``transform``, ``reconstruction_error`` and
``score_samples`` for all rows. The result is the growth of the peak of RssAnon. This does not count
pages of the file that the system keeps in memory. The script needs Linux.
"""

import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save

import skvae

MODELS = (
    "AutoencoderTransformer",
    "VAETransformer",
    "BetaVAETransformer",
    "BetaTCVAETransformer",
)
N_FEATURES = 64 * 64 * 3
TARGET = 2**30
BLOCK = 2_000
INTERVAL = 0.02  # seconds between two measurements


def write(path, n_samples):
    """Write a memory map of low-rank rows with noise, block by block."""
    X = np.lib.format.open_memmap(path, "w+", np.uint8, (n_samples, N_FEATURES))
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((4, N_FEATURES), dtype=np.float32)
    noise = rng.standard_normal((BLOCK, N_FEATURES), dtype=np.float32)
    for start in range(0, n_samples, BLOCK):
        codes = rng.standard_normal((BLOCK, 4), dtype=np.float32)
        rows = 128 + 20 * (codes @ directions) + 5 * noise
        X[start : start + BLOCK] = rows.clip(0, 255)[: n_samples - start]
    X.flush()


def anonymous():
    """Return the anonymous memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


class Peak:
    """The peak of the anonymous memory in the block, minus the memory at its start."""

    def __enter__(self):
        self.before, self.growth, self.over = anonymous(), 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.over.wait(INTERVAL):
            self.growth = max(self.growth, anonymous() - self.before)

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def measure(name, path):
    """Fit and apply one model. This runs in its own process."""
    one_thread()
    X = np.load(path, mmap_mode="r")
    estimator = getattr(skvae, name)(
        8, hidden_layer_sizes=(16,), max_epochs=1, input_scale=1 / 255, random_state=0
    )
    estimator.set_params(batch_size=1024)
    with Peak() as fit:
        started = perf_counter()
        estimator.fit(X)
        seconds = perf_counter() - started
    with Peak() as inference:
        for method in ("transform", "reconstruction_error", "score_samples"):
            getattr(estimator, method)(X)
    return {
        "model": name,
        "fit": fit.growth,
        "inference": inference.growth,
        "size": X.nbytes,
        "fit_seconds": seconds,
    }


def cells(row):
    """Return a row of the printed table."""
    megabytes = [f"{row[name] / 2**20:.0f}" for name in ("size", "fit", "inference")]
    return [row["model"], *megabytes, f"{row['fit_seconds']:.0f}"]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="how many (default: 200,000)")
    parser.add_argument("--folder", type=Path, help="folder of the file (default: a temporary one)")
    arguments = parser.parse_args()
    print_machine()
    rows = []
    with TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "X.npy"
        write(path, arguments.rows)
        for name in MODELS:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(measure, name, path).result())
    header = ("model", "X, MB", "fit, MB", "methods, MB", "fit, s")
    print_table(header, [cells(row) for row in rows])
    save("memory_map", rows, target=TARGET)
    if max(max(row["fit"], row["inference"]) for row in rows) > TARGET:
        sys.exit("The memory of the process grew by more than 1 GB.")
    print("No model used more than 1 GB.")


if __name__ == "__main__":
    main()
