"""Claim: the codes of a mixed table are better features than those of its one-hot columns.

The tables are adult (2,000 rows), german_credit and automobile. Each has two classes. For
automobile, it is whether the price is above the median. The methods give the same number of codes:

mixed VAE       a VAE on TableEncoder(), with its likelihoods and noise_variance="per-feature"
one-hot VAE     a Gaussian VAE on standardised numbers and one-hot columns
one-hot PCA     a PCA of the same columns
encoder PCA     a PCA of the codes of TableEncoder()
all columns     the one-hot columns themselves, which are many more

All other settings are defaults. The codes are standardised. A logistic regression and 15 nearest
neighbours predict the class. The score is the ROC AUC on held-out rows, as a mean over three
stratified folds. A seed draws the folds, and is the seed of the model. All parts, also the
encoders, are fitted to the training rows of a fold.

``--data`` is a folder with the tables: gzipped CSV, names in the first row, the class in the last
column.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import warnings
from itertools import product
from time import process_time

import numpy as np
from _common import one_thread, print_machine, print_table, rounded, rows_of, save, save_picture
from _mixed_rows import TABLES, cell, differences, labelled, mixed_vae, one_hot, options_of
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import VAETransformer
from skvae.tabular import TableEncoder

N_ROWS, N_FOLDS, N_NEIGHBOURS = 2000, 3, 15
SIZES = (5, 10)
METHODS = {
    "mixed VAE": lambda X, size, seed: mixed_vae(X, seed, n_components=size),
    "one-hot VAE": lambda X, size, seed: make_pipeline(
        one_hot(X), VAETransformer(size, random_state=seed)
    ),
    "one-hot PCA": lambda X, size, seed: make_pipeline(one_hot(X), PCA(size, random_state=seed)),
    "encoder PCA": lambda X, size, seed: make_pipeline(
        TableEncoder(), PCA(size, random_state=seed)
    ),
    "all columns": lambda X, size, seed: one_hot(X),
}
JUDGES = {
    "logistic": lambda: LogisticRegression(max_iter=1000),
    "neighbours": lambda: KNeighborsClassifier(N_NEIGHBOURS),
}


def told(method, size, seed, X, y, train, test):
    """Return the AUC of every classifier on the codes of a model of the training rows."""
    model = METHODS[method](X.iloc[train], size, seed).fit(X.iloc[train])
    codes = [model.transform(X.iloc[rows]) for rows in (train, test)]
    scores = []
    for make in JUDGES.values():
        judge = make_pipeline(StandardScaler(), make()).fit(codes[0], y[train])
        scores.append(roc_auc_score(y[test], judge.predict_proba(codes[1])[:, 1]))
    return scores


def measure(name, size, method, seed, folder):
    """Return one row of results."""
    X, y = labelled(name, folder, N_ROWS)
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X, y)
    started = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dimensions may collapse, levels may be new
        scores = [told(method, size, seed, X, y, *fold) for fold in folds]
    means = dict(zip(JUDGES, np.mean(scores, axis=0).tolist(), strict=True))
    case = {"table": name, "n_components": size, "method": method, "seed": seed}
    return {**case, **means, "seconds": (process_time() - started) / N_FOLDS}


def report(rows):
    """Print a line for each method, with a column for each table and classifier."""
    for size in SIZES:
        of_size = rows_of(rows, n_components=size)
        print(f"{size} codes: ROC AUC, median over the seeds (least to greatest)\n")
        report_scores(of_size)
        over = differences(of_size, JUDGES, "method", "one-hot PCA", ("table", "seed"))
        print(f"{size} codes: the same minus that of one-hot PCA, in the same folds\n")
        report_scores(over)
    lines = [
        [method, *(cell(rows, "seconds", 2, table=table, method=method) for table in TABLES)]
        for method in METHODS
    ]
    print("processor time for a fold, in seconds: fit, codes and classifiers\n")
    print_table(["method", *TABLES], lines)


def report_scores(rows):
    header = ["method", *(f"{table}, {judge}" for table, judge in product(TABLES, JUDGES))]
    lines = []
    for method in METHODS:
        cells = [cell(rows, judge, table=t, method=method) for t, judge in product(TABLES, JUDGES)]
        lines.append([method, *cells])
    print_table(header, lines)


def draw(panels, rows):
    """Draw the AUC of every seed by method, with a panel for each table and classifier."""
    for axes, (judge, table) in zip(panels.flat, product(JUDGES, TABLES), strict=True):
        for place, method in enumerate(METHODS):
            for shift, size in zip((-0.15, 0.15), SIZES, strict=True):
                found = rows_of(rows, table=table, method=method, n_components=size)
                values = [row[judge] for row in found]
                style = {"color": f"C{place}", "marker": "o" if size == SIZES[0] else "x"}
                axes.scatter([place + shift] * len(values), values, s=14, linewidth=1, **style)
        axes.set_xticks(range(len(METHODS)), list(METHODS), rotation=30, ha="right", fontsize=7)
        axes.set_title(f"{table}, {judge}", fontsize=9)
        axes.tick_params(axis="y", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("ROC AUC", fontsize=8)
    panels.flat[0].figure.supxlabel("dots: 5 codes; crosses: 10 codes", fontsize=8)


def main():
    folder, seeds, kept = options_of(__doc__)
    one_thread()
    print_machine()
    rows = [measure(*case, folder) for case in product(TABLES, SIZES, METHODS, seeds)]
    report(rows)
    if not kept:
        return
    save("table_features", rounded(rows))
    save_picture(
        "table_features", lambda panels: draw(panels, rows), width=9.0, height=5.0, panels=(2, 3)
    )


if __name__ == "__main__":
    main()
