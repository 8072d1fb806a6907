"""Claim: fit costs no more than a hand-written PyTorch loop, and less than skorch's default.

The same architecture, batch size, optimizer and number of epochs, one thread, one process:
our estimators, a plain PyTorch loop, ``skorch.NeuralNet`` with its default ``DataLoader``, and
scikit-learn's ``MLPRegressor(X, X)``, which has rectifiers and no linear map beside them. The
contenders take turns within a repetition, and a ratio is formed in each repetition before its
median is taken, so that a busy machine disturbs numerator and denominator alike. Times are the
processor's, which of a single thread are those of a clock on an idle machine, and of the whole
``fit``: for ours with the validation of X, the statistics of its columns, the PCA that training
begins at, the history and the final pass.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by the libraries when they are imported

import gc
import warnings
from statistics import median
from time import process_time
from typing import NamedTuple

import torch
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
from _plain_networks import (
    HIDDEN,
    N_COMPONENTS,
    NegativeELBO,
    PlainAutoencoder,
    PlainVAE,
    mixed_factors,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNet
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer

BATCH_SIZE = 256
LEARNING_RATE = 1e-3


class Case(NamedTuple):
    """A table of synthetic data, and what the claim asks of it."""

    n_samples: int
    n_features: int
    epochs: int
    most_of_loop: float  # ours / loop at most
    least_of_skorch: float | None  # skorch / ours at least


CASES = (
    Case(1797, 64, 20, 0.90, 1.5),
    Case(20000, 30, 20, 0.90, 1.5),
    Case(20000, 784, 10, 0.97, None),
)


MODELS = {
    "AE": (AutoencoderTransformer, PlainAutoencoder, nn.MSELoss),
    "VAE": (VAETransformer, PlainVAE, NegativeELBO),
}


def fit_ours(estimator, X, epochs):
    """Fit our estimator, all else at its defaults."""
    estimator(N_COMPONENTS, max_epochs=epochs, random_state=0).fit(X)


def fit_loop(module, criterion, X, epochs):
    """Train by a plain PyTorch loop, the data one tensor in memory."""
    X = torch.from_numpy(X)
    model, loss_of = module(X.shape[1]), criterion()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    history = []
    for _ in range(epochs):
        order = torch.randperm(len(X))
        total = 0.0
        for start in range(0, len(X), BATCH_SIZE):
            x = X[order[start : start + BATCH_SIZE]]
            loss = loss_of(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        history.append(total / len(X))


def fit_skorch(module, criterion, X, epochs):
    """Train by skorch with its default iterator and callbacks, shuffled, nothing held out."""
    NeuralNet(
        module(X.shape[1]),
        criterion,
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(X, X)


def fit_sklearn(X, epochs):
    """Fit scikit-learn's perceptron to X by X."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are given
        MLPRegressor(
            hidden_layer_sizes=(*HIDDEN, N_COMPONENTS, *HIDDEN[::-1]),
            batch_size=BATCH_SIZE,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=epochs + 1,
            alpha=0.0,
            random_state=0,
        ).fit(X, X)


def measure(model, X, epochs, repeats):
    """Return {contender: processor seconds of every repetition}, after one that warms up."""
    estimator, module, criterion = MODELS[model]
    contenders = {
        "ours": lambda: fit_ours(estimator, X, epochs),
        "loop": lambda: fit_loop(module, criterion, X, epochs),
        "skorch": lambda: fit_skorch(module, criterion, X, epochs),
        "sklearn": lambda: fit_sklearn(X, epochs),
    }
    seconds = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, fit in contenders.items():
            gc.collect()
            started = process_time()
            fit()
            seconds[name].append(process_time() - started)
    return {name: times[1:] for name, times in seconds.items()}


def ratio(numerator, denominator):
    """Return median, least and greatest of the ratios of the repetitions."""
    ratios = [a / b for a, b in zip(numerator, denominator, strict=True)]
    return {"median": median(ratios), "min": min(ratios), "max": max(ratios)}


def summarise(model, case, seconds):
    """Return the row of the JSON file."""
    ours = seconds["ours"]
    return {
        "model": model,
        **case._asdict(),
        "seconds": seconds,
        "ours_over_loop": ratio(ours, seconds["loop"]),
        "skorch_over_ours": ratio(seconds["skorch"], ours),
        "sklearn_over_ours": ratio(seconds["sklearn"], ours),
    }


def cells(row):
    """Return the row of the printed table."""

    def span(name):
        return "{median:.2f} ({min:.2f}-{max:.2f})".format(**row[name])

    least = row["least_of_skorch"]
    return [
        row["model"],
        f"{row['n_samples']} x {row['n_features']}",
        str(row["epochs"]),
        *(f"{median(times):.2f}" for times in row["seconds"].values()),
        span("ours_over_loop"),
        f"<= {row['most_of_loop']:.2f}",
        span("skorch_over_ours"),
        "" if least is None else f">= {least:.1f}",
        span("sklearn_over_ours"),
    ]


HEADER = (
    "model", "data", "epochs", "ours s", "loop s", "skorch s", "sklearn s",
    "ours/loop", "target", "skorch/ours", "target", "sklearn/ours",
)  # fmt: skip


def draw(axes, rows):
    """Draw the time of every contender as a multiple of the hand-written loop's."""
    for shift, name in enumerate(("ours", "skorch", "sklearn")):
        medians = [ratio(row["seconds"][name], row["seconds"]["loop"])["median"] for row in rows]
        places = [place + 0.27 * (shift - 1) for place in range(len(rows))]
        axes.bar(places, medians, 0.25, label=name)
    axes.axhline(1, color="black", linewidth=0.8)
    labels = [f"{row['model']}\n{row['n_samples']} x {row['n_features']}" for row in rows]
    axes.set_xticks(range(len(rows)), labels, fontsize=8)
    axes.set_ylabel("time of fit / loop")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="repetitions (default: 5)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    rows = []
    for case in CASES:
        X = mixed_factors(case.n_samples, case.n_features)
        for model in MODELS:
            seconds = measure(model, X, case.epochs, arguments.repeats)
            rows.append(summarise(model, case, seconds))
    print_table(HEADER, [cells(row) for row in rows], n_left=2)
    save("fit_overhead", rows, repeats=arguments.repeats, threads=1, batch_size=BATCH_SIZE)
    save_picture("fit_overhead", lambda axes: draw(axes, rows))


if __name__ == "__main__":
    main()
