"""Claim: with default settings, no VAE loses all its dimensions on any table of a folder.

Every ``.npz`` file of the folder is a table. Only its key ``X`` is read. The number of rows is
limited, and the columns are standardised. The three variational estimators are fitted with default
settings. A dimension is active if the variance of the posterior's mean over the rows is above 0.01.
The tables used in development are from ADBench (https://github.com/Minqi824/ADBench,
datasets/Classical).
"""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from _common import make_parser, print_machine, print_table, save, save_picture
from joblib import Parallel, delayed
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer

MODELS = {
    "VAE": VAETransformer,
    "BetaVAE": BetaVAETransformer,
    "BetaTCVAE": BetaTCVAETransformer,
}
MOST_ROWS = 10_000
ACTIVE_VARIANCE = 0.01


def load(path):
    """Return at most ``MOST_ROWS`` rows of the table, standardised."""
    X = np.load(path)["X"]
    if len(X) > MOST_ROWS:
        X = X[np.random.default_rng(0).choice(len(X), MOST_ROWS, replace=False)]
    return StandardScaler().fit_transform(X)


def assess(estimator, X):
    """Fit the estimator, and return measures of its latent dimensions and of its density."""
    started = perf_counter()
    estimator.fit(X)
    seconds = perf_counter() - started
    mean, std = estimator.posterior(X)
    divergence = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(1)
    return {
        "n_components": estimator.n_components,
        "active": int((mean.var(0) > ACTIVE_VARIANCE).sum()),
        "kl": float(divergence.mean()),
        "noise_variance": estimator.noise_variance_,
        "score": estimator.score(X),
        "seconds": seconds,
    }


def measure(path):
    """Return the row of a table, with one entry for each model."""
    X = load(path)
    row = {"table": path.stem, "n_samples": X.shape[0], "n_features": X.shape[1]}
    return row | {name: assess(model(random_state=0), X) for name, model in MODELS.items()}


def cells(row, name):
    """Return a row of the printed table."""
    result = row[name]
    return [
        row["table"],
        name,
        str(row["n_samples"]),
        str(row["n_features"]),
        f"{result['active']} of {result['n_components']}",
        f"{result['kl']:.2f}",
        f"{result['noise_variance']:.4f}",
        f"{result['score']:.2f}",
        f"{result['seconds']:.1f}",
    ]


HEADER = ("table", "model", "n", "d", "active", "KL nats", "noise var.", "ELBO nats", "seconds")


def draw(axes, rows):
    """Draw the number of active dimensions for every table and model."""
    for shift, name in enumerate(MODELS):
        places = [place + 0.27 * (shift - 1) for place in range(len(rows))]
        axes.bar(places, [row[name]["active"] for row in rows], 0.25)
    axes.set_xticks(range(len(rows)), [row["table"] for row in rows], rotation=60, ha="right")
    axes.tick_params(labelsize=8)
    axes.set_ylabel("active dimensions")
    axes.figure.legend(MODELS, loc="outside upper right", frameon=False, fontsize=8, ncols=3)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of .npz files with key X")
    parser.add_argument("--n-jobs", type=int, default=1, help="tables at a time (default: 1)")
    arguments = parser.parse_args()
    paths = sorted(arguments.data.glob("*.npz"))
    if not paths:
        parser.error(f"--data must name a folder of .npz files. Got {arguments.data} instead.")
    print_machine()
    rows = Parallel(n_jobs=arguments.n_jobs)(delayed(measure)(path) for path in paths)
    print_table(HEADER, [cells(row, name) for row in rows for name in MODELS], n_left=2)
    save("defaults", rows, most_rows=MOST_ROWS, active_variance=ACTIVE_VARIANCE, random_state=0)
    save_picture("defaults", lambda axes: draw(axes, rows), height=4.0)
    collapsed = [
        f"{name} on {row['table']}" for row in rows for name in MODELS if not row[name]["active"]
    ]
    if collapsed:
        sys.exit(f"Every dimension collapsed: {', '.join(collapsed)}.")
    print("No model lost all its dimensions.")


if __name__ == "__main__":
    main()
