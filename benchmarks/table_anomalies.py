"""Claim: a detector with a likelihood for every kind of column finds more odd rows of a table.

The tables are adult (2,000 rows) and german_credit. 5 % of the rows are made odd. In an odd row,
the values of all columns, or of a random quarter of the columns, come from other rows, each value
from another row. So each value is as frequent as before, but the values do not fit together, as in
a fraud.

mixed, plain VAE   the detector with TableEncoder() and a VAETransformer that has the encoder's
                   likelihoods and noise_variance="per-feature"
mixed, own VAE     the same, with a VAE like the detector's default: one layer, fifty steps,
                   variance 0.1
encoder            the same VAE on the codes of the encoder, all with a Gaussian likelihood
one-hot            the detector with its default VAE, on standardised numbers and one-hot columns;
                   mixed_tables.py finds this best among one-hot columns
one-hot, scaled    the detector as it is, which also standardises the one-hot columns
IsolationForest    on the one-hot columns

Each method is fitted to all rows, and scores the same rows. A detector scores a row by the models
that have not seen it.

``--data`` is a folder with the tables: gzipped CSV, names in the first row, the class in the last
column.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import warnings
from itertools import product
from time import process_time

import numpy as np
from _common import one_thread, print_machine, print_table, rounded, save
from _mixed_rows import cell, differences, labelled, mixed_vae, one_hot, options_of
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
    """Return a table in which some rows have values of other rows, and a mask of these rows."""
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
    """Return a detector's anomaly scores of the rows of its own fit."""
    return -AutoencoderOutlierDetector(transformer, random_state=seed).fit(X).oob_scores_


def by_forest(X, seed):
    Z = one_hot(X).fit_transform(X)
    return -IsolationForest(random_state=seed).fit(Z).score_samples(Z)


def own_vae(X):
    """Return a VAE like the detector's default for a table with so many rows."""
    return default_transformer(len(X) / 2, sparse=False)[-1]  # each model is fitted to half of them


def over_likelihoods(X):
    """Return a pipeline of the encoder of a table and such a VAE, with its likelihoods."""
    names = ("n_components", "hidden_layer_sizes", "noise_variance", "lr", "max_epochs")
    return mixed_vae(X, **{name: getattr(own_vae(X), name) for name in names})


def over_one_hot(X):
    """Return a pipeline of one-hot columns and such a VAE."""
    return make_pipeline(FrozenEstimator(one_hot(X).fit(X)), own_vae(X))


def over_codes(X):
    """Return a pipeline of the encoder of a table and such a VAE, without its likelihoods."""
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
        warnings.simplefilter("ignore")  # dimensions may collapse
        scores = METHODS[method](X, seed)
    seconds = process_time() - started
    measured = {"auc": roc_auc_score(odd, scores)}
    measured["average_precision"] = average_precision_score(odd, scores)
    case = {"table": name, "columns": columns, "method": method, "seed": seed}
    return {**case, **measured, "seconds": seconds}


def report(rows):
    """Print a line for each method, with a column for each table and share of columns."""
    over = differences(rows, MEASURES, "method", "one-hot", ("table", "columns", "seed"))
    for key, title in MEASURES.items():
        report_measure(rows, key, title)
        report_measure(over, key, f"{title}, minus that of one-hot")
    report_measure(rows, "seconds", "processor time, seconds", digits=1)


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
