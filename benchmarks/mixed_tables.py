"""Claim: one-hot columns, not scaled, serve the detector on tables with categories.

A ColumnTransformer inside the detector makes numbers of each row. The numeric columns are
standardised; the categories become, by

one-hot             columns of 0 and 1, as they are
one-hot, scaled     the same, standardised
log frequency       one column, the log of how frequent the category is among the rows fitted,
                    standardised; a category that was not among them counts as seen zero times
both                one-hot beside log frequency
ordinal             one column, the category's number in alphabetical order, standardised

Beside the detector, its VAE as it is by itself, is IsolationForest on the same encodings. Both are
fitted to all rows and score them: the detector by the models that have not seen a row.

The tasks: of adult and of german_credit (UCI Machine Learning Repository) all rows of one class
with so few of the other that these are 5 %, and all rows of which 5 % have their categories
swapped with those of other rows, column by column; and made-up payments, of which 2 % are fraud.
``--data`` is a folder with adult.csv.gz and german_credit.csv.gz, first row names, last column the
class. Without it the payments are all.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # read by the libraries when they are imported

import warnings
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
from _common import make_parser, one_thread, print_machine, print_table, save, save_picture
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
    """Replace each category by the log of how frequent it is in the rows fitted."""

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
    """Return what makes numbers of a frame: scaled numbers beside encoded categories."""
    numbers = make_column_selector(dtype_include="number")
    categories = make_column_selector(dtype_exclude="number")
    of_categories = [(clone(encoder), categories) for encoder in ENCODINGS[encoding]]
    return make_column_transformer((StandardScaler(), numbers), *of_categories)


def default_vae():
    """Return, not fitted, the VAE of a detector that is given no transformer."""
    detector = AutoencoderOutlierDetector(random_state=0).fit(np.eye(9))
    return clone(detector.estimators_[0][-1]).set_params(random_state=None)


def scores_of(method, encoding, X, seed):
    """Return anomaly scores of the rows that a method is fitted to."""
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
        warnings.simplefilter("ignore")  # of dimensions that collapse
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
    """Return the median of an entry over the rows that have these others."""
    return np.median([row[key] for row in rows if all(row[k] == v for k, v in wanted.items())])


def report(rows, tasks, key):
    """Print one line for each method and encoding, one column for each task, and their mean."""
    lines = []
    for method, encoding in product(METHODS, ENCODINGS):
        values = [median(rows, key, method=method, encoding=encoding, task=task) for task in tasks]
        lines.append([method, encoding, *(f"{value:.3f}" for value in (*values, np.mean(values)))])
    print(f"{MEASURES[key]}, median over the seeds\n")
    print_table(["method", "categories", *tasks, "mean"], lines, n_left=2)


def draw(axes, rows, tasks):
    """Draw the median area under the curve of every task, method and encoding."""
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
    seconds = sum(row["seconds"] for row in rows if row["method"] == METHODS[0])
    print(f"detector: {seconds / n_seeds:.0f} s for all tasks and encodings")
    rounded = [
        {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}
        for row in rows
    ]
    save("mixed_tables", rounded)
    save_picture("mixed_tables", lambda axes: draw(axes, rows, tasks), width=8.0, height=3.6)


if __name__ == "__main__":
    main()
