"""Claim: an epoch with missing values or mixed columns takes at most 1.3 times a plain one.

A plain epoch has numbers only, and a Gaussian likelihood. There are 4,000 made-up rows with 40 or
100 columns, in random order. Half of the columns are numbers. The other half are one-hot blocks of
five levels.

plain        all columns are numbers with a Gaussian likelihood
mask         the same, with missing="mask" and a tenth of the entries missing
mixed        numbers with a Gaussian, each block with a categorical likelihood
both         mixed, with missing="mask", and a tenth of the numbers and of the blocks missing

All have noise_variance="per-feature". All other settings are defaults, so the layers are the same.
A fit has seven epochs. Its result is the median of the last five, in processor time on one thread.
The fits run in turn. A ratio compares a fit with the plain one of the same turn.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import warnings
from itertools import product
from time import process_time

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, rounded, save
from _mixed_rows import cell
from skorch.callbacks import Callback

from skvae import VAETransformer

N_ROWS, N_LEVELS, HOLES = 4000, 5, 0.1
WIDTHS = (40, 100)
N_EPOCHS, N_LEFT_OUT = 7, 2
PLAIN = "plain"


class Stopwatch(Callback):
    """Records the processor time of every epoch."""

    def on_train_begin(self, net, **kwargs):
        self.seconds_ = []

    def on_epoch_begin(self, net, **kwargs):
        self.began_ = process_time()

    def on_epoch_end(self, net, **kwargs):
        self.seconds_.append(process_time() - self.began_)


def made_up(width, seed=0):
    """Return rows, the same rows with missing values, and the kinds of their columns."""
    rng = np.random.default_rng(seed)
    n_numbers = width // 2
    codes = rng.standard_normal((N_ROWS, 5))
    numbers = codes @ rng.standard_normal((5, n_numbers)) + rng.standard_normal((N_ROWS, n_numbers))
    blocks = []
    for _ in range(n_numbers // N_LEVELS):
        logits = codes @ rng.standard_normal((5, N_LEVELS)) + rng.gumbel(size=(N_ROWS, N_LEVELS))
        blocks.append(np.eye(N_LEVELS)[logits.argmax(1)])
    gone = [rng.random(numbers.shape) < HOLES]
    gone += [np.repeat(rng.random((N_ROWS, 1)) < HOLES, N_LEVELS, axis=1) for _ in blocks]
    X, gone = np.hstack([numbers, *blocks]), np.hstack(gone)
    order = rng.permutation(X.shape[1])
    places = order.argsort()
    kinds = [("gaussian", places[:n_numbers].tolist())]
    starts = range(n_numbers, X.shape[1], N_LEVELS)
    kinds += [("categorical", places[start : start + N_LEVELS].tolist()) for start in starts]
    return X[:, order], np.where(gone, np.nan, X)[:, order], kinds


def contenders(width):
    """Return the rows and the settings of every contender."""
    X, holes, kinds = made_up(width)
    return {
        PLAIN: (X, {}),
        "mask": (holes, {"missing": "mask"}),
        "mixed": (X, {"likelihood": kinds}),
        "both": (holes, {"likelihood": kinds, "missing": "mask"}),
    }


def seconds_of_epoch(X, settings, seed):
    """Return the median time of an epoch, without the first ones."""
    vae = VAETransformer(noise_variance="per-feature", max_epochs=N_EPOCHS, random_state=seed)
    vae.set_params(callbacks=[("stopwatch", Stopwatch())], **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dimensions may be inactive after so few epochs
        vae.fit(X)
    stopwatch = dict(vae.net_.callbacks_)["stopwatch"]
    return float(np.median(stopwatch.seconds_[N_LEFT_OUT:]))


def measure(width, repeats):
    """Return one row for each contender and turn."""
    entrants, rows = contenders(width), []
    for turn in range(repeats):
        seconds = {name: seconds_of_epoch(*given, turn) for name, given in entrants.items()}
        for name, value in seconds.items():
            ratio = value / seconds[PLAIN]
            row = {"columns": width, "model": name, "turn": turn}
            rows.append({**row, "milliseconds": 1e3 * value, "ratio": ratio})
    return rows


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="turns (default: 9)")
    parser.add_argument("--quick", action="store_true", help="two turns, nothing saved")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    repeats = 2 if arguments.quick else arguments.repeats
    rows = [row for width in WIDTHS for row in measure(width, repeats)]
    models = list(dict.fromkeys(row["model"] for row in rows))
    lines = []
    for width, model in product(WIDTHS, models):
        wanted = {"columns": width, "model": model}
        times = cell(rows, "milliseconds", 1, **wanted), cell(rows, "ratio", 2, **wanted)
        lines.append([model, f"{width}", *times])
    print("an epoch, median over the turns (least to greatest)\n")
    print_table(["model", "columns", "milliseconds", "ratio"], lines)
    if not arguments.quick:
        save("table_epochs", rounded(rows))


if __name__ == "__main__":
    main()
