"""Claim: one-hot columns that are not scaled serve the detector well on tables with categories.

A ColumnTransformer inside the detector encodes each row as numbers. It standardises the numeric
columns. It encodes categories in one of these ways:

one-hot             columns of 0 and 1, not scaled
one-hot, scaled     the same columns, standardised
log frequency       one column: the log of the frequency of the category in the rows of the fit,
                    standardised; a new category counts as seen zero times
both                one-hot and log frequency together
ordinal             one column: the index of the category in alphabetical order, standardised

The detector uses its default VAE. IsolationForest is compared, with the same encodings. Both are
fitted to all rows, and score the same rows. The detector scores a row by the models that have not
seen it.

The tasks are:

- rare class: all rows of one class of adult and of german_credit (UCI Machine Learning Repository),
  and some of the other class. The latter are 5 % of the rows, and are the anomalies.
- swapped: all rows of these tables. 5 % of the rows are the anomalies. Each of their categories is
  replaced by that of another row, column by column.
- payments: made-up payments, 2 % of them fraud.

``--data`` is a folder with adult.csv.gz and german_credit.csv.gz. The first row has the names, and
the last column has the class. Without it, only the payments are used.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import warnings
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from _common import (
    make_parser,
    one_thread,
    print_machine,
    print_table,
    rounded,
    rows_of,
    save,
    save_picture,
)
from _mixed_tables_tasks import NEEDS_FILES, TASKS
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skvae import AutoencoderOutlierDetector

MEASURES = {"auc": "ROC AUC", "average_precision": "average precision"}
METHODS = ("detector", "IsolationForest")


class LogFrequencies(TransformerMixin, BaseEstimator):
    """Replaces each category by the log of its frequency in the rows of the fit."""

    def fit(self, X, y=None):
        X = X.astype(object).where(X.notna(), "missing")
        self.counts_ = {name: X[name].value_counts() for name in X}
        self.n_samples_ = len(X)
        return self

    def transform(self, X):
        X = X.astype(object).where(X.notna(), "missing")
        counts = [X[name].map(self.counts_[name]).fillna(0) for name in X]
        return np.log((np.column_stack(counts).astype(float) + 1) / (self.n_samples_ + 1))


def one_hot():
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def log_frequency():
    return make_pipeline(LogFrequencies(), StandardScaler())


def ordinal():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(encoder, StandardScaler())


ENCODINGS = {
    "one-hot": [one_hot()],
    "one-hot, scaled": [make_pipeline(one_hot(), StandardScaler())],
    "log frequency": [log_frequency()],
    "both": [one_hot(), log_frequency()],
    "ordinal": [ordinal()],
}


def table_encoder(encoding):
    """Return the encoder of a frame: scaled numbers beside encoded categories."""
    numbers = make_column_selector(dtype_include="number")
    categories = make_column_selector(dtype_exclude="number")
    of_categories = [(clone(encoder), categories) for encoder in ENCODINGS[encoding]]
    return make_column_transformer((StandardScaler(), numbers), *of_categories)


def default_vae():
    """Return the VAE, unfitted, that the detector uses by default."""
    detector = AutoencoderOutlierDetector(random_state=0).fit(np.eye(9))
    return clone(detector.estimators_[0][-1]).set_params(random_state=None)


def scores_of(method, encoding, X, seed):
    """Return anomaly scores of the rows of the fit."""
    encoder = table_encoder(encoding)
    if method == "IsolationForest":
        Z = encoder.fit_transform(X)
        return -IsolationForest(random_state=seed).fit(Z).score_samples(Z)
    transformer = make_pipeline(encoder, default_vae())
    return -AutoencoderOutlierDetector(transformer, random_state=seed).fit(X).oob_scores_


def measure(task, method, encoding, seed, folder):
    """Return one row of results."""
    X, anomalous = TASKS[task](folder, seed)
    started = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dimensions may collapse
        scores = scores_of(method, encoding, X, seed)
    return {
        "task": task,
        "method": method,
        "encoding": encoding,
        "seed": seed,
        "n_samples": len(X),
        "n_columns": X.shape[1],
        "auc": roc_auc_score(anomalous, scores),
        "average_precision": average_precision_score(anomalous, scores),
        "seconds": process_time() - started,
    }


def median(rows, key, **wanted):
    """Return the median of an entry over the rows whose other entries have the wanted values."""
    return np.median([row[key] for row in rows_of(rows, **wanted)])


def report(rows, tasks, key):
    """Print one line for each method and encoding, with a column for each task and the mean."""
    lines = []
    for method, encoding in product(METHODS, ENCODINGS):
        values = [median(rows, key, method=method, encoding=encoding, task=task) for task in tasks]
        lines.append([method, encoding, *(f"{value:.3f}" for value in (*values, np.mean(values)))])
    print(f"{MEASURES[key]}, median over the seeds\n")
    print_table(["method", "categories", *tasks, "mean"], lines, n_left=2)


def draw(axes, rows, tasks):
    """Draw the median ROC AUC for every task, method and encoding."""
    for place, (method, encoding) in enumerate(product(METHODS, ENCODINGS)):
        values = [
            median(rows, "auc", method=method, encoding=encoding, task=task) for task in tasks
        ]
        colour, of_forest = f"C{place % len(ENCODINGS)}", method != METHODS[0]
        style = {"color": colour, "marker": "x" if of_forest else "o", "linestyle": "none"}
        shift = 0.12 * (place % len(ENCODINGS) - (len(ENCODINGS) - 1) / 2)
        label = None if of_forest else encoding
        axes.plot(np.arange(len(tasks)) + shift, values, label=label, **style)
    axes.plot([], [], "kx", label="IsolationForest, each encoding")
    axes.axhline(0.5, color="grey", linewidth=0.8)
    axes.set_xticks(range(len(tasks)), [task.replace(", ", ",\n") for task in tasks], fontsize=8)
    axes.set_ylabel("ROC AUC, median")
    axes.figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder with adult and german_credit .csv.gz")
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed")
    arguments = parser.parse_args()
    tasks = [task for task in TASKS if arguments.data or task not in NEEDS_FILES]
    n_seeds = 1 if arguments.quick else arguments.n_seeds
    one_thread()
    print_machine()
    rows = [
        measure(task, method, encoding, seed, arguments.data)
        for task, seed, method, encoding in product(tasks, range(n_seeds), METHODS, ENCODINGS)
    ]
    for key in MEASURES:
        report(rows, tasks, key)
    seconds = sum(row["seconds"] for row in rows_of(rows, method=METHODS[0]))
    print(f"detector: {seconds / n_seeds:.0f} s for all tasks and encodings")
    save("mixed_tables", rounded(rows))
    save_picture("mixed_tables", lambda axes: draw(axes, rows, tasks), width=8.0, height=3.6)


if __name__ == "__main__":
    main()
