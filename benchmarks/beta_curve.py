"""Claim: along beta, warm starts take half the time of independent fits, with an equal bound.

The bound is the evidence lower bound. The data are scikit-learn's digits, and with ``--data`` also
the first 5,000 rows of MNIST, in [0, 1]. A beta-VAE is trained until it hardly improves. For
several seeds, ``beta_curve`` runs with and without warm starts. A loop of warm starts from the
greatest beta downwards is also measured. Times are processor times. All measures are on the
training rows.

The columns "up" and "down" are medians over the seeds of a difference: warm fit minus independent
fit. "seeds" is the range of the independent fits over the seeds. The column "objective, up" is
about the loss of training. There a negative difference is better.
"""

from math import ceil
from pathlib import Path
from time import process_time

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
from _mnist import load
from sklearn.base import clone
from sklearn.datasets import load_digits

from skvae import BetaVAETransformer
from skvae.metrics import latent_summary
from skvae.model_selection import beta_curve

BETAS = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]
SETTING = {"n_components": 5, "lr": 3e-3}
EPOCHS = {"digits": 300, "MNIST": 60}
N_MNIST = 5_000
WARM_EPOCHS = 0.3
TARGETS = {"time": 0.5, "nats": 0.1, "range": 0.01}
WAYS = ("independent", "up", "down")
NAMES = ("elbo", "kl", "active_units")
HEADER = ("beta", "ELBO", "seeds", "up", "down", "KL", "up", "objective, up", "active", "up")


def measures(estimator, X, seed, way):
    """Return the bound, the divergence and the active units along BETAS, and the seconds."""
    started = process_time()
    if way == "down":
        curve = go_down(clone(estimator).set_params(random_state=seed), X)
    else:
        warm = {"warm_start": way == "up", "warm_epochs": WARM_EPOCHS}
        curve = beta_curve(estimator, X, betas=BETAS, random_state=seed, **warm)
    seconds = process_time() - started
    arrays = (np.asarray(curve[name]) if way == "down" else getattr(curve, name) for name in NAMES)
    return {"seconds": seconds, **dict(zip(NAMES, (a.tolist() for a in arrays), strict=True))}


def go_down(warm, X):
    """Return the measures of warm starts from the greatest beta down, in the order of BETAS."""
    warm.set_params(warm_start=True)
    epochs, rows = ceil(WARM_EPOCHS * warm.max_epochs), []
    for beta in reversed(BETAS):
        summary = latent_summary(warm.set_params(beta=beta).fit(X), X)
        rows.append((warm.score(X), summary["kl"].sum(), summary["active"].sum()))
        warm.set_params(max_epochs=epochs)
    return dict(zip(NAMES, zip(*reversed(rows), strict=True), strict=True))


def compare(name, X, epochs, seeds):
    """Return one row for every seed and way."""
    estimator = BetaVAETransformer(**SETTING, max_epochs=epochs)
    return [
        {"data": name, "seed": seed, "way": way, **measures(estimator, X, seed, way)}
        for seed in seeds
        for way in WAYS
    ]


def table(rows, way, name):
    """Return a measure of one way, with shape (n_seeds, n_betas)."""
    return np.array([row[name] for row in rows if row["way"] == way])


def print_curves(rows):
    """Print the curves of one data set, and whether they reach the targets."""
    alone, kl, active = (table(rows, "independent", name) for name in NAMES)
    up, kl_up, active_up = (table(rows, "up", name) for name in NAMES)
    down = table(rows, "down", "elbo")
    spread = alone.max(0) - alone.min(0)
    weights = np.array(BETAS) - 1
    gain = np.median(up - alone, 0), np.median((kl_up - kl) * weights - (up - alone), 0)
    columns = [
        np.median(alone, 0),
        *(spread, gain[0], np.median(down - alone, 0)),
        *(np.median(kl, 0), np.median(kl_up - kl, 0), gain[1]),
        *(np.median(active, 0), np.median(active_up, 0)),
    ]
    numbers = [[f"{value:.2f}" for value in column] for column in columns[:-2]]
    numbers += [[f"{value:.0f}" for value in column] for column in columns[-2:]]
    print_table(HEADER, list(zip([f"{beta:g}" for beta in BETAS], *numbers, strict=True)))
    times = {way: np.array([row["seconds"] for row in rows if row["way"] == way]) for way in WAYS}
    ratio = np.median(times["up"] / times["independent"])
    allowed = max(TARGETS["nats"], TARGETS["range"] * np.ptp(np.median(alone, 0)))
    worst, noise = np.abs(gain[0]).max(), spread.max()
    print(", ".join(f"{way} {np.median(times[way]):.1f} s" for way in WAYS))
    print(f"time, up / independent: {ratio:.2f}; target at most {TARGETS['time']}")
    print(f"greatest ELBO difference: {worst:.2f} nats; target {allowed:.2f}; seeds {noise:.2f}\n")


def draw(axes, rows):
    """Draw rate against distortion, with a point for each beta: the median over the seeds."""
    for name in dict.fromkeys(row["data"] for row in rows):
        of_data = [row for row in rows if row["data"] == name]
        curves = {}
        for way in WAYS[:2]:
            kl, elbo = (np.median(table(of_data, way, key), 0) for key in ("kl", "elbo"))
            curves[way] = kl, -elbo - kl
        least = min(distortion.min() for _, distortion in curves.values())
        for (way, (kl, distortion)), style in zip(curves.items(), ("o-", "x--"), strict=True):
            axes.plot(kl, distortion - least, style, label=f"{name}, {way}")
    axes.set_xlabel("rate: KL, nats")
    axes.set_ylabel("distortion minus its least, nats")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="mnist.npz, or its folder")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 (default 3)")
    parser.add_argument("--epochs", type=int, help="epochs for digits (default: 300)")
    arguments = parser.parse_args()
    epochs = EPOCHS | ({"digits": arguments.epochs} if arguments.epochs else {})
    suffix = f"_{arguments.epochs}" if arguments.epochs else ""
    one_thread()
    print_machine()
    tables = {"digits": load_digits().data / 16}
    data = load(arguments.data) if arguments.data else None
    if data is not None:
        tables["MNIST"] = data["X_train"][:N_MNIST]
    rows = []
    for name, X in tables.items():
        print(f"{name}: {X.shape[0]} rows, {epochs[name]} epochs, warm starts {WARM_EPOCHS} of it")
        rows += compare(name, X, epochs[name], range(arguments.seeds))
        print_curves([row for row in rows if row["data"] == name])
    setting = SETTING | {"betas": BETAS, "epochs": epochs, "warm_epochs": WARM_EPOCHS}
    save(f"beta_curve{suffix}", rows, **setting)
    save_picture(f"beta_curve{suffix}", lambda axes: draw(axes, rows))


if __name__ == "__main__":
    main()
