"""Claim: no batch size from 64 to 2,048 makes a beta-TCVAE separate factors better than the others.

If the divergence exceeds the logarithm of the batch size, the gradient of the mini-batch's total
correlation is that of the whole divergence, and the model is a beta-VAE. So batches of 64 to 2,048
rows are compared, with default settings otherwise. They are compared at equal epochs, and at equal
steps: as many steps as batches of 256 have in those epochs. A VAE with the same epochs is also
shown.

The data are scikit-learn's digits, with a quarter held out. With ``--data``, 4,096 sprites and
4,096 avatars are also used, and the others are held out. The folder has ``lpc_sprites64.npz`` and
``avatars64.npz``, with ``X`` (n, 64, 64, 3), uint8, and ``factors``. The images are reduced to 16 x
16 pixels, as means of 4 x 4 pixels. So the default network learns them in seconds, and the batches
take most of the time.

Divergence and Gaussian total correlation are measured on the training rows. The squared error and
the mutual information gap (MIG) are measured on held-out rows. For digits, the accuracy of a
logistic regression on standardised codes replaces the gap. Seconds are processor time, with large
memory pages in torch. Without these, large batches take up to 1.5 times as long.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported
os.environ["THP_MEM_ALLOC_ENABLE"] = "1"

from dataclasses import asdict, dataclass
from math import ceil, log
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
from _disentanglement_measures import spread
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAETransformer, VAETransformer
from skvae.metrics import gaussian_total_correlation, latent_summary, mutual_information_gap

BATCHES = (64, 128, 256, 512, 1024, 2048)
DEFAULT = 256
EPOCHS = {"digits": 100, "sprites": 20, "avatars": 20}
FILES = {"sprites": "lpc_sprites64.npz", "avatars": "avatars64.npz"}
N_IMAGES = 4096
BLOCK = 4  # block of 4 x 4 pixels that becomes one pixel
REGIMES = ("equal epochs", "equal steps")
NAMES = ("kl", "error", "score", "gaussian_tc", "seconds")
HEADER = ("model", "batch", "epochs", "steps", "log batch", "KL", "squared error")


@dataclass(frozen=True)
class Rows:
    """Rows in [0, 1] with labels (n,) or factors (n, n_factors), and held-out rows."""

    X: np.ndarray
    known: np.ndarray
    X_out: np.ndarray
    known_out: np.ndarray

    @property
    def measure(self):
        """The name of the score of the codes."""
        return "accuracy" if self.known.ndim == 1 else "MIG"


@dataclass(frozen=True)
class Fit:
    """The settings of a fit. A VAE has no beta."""

    model: str
    beta: float | None
    batch_size: int
    epochs: int
    seed: int

    def estimator(self):
        """Return the estimator, unfitted."""
        setting = {
            "batch_size": self.batch_size,
            "max_epochs": self.epochs,
            "random_state": self.seed,
        }
        if self.beta is None:
            return VAETransformer(**setting)
        return BetaTCVAETransformer(beta=self.beta, **setting)


def load(name, folder):
    """Return the rows of a set. The same rows are held out for every fit."""
    if name == "digits":
        X, known = load_digits(return_X_y=True)
        X, n_rows = X / 16, len(X) * 3 // 4
    else:
        with np.load(folder / FILES[name]) as content:
            X, known = reduced(content["X"]), content["factors"]
        n_rows = N_IMAGES
    order = np.random.default_rng(0).permutation(len(X))
    rows, out = np.split(order, [n_rows])
    return Rows(X[rows], known[rows], X[out], known[out])


def reduced(images):
    """Return images as flat rows in [0, 1]. Every pixel is the mean of a block."""
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels)
    return blocks.mean((2, 4), dtype=np.float32).reshape(n, -1) / 255


def plan(n_rows, epochs, beta, seeds):
    """Return {fit: its regime}, or "both" if a fit belongs to both regimes."""
    steps = epochs * ceil(n_rows / DEFAULT)
    fits = {Fit("VAE", None, DEFAULT, epochs, seed): "both" for seed in seeds}
    for regime in REGIMES:
        for size in BATCHES:
            n_epochs = epochs
            if regime == "equal steps":
                n_epochs = max(1, round(steps / ceil(n_rows / size)))
            for seed in seeds:
                fit = Fit("beta-TCVAE", beta, size, n_epochs, seed)
                fits[fit] = "both" if fit in fits else regime
    return fits


def assess(fit, rows):
    """Fit the model, and return the measures."""
    one_thread()
    estimator = fit.estimator()
    started = process_time()
    estimator.fit(rows.X)
    seconds = process_time() - started
    n_rows = len(rows.X)
    return {
        "steps": fit.epochs * ceil(n_rows / fit.batch_size),
        "log_batch": log(min(fit.batch_size, n_rows)),
        "kl": float(latent_summary(estimator, rows.X)["kl"].sum()),
        "error": float(estimator.reconstruction_error(rows.X_out).mean()),
        "measure": rows.measure,
        "score": float(score(estimator, rows)),
        "gaussian_tc": float(gaussian_total_correlation(estimator, rows.X)),
        "seconds": seconds,
    }


def score(estimator, rows):
    """Return the gap of the codes of held-out rows, or the accuracy of labels that they predict."""
    codes = estimator.transform(rows.X_out)
    if rows.measure == "MIG":
        return mutual_information_gap(rows.known_out, codes)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(estimator.transform(rows.X), rows.known)
    return classifier.score(codes, rows.known_out)


def of_regime(rows, regime):
    """Return {(model, batch size): its rows} of one regime, with the VAE first."""
    groups = {}
    for row in sorted(rows, key=lambda row: (row["beta"] is not None, row["batch_size"])):
        if row["regime"] in (regime, "both"):
            groups.setdefault((row["model"], row["batch_size"]), []).append(row)
    return groups


def middle(group, name):
    """Return the median of a measure over the seeds."""
    return median(row[name] for row in group)


def print_regime(rows, regime):
    """Print the table of a set and regime, and which batch size has the greatest score."""
    groups = of_regime(rows, regime)
    first = rows[0]
    print(f"{first['data']}, {regime}")
    cells = [
        [
            model,
            str(size),
            *(str(group[0][name]) for name in ("epochs", "steps")),
            f"{group[0]['log_batch']:.1f}",
            *(spread([row[name] for row in group]) for name in NAMES),
        ]
        for (model, size), group in groups.items()
    ]
    print_table((*HEADER, first["measure"], "Gaussian TC", "seconds"), cells)
    scores = {
        size: middle(group, "score") for (model, size), group in groups.items() if model != "VAE"
    }
    best = max(scores, key=scores.get)
    of_default = [row["score"] for row in groups["beta-TCVAE", DEFAULT]]
    print(
        f"Greatest {first['measure']}: batches of {best}, {scores[best]:.3f}; of {DEFAULT}, "
        f"{scores[DEFAULT]:.3f}; range of its seeds {np.ptp(of_default):.3f}\n",
        flush=True,
    )


def draw(axes, rows):
    """Draw score and divergence over the batch size, with a panel for each set."""
    figure = axes.figure
    axes.remove()
    sets = list(dict.fromkeys(row["data"] for row in rows))
    for panel, name in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets, strict=True):
        draw_set(panel, [row for row in rows if row["data"] == name])
    handles = [line for side in (panel, figure.axes[-1]) for line in side.get_lines()]
    handles = [line for line in handles if not line.get_label().startswith("_")]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        frameon=False,
        ncols=min(4, 2 * len(sets)),
        fontsize=8,
    )


def draw_set(panel, rows):
    """Draw one panel, with the score on the left axis and the divergence on the right axis."""
    divergence = panel.twinx()
    limits = sorted({(row["batch_size"], row["log_batch"]) for row in rows})
    divergence.plot(*zip(*limits, strict=True), ":", color="grey", label="log(batch size)")
    sides = ((panel, "score", "C0", rows[0]["measure"]), (divergence, "kl", "C1", "KL, nats"))
    for side, name, colour, label in sides:
        for regime, style in zip(REGIMES, ("o-", "s--"), strict=True):
            groups = of_regime(rows, regime)
            points = [
                (size, middle(group, name))
                for (model, size), group in groups.items()
                if model != "VAE"
            ]
            text = f"{name.replace('kl', 'KL')}, {regime}"
            side.plot(*zip(*points, strict=True), style, color=colour, markersize=4, label=text)
        vae = middle(groups["VAE", DEFAULT], name)
        text = f"{name.replace('kl', 'KL')}, VAE"
        side.plot(DEFAULT, vae, "x", color=colour, label=text)
        side.set_ylabel(label, color=colour)
        side.set_ylim(0, 1.1 * side.dataLim.y1)
    panel.set_xscale("log", base=2)
    panel.set_xticks(BATCHES, BATCHES, rotation=45, fontsize=8)
    panel.set_xlabel("batch size")
    panel.set_title(rows[0]["data"], fontsize=9)


def parse():
    """Return the arguments, with the names of the available sets."""
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of lpc_sprites64.npz and avatars64.npz")
    parser.add_argument("--sets", nargs="+", choices=EPOCHS, help="default: all with data")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 (default 3)")
    parser.add_argument("--n-jobs", type=int, default=1, help="fits at a time (default: 1)")
    beta = BetaTCVAETransformer().beta
    parser.add_argument("--beta", type=float, default=beta, help=f"beta (default {beta:g})")
    arguments = parser.parse_args()
    there = ["digits"]
    if arguments.data is not None:
        there += [name for name, file in FILES.items() if (arguments.data / file).exists()]
    missing = [name for name in arguments.sets or () if name not in there]
    if missing:
        parser.error(f"--data must name a folder with {FILES[missing[0]]}. It has none.")
    arguments.sets = [name for name in EPOCHS if name in (arguments.sets or there)]
    return arguments


def main():
    arguments = parse()
    print_machine()
    if left_out := [name for name in EPOCHS if name not in arguments.sets]:
        print(f"Left out: {', '.join(left_out)}.", end="\n\n")
    rows = []
    for name in arguments.sets:
        data = load(name, arguments.data)
        fits = plan(len(data.X), EPOCHS[name], arguments.beta, range(arguments.seeds))
        measures = Parallel(n_jobs=arguments.n_jobs)(delayed(assess)(fit, data) for fit in fits)
        of_set = [
            {"data": name, "regime": regime, **asdict(fit), **measured}
            for (fit, regime), measured in zip(fits.items(), measures, strict=True)
        ]
        for regime in REGIMES:
            print_regime(of_set, regime)
        rows += of_set
    suffix = "" if len(arguments.sets) == len(EPOCHS) else f"-{'-'.join(arguments.sets)}"
    if arguments.beta != BetaTCVAETransformer().beta:
        suffix += f"-beta{arguments.beta:g}"
    name = f"tc_batches{suffix}"
    save(name, rows, beta=arguments.beta, epochs=EPOCHS, n_images=N_IMAGES)
    width = 3.6 * len(arguments.sets) + 0.8
    save_picture(name, lambda axes: draw(axes, rows), width=width, height=3.8)


if __name__ == "__main__":
    main()
