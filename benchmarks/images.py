"""Claim: image networks train as fast as a hand-written loop.

The images are in colour, 64 x 64. Everything runs in one process on one thread. Times are processor
times, which equal those of a clock on an idle machine. The contenders run in turn. There are two
measurements:

1. ``fit`` is compared with a plain loop over the same network. Its first and last passes are
   included. The target is at most 1.05 of the loop's time. ``transform`` is compared with the bare
   network under ``inference_mode``. The target is at least 0.9 of its throughput (20,000 images,
   float32).
2. The number of images per second in training.

``image_frontier.py`` measures which network is best for a given training time.

``--data`` names an .npz file with ``X`` (n, 64, 64, 3) or (n, 64, 64), uint8.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import copy
from pathlib import Path
from statistics import median

import numpy as np
import torch
from _common import make_parser, one_thread, print_machine, print_table, save, timed
from torch.nn import functional

from skvae import AutoencoderTransformer, VAETransformer
from skvae.nn.objectives import BetaObjective

BATCH_SIZE = 128
N_COMPONENTS = 32
LEARNING_RATE = 1e-3
# Numbers of images and of epochs in the timed fits.
SIZES = {"residual": (1024, 10), "hybrid": (1024, 30), "paper": (256, 10)}


def load(path):
    """Return the images as shuffled rows of bytes, and their shape."""
    X = np.load(path)["X"]
    shape = (*X.shape[1:], 1)[:3]
    return np.random.default_rng(0).permutation(X.reshape(len(X), -1)), shape


def make(model, shape, **parameters):
    """Return an estimator of images."""
    settings = {"batch_size": BATCH_SIZE, "lr": LEARNING_RATE, "random_state": 0}
    return model(N_COMPONENTS, image_shape=shape, **{**settings, **parameters})


# ------------------------------------------------------------------ fit and transform


def loop(module, variational, X, epochs):
    """Train a network by a plain loop. The data are one tensor in memory."""
    X = torch.from_numpy(X)
    objective = BetaObjective()
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARNING_RATE, fused=True)
    module.train()
    total = 0.0
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), BATCH_SIZE):
            x = X[order[start : start + BATCH_SIZE]]
            output = module(x)
            if variational:
                loss = objective(output, x)
            else:
                loss = functional.mse_loss(output["likelihood"].mean, x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)


def bare_transform(module, X):
    """Return the codes by the network alone."""
    codes = []
    with torch.inference_mode():
        for start in range(0, len(X), BATCH_SIZE):
            codes.append(module.code(torch.from_numpy(X[start : start + BATCH_SIZE])))
    return torch.cat(codes).numpy()


def measure_overhead(X, shape, *, repeats):
    """Return the rows of fit and transform: our time divided by that of the plain loop."""
    rows = []
    X = (X[:4096] / np.float32(255)).astype(np.float32)
    many = np.resize(X, (20_000, X.shape[1]))
    for architecture, (n_images, epochs) in SIZES.items():
        for model in (AutoencoderTransformer, VAETransformer):
            start = make(model, shape, architecture=architecture, max_epochs=1, lr=1e-12)
            network = start.fit(X[:BATCH_SIZE]).net_.module_
            few = X[:n_images]
            ratios = []
            for _ in range(repeats):
                ours = make(model, shape, architecture=architecture, max_epochs=epochs)
                seconds, _ = timed(ours.fit, few)
                plain = copy.deepcopy(network)
                of_loop, _ = timed(loop, plain, model is VAETransformer, few, epochs)
                ratios.append(seconds / of_loop)
            rows.append(
                {
                    "architecture": architecture,
                    "model": model.__name__,
                    "fit": median(ratios),
                    "fit_ratios": ratios,
                    "n_images": n_images,
                    "epochs": epochs,
                    "images_per_second": len(few) * epochs / seconds,
                }
            )
        images = many[:4_000] if architecture == "paper" else many
        network = ours.net_.module_.eval()
        rates = [
            timed(bare_transform, network, images)[0] / timed(ours.transform, images)[0]
            for _ in range(repeats)
        ]
        rows[-1] |= {"transform": median(rates), "transform_ratios": rates}
    return rows


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help=".npz file with key X")
    parser.add_argument("--repeats", type=int, default=5, help="number of repetitions (default 5)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    X, shape = load(arguments.data)
    overhead = measure_overhead(X, shape, repeats=arguments.repeats)
    print_table(
        ("network", "model", "fit / loop", "transform / bare", "images / s"),
        [
            [
                row["architecture"],
                row["model"],
                f"{row['fit']:.2f}",
                f"{row['transform']:.2f}" if "transform" in row else "",
                f"{row['images_per_second']:.0f}",
            ]
            for row in overhead
        ],
        n_left=2,
    )
    name = f"images-{arguments.data.stem}"
    save(name, overhead, n_components=N_COMPONENTS, batch_size=BATCH_SIZE)


if __name__ == "__main__":
    main()
