"""Our fits and transforms beside hand-written loops, with the same networks on one device."""

import copy
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from _gpu_watch import Utilisation, peak_memory, reset_peak_memory, timed_on
from _plain_networks import N_COMPONENTS, NegativeELBO, PlainAutoencoder, PlainVAE, mixed_factors
from _speed_contests import ratio
from skorch.callbacks import Callback
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer
from skvae.nn.objectives import BetaObjective

__all__ = ["CASES", "QUICK_CASES", "Case", "compare_fits", "compare_transforms"]

LEARNING_RATE = 1e-3
IMAGE_COMPONENTS = 32
DISTINCT_IMAGES = 1000  # the time does not depend on the content of images
CHUNK = 4096  # rows that the hand-written transform sends at a time
PLAIN = {
    "AE": (AutoencoderTransformer, PlainAutoencoder, nn.MSELoss),
    "VAE": (VAETransformer, PlainVAE, NegativeELBO),
}


class Case(NamedTuple):
    """The size of the rows, their model, and the target for its speed."""

    model: str  # "AE" or "VAE"
    n_samples: int
    n_features: int
    epochs: int
    least: float  # target: a share of the loop's speed
    architecture: str | None = None
    side: int | None = None

    @property
    def name(self):
        """The name in the printed tables."""
        if self.architecture is None:
            return f"{self.model}, {self.n_samples} x {self.n_features}"
        return f"{self.model}, {self.architecture}, {self.n_samples} x {self.side}x{self.side}x3"

    @property
    def batch_size(self):
        """Number of rows in a batch."""
        return 256 if self.architecture is None else 128

    def rows(self):
        """Return rows of mixed factors, float32. Images repeat some of them, as bytes."""
        if self.architecture is None:
            return mixed_factors(self.n_samples, self.n_features)
        few = mixed_factors(min(self.n_samples, DISTINCT_IMAGES), self.n_features)
        pixels = np.clip(128 + 64 * few, 0, 255).astype(np.uint8)
        return np.resize(pixels, (self.n_samples, self.n_features))

    def estimator(self, device, **parameters):
        """Return the estimator, unfitted."""
        settings = {"device": device, "lr": LEARNING_RATE, "random_state": 0, **parameters}
        settings = {"max_epochs": self.epochs, "batch_size": self.batch_size, **settings}
        if self.architecture is None:
            return PLAIN[self.model][0](N_COMPONENTS, **settings)
        shape = (self.side, self.side, 3)
        # As in the paper, the variance is a number. So no PCA of the images runs on the CPU first.
        images = {"image_shape": shape, "architecture": self.architecture, "noise_variance": 0.5}
        return VAETransformer(IMAGE_COMPONENTS, input_scale=1 / 255, **images, **settings)

    def plain(self, X):
        """Return the network of the hand-written loop, and its loss function of (output, batch)."""
        if self.architecture is None:
            _, module, criterion = PLAIN[self.model]
            return module(self.n_features), criterion()
        start = self.estimator("cpu", max_epochs=1, lr=1e-12).fit(X[: self.batch_size])
        return start.net_.module_, BetaObjective()


CASES = (
    Case("AE", 20_000, 784, 30, 0.8),
    Case("VAE", 20_000, 784, 30, 0.8),
    Case("AE", 20_000, 30, 30, 0.8),
    Case("VAE", 20_000, 30, 30, 0.8),
    Case("VAE", 10_000, 64 * 64 * 3, 5, 0.9, "residual", 64),
    Case("VAE", 10_000, 64 * 64 * 3, 5, 0.9, "hybrid", 64),
    Case("VAE", 10_000, 64 * 64 * 3, 5, 0.9, "paper", 64),
)
QUICK_CASES = (
    Case("VAE", 600, 30, 3, 0.8),
    Case("VAE", 300, 16 * 16 * 3, 3, 0.9, "residual", 16),
    Case("VAE", 300, 16 * 16 * 3, 3, 0.9, "hybrid", 16),
    Case("VAE", 300, 16 * 16 * 3, 3, 0.9, "paper", 16),
)


class EpochClock(Callback):
    """Records the seconds of every epoch. It is not called for batches."""

    def on_epoch_begin(self, net, **kwargs):
        self.started = perf_counter()

    def on_epoch_end(self, net, **kwargs):
        net.history.record("seconds", perf_counter() - self.started)


def fit_ours(case, X, device):
    """Return the seconds of every epoch of a fit."""
    return case.estimator(device, callbacks=[EpochClock]).fit(X).history_["seconds"].tolist()


def fit_loop(case, start, loss_of, X, device):
    """Train by a loop written for a GPU, with X on the GPU. Return the seconds of every epoch."""
    X = torch.from_numpy(X).to(device)
    network = copy.deepcopy(start).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    seconds = []
    for _ in range(case.epochs):
        started = perf_counter()
        order = torch.randperm(len(X), device=device)
        total = torch.zeros((), device=device)
        for start in range(0, len(X), case.batch_size):
            x = X[order[start : start + case.batch_size]].float()
            loss = loss_of(network(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x)
        total.item()  # for the history of the epoch: the only wait
        seconds.append(perf_counter() - started)
    return seconds


def compare_fits(case, device, repeats):
    """Return the row of a case. Our fit and the loop run in turn, after one warm-up of each.

    The time of an epoch is a median without the first epoch, in which the rows travel to the
    device.
    """
    X = case.rows()
    plain = case.plain(X)
    contenders = {
        "ours": lambda: fit_ours(case, X, device),
        "loop": lambda: fit_loop(case, *plain, X, device),
    }
    row = {"case": case.name, **case._asdict(), "epoch_seconds": {}, "fit_seconds": {}}
    busy, memory = {}, {}
    for turn in range(repeats + 1):
        for name, fit in contenders.items():
            reset_peak_memory(device)
            with Utilisation(device) as utilisation:
                whole, epochs = timed_on(device, fit)
            busy[name], memory[name] = utilisation.percent, peak_memory(device)
            if turn:
                row["epoch_seconds"].setdefault(name, []).append(median(epochs[1:]))
                row["fit_seconds"].setdefault(name, []).append(whole)
    for what in ("epoch", "fit"):
        ours, loop = row[f"{what}_seconds"]["ours"], row[f"{what}_seconds"]["loop"]
        row[f"{what}_speed"] = ratio(loop, ours)
    rate = case.n_samples / median(row["epoch_seconds"]["ours"])
    return row | {"rows_per_second": rate, "busy_percent": busy, "peak_megabytes": memory}


def bare_transform(network, X, device):
    """Return the codes by the network alone. Rows and codes are in the memory of the host."""
    codes = []
    with torch.inference_mode():
        for start in range(0, len(X), CHUNK):
            x = torch.from_numpy(X[start : start + CHUNK]).to(device)
            codes.append(network.code(x.float()))
    return torch.cat(codes).cpu().numpy()


def compare_transforms(case, device, repeats):
    """Return the row of a case. ``transform`` and the bare network run in turn."""
    X = case.rows()
    fitted = case.estimator(device, max_epochs=1).fit(X)
    network = fitted.net_.module_
    row = {"case": case.name, "seconds": {"ours": [], "loop": []}}
    difference = 0.0
    for turn in range(repeats + 1):
        ours, codes = timed_on(device, fitted.transform, X)
        bare, expected = timed_on(device, bare_transform, network, X, device)
        difference = max(difference, float(np.abs(codes - expected).max() / expected.std()))
        if turn:
            row["seconds"]["ours"].append(ours)
            row["seconds"]["loop"].append(bare)
    speed = ratio(row["seconds"]["loop"], row["seconds"]["ours"])
    rate = case.n_samples / median(row["seconds"]["ours"])
    return row | {"speed": speed, "rows_per_second": rate, "largest_difference": difference}
