"""Claim: with defaults, a VAE's bound of log p of new rows is above the log p of probabilistic PCA.

For every seed, a random split has three quarters of the rows for the fit. The other rows are
scored. The seed is also that of the model. Models have ten components, or two for iris. All other
settings are defaults, except 30 epochs for MNIST (4,800 rows in the fit). Columns of tables are
standardised by the rows of the fit. Pixels are divided by the largest possible value. iris is not
scaled.

"linear VAE" has no hidden layers. Its optimum is probabilistic PCA. "PCA" is probabilistic PCA with
the maximum-likelihood noise variance (Tipping and Bishop, 1999). The score of scikit-learn's PCA
uses that variance only if there are more rows than columns.

``--data`` is a folder with ``adbench/*.npz`` (key ``X``), ``mnist.npz`` (``X_train``) and
``olivetti64.npz`` (``X``). Without it, only scikit-learn's own data sets are used.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
from _common import make_parser, median_and_range, one_thread, print_machine, print_table, save
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skvae import BetaVAETransformer, VAETransformer

N_COMPONENTS = {"iris": 2}
MAX_EPOCHS = {"mnist": 30}
MNIST_ROWS = 6_400
MODELS = {
    "VAE": VAETransformer,
    "linear VAE": partial(VAETransformer, hidden_layer_sizes=()),
    "beta-VAE": BetaVAETransformer,
}


class ProbabilisticPCA:
    """Probabilistic PCA with the greatest likelihood."""

    def __init__(self, n_components):
        self.n_components = n_components

    def fit(self, X):
        """Find the directions, their variances, and the remaining variance."""
        n_samples, n_features = X.shape
        self.mean = X.mean(0)
        _, singular, directions = np.linalg.svd(X - self.mean, full_matrices=False)
        variances = singular**2 / n_samples
        self.directions = directions[: self.n_components]
        self.variances = variances[: self.n_components]
        self.noise = variances[self.n_components :].sum() / (n_features - self.n_components)
        return self

    def score(self, X):
        """Return the mean log-density of rows, in nats."""
        X = X - self.mean
        codes = X @ self.directions.T
        n_left = X.shape[1] - self.n_components
        logs = np.log(self.variances).sum() + n_left * np.log(self.noise)
        left = (X**2).sum(1) - (codes**2).sum(1)
        squares = (codes**2 / self.variances).sum(1) + left / self.noise
        return float(-0.5 * (X.shape[1] * np.log(2 * np.pi) + logs + squares).mean())


def load(name, folder):
    """Return the rows of a set, or None without its file."""
    if name == "digits":
        return datasets.load_digits().data / 16
    if name in ("iris", "wine", "breast_cancer"):
        return getattr(datasets, f"load_{name}")().data
    if folder is None:
        return None
    if name == "mnist":
        with np.load(folder / "mnist.npz") as content:
            return content["X_train"][:MNIST_ROWS].reshape(MNIST_ROWS, -1) / 255
    if name == "olivetti":
        with np.load(folder / "olivetti64.npz") as content:
            return content["X"].reshape(len(content["X"]), -1) / 255
    (path,) = (folder / "adbench").glob(f"*_{name}.npz")
    with np.load(path) as content:
        return content["X"].astype(np.float64)


TABLES = ("wine", "breast_cancer", "glass", "cardio", "pendigits", "satimage-2")
SETS = ("iris", *TABLES[:2], "digits", *TABLES[2:], "olivetti", "mnist")


def measure(name, X, seed):
    """Return {model: score of the held-out rows}, and the seconds of the fits."""
    train, test = train_test_split(X, random_state=seed)
    if name in TABLES:
        scaler = StandardScaler().fit(train)
        train, test = scaler.transform(train), scaler.transform(test)
    n_components = min(N_COMPONENTS.get(name, 10), X.shape[1] - 2)
    scores = {"PCA": ProbabilisticPCA(n_components).fit(train).score(test)}
    seconds = {}
    for model, make in MODELS.items():
        estimator = make(n_components, max_epochs=MAX_EPOCHS.get(name, 100), random_state=seed)
        started = process_time()
        estimator.fit(train.astype(np.float32))
        seconds[model] = process_time() - started
        scores[model] = estimator.score(test.astype(np.float32))
    return {"set": name, "seed": seed, "n_fitted": len(train), "scores": scores, "seconds": seconds}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder of files; without it, fewer sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seeds", type=int, default=3, help="splits (default: 3)")
    arguments = parser.parse_args()
    one_thread()
    print_machine()
    rows, table = [], []
    for name in arguments.sets:
        X = load(name, arguments.data)
        if X is None:
            print(f"{name}: left out, as it needs --data.")
            continue
        of_set = [measure(name, X, seed) for seed in range(arguments.seeds)]
        rows += of_set
        scores = [
            median_and_range([row["scores"][model] for row in of_set], ".2f")
            for model in ("PCA", *MODELS)
        ]
        seconds = median(row["seconds"]["VAE"] for row in of_set)
        table.append([name, str(of_set[0]["n_fitted"]), *scores, f"{seconds:.1f}"])
    print_table(["set", "rows", "PCA", *MODELS, "seconds, VAE"], table)
    save("held_out", rows, sets=list(arguments.sets), seeds=arguments.seeds)


if __name__ == "__main__":
    main()
