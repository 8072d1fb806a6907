"""Claim: a detector with a likelihood for every kind of column finds more odd rows of a table.

Of 5 % of the rows of adult (2,000 of them) and german_credit the values of all columns, or of a
quarter of them, drawn for each row, are taken from other rows, every one from another: each value
is as frequent as it was, and what is odd is that they do not go together, as in a fraud.

mixed, plain VAE   the detector over TableEncoder() and a VAETransformer with the encoder's
                   likelihoods and noise_variance="per-feature"
mixed, own VAE     the same over a VAE as the detector's own: one layer, fifty steps, variance 0.1
encoder            the same over the codes alone, all numbers to a Gaussian
one-hot            the detector over its own VAE of standardised numbers and one-hot columns,
                   which is what mixed_tables.py finds best of one-hot columns
one-hot, scaled    the detector as it is, which standardises the one-hot columns too
IsolationForest    over the one-hot columns

Each is fitted to all rows and scores them, the detectors by the models that have not seen a row.

``--data`` is a folder with the tables, gzipped CSV with names in the first row, the class last.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by the libraries when they are imported

import warnings
from itertools import product
from time import process_time

import numpy as np
from _common import one_thread, print_machine, print_table, save
from _mixed_rows import cell, differences, labelled, mixed_vae, one_hot, options_of, rounded
from sklearn.ensemble import IsolationForest
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline

from skvae import AutoencoderOutlierDetector
from skvae.outlier.members import default_transformer
from skvae.tabular import TableEncoder

TABLES = ("adult", "german_credit")
N_ROWS, SHARE = 2000, 0.05
PLANTED = {"all columns": 1.0, "a quarter": 0.25}  # share of the columns that are swapped
MEASURES = {"auc": "ROC AUC", "average_precision": "average precision"}


def planted(X, share, seed):
    """Return a table, some rows of which have values of others, and which rows these are."""
    rng = np.random.default_rng(seed)
    odd = np.zeros(len(X), dtype=bool)
    odd[rng.choice(len(X), round(SHARE * len(X)), replace=False)] = True
    rows, usual = np.flatnonzero(odd), np.flatnonzero(~odd)
    n_columns = max(1, round(share * X.shape[1]))
    swapped = rng.random((len(rows), X.shape[1])).argsort(1) < n_columns
    X = X.copy()
    for place, name in enumerate(X):
        column = X[name].to_numpy(copy=True)
        here = rows[swapped[:, place]]
        column[here] = column[rng.choice(usual, len(here), replace=False)]
        X[name] = column
    return X, odd


def by_detector(transformer, X, seed):
    """Return anomaly scores of the rows that a detector is fitted to."""
    return -AutoencoderOutlierDetector(transformer, random_state=seed).fit(X).oob_scores_


def by_forest(X, seed):
    Z = one_hot(X).fit_transform(X)
    return -IsolationForest(random_state=seed).fit(Z).score_samples(Z)


def own_vae(X):
    """Return a VAE such as the detector has by itself for a table of so many rows."""
    return default_transformer(len(X) / 2, sparse=False)[-1]  # a model is fitted to half of them


def over_likelihoods(X):
    """Return the pipeline of a table and such a VAE with its likelihoods."""
    names = ("n_components", "hidden_layer_sizes", "noise_variance", "lr", "max_epochs")
    return mixed_vae(X, **{name: getattr(own_vae(X), name) for name in names})


def over_one_hot(X):
    """Return the pipeline of one-hot columns and such a VAE."""
    return make_pipeline(FrozenEstimator(one_hot(X).fit(X)), own_vae(X))


def over_codes(X):
    """Return the pipeline of a table and such a VAE without its likelihoods."""
    return make_pipeline(FrozenEstimator(TableEncoder().fit(X)), own_vae(X))


METHODS = {
    "mixed, plain VAE": lambda X, seed: by_detector(mixed_vae(X), X, seed),
    "mixed, own VAE": lambda X, seed: by_detector(over_likelihoods(X), X, seed),
    "encoder": lambda X, seed: by_detector(over_codes(X), X, seed),
    "one-hot": lambda X, seed: by_detector(over_one_hot(X), X, seed),
    "one-hot, scaled": lambda X, seed: by_detector(None, one_hot(X).fit_transform(X), seed),
    "IsolationForest": by_forest,
}


def measure(name, columns, method, seed, folder):
    """Return one row of results."""
    X, _ = labelled(name, folder, N_ROWS)
    X, odd = planted(X, PLANTED[columns], seed)
    started = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dimensions that collapse
        scores = METHODS[method](X, seed)
    seconds = process_time() - started
    measured = {"auc": roc_auc_score(odd, scores)}
    measured["average_precision"] = average_precision_score(odd, scores)
    case = {"table": name, "columns": columns, "method": method, "seed": seed}
    return {**case, **measured, "seconds": seconds}


def report(rows):
    """Print a line for each method, a column for each table and share of columns."""
    over = differences(rows, MEASURES, "method", "one-hot", ("table", "columns", "seed"))
    for key, title in MEASURES.items():
        report_measure(rows, key, title)
        report_measure(over, key, f"{title}, less that of one-hot")
    report_measure(rows, "seconds", "seconds of the processor", digits=1)


def report_measure(rows, key, title, digits=3):
    cases = list(product(TABLES, PLANTED))
    lines = []
    for method in METHODS:
        wanted = [
            {"table": table, "columns": columns, "method": method} for table, columns in cases
        ]
        lines.append([method, *(cell(rows, key, digits, **case) for case in wanted)])
    print(f"{title}, median over the seeds (least to greatest)\n")
    print_table(["method", *(f"{table}, {columns}" for table, columns in cases)], lines)


def main():
    folder, seeds, kept = options_of(__doc__)
    one_thread()
    print_machine()
    rows = [measure(*case, folder) for case in product(TABLES, PLANTED, METHODS, seeds)]
    report(rows)
    if kept:
        save("table_anomalies", rounded(rows))


if __name__ == "__main__":
    main()
