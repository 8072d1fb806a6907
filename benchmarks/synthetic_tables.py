"""Claim: rows drawn from a VAE of a mixed table can replace real rows, and are not copies.

The tables are adult (4,000 rows), german_credit and automobile. Half of the rows are the training
half. The class is one of the columns. For automobile, it is whether the price is above the median.
Each source draws as many rows as the training half has. The sources have default settings:

VAE                  TableEncoder() and a VAETransformer with its likelihoods and
                     noise_variance="per-feature", sampled with observation noise
VAE, few values      the same, but a number with at most 20 values is treated as a category
VAE, common values   the first one, with TableEncoder(spike_share=0.2)
Gaussian copula      ranks become normal scores with a correlation, and scores become values again;
                     written for this benchmark
independent columns  every column is drawn separately
TVAE                 the TVAE of ctgan with missing numbers filled in, if ctgan is installed
training rows        the training half itself, as the best possible result

AUC: a classifier is fitted to the drawn rows, and predicts the class of the held-out half. "trees"
is HistGradientBoostingClassifier. "logistic" is LogisticRegression on one-hot columns.

Distances compare the drawn rows with the held-out half. They are means over columns, or over pairs
of columns. For numbers it is the Kolmogorov-Smirnov distance, and for categories the total
variation. For a pair of numbers it is the difference of Spearman's correlations. For other pairs it
is the difference of Cramer's V, with numbers cut at the fifths of the real ones.

"copies" is the share of drawn rows that are equal to a row of the training half in all cells.
"nearer" is the share of drawn rows that are nearer to a training row than to any held-out row. It
is 0.5 if the model remembers nothing.

A seed draws the halves, and is the seed of the model.

``--data`` is a folder with the tables: gzipped CSV, names in the first row, the class in the last
column.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # the libraries read it when they are imported

import warnings
from importlib.util import find_spec
from itertools import product
from time import process_time

import numpy as np
from _common import one_thread, print_machine, print_table, rounded, rows_of, save, save_picture
from _mixed_rows import TABLES, cell, differences, labelled, one_hot, options_of
from _synthetic_measures import (
    copied,
    distance_of_levels,
    distance_of_numbers,
    nearer_to,
    pair_distance,
)
from _synthetic_sources import SOURCES
from _tables_data import categories_of
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

N_ROWS = 4000
LABEL, REAL = "told class", "training rows"
MEASURES = {
    "trees": "AUC of trees",
    "logistic": "AUC of a logistic regression",
    "numbers": "distance of the marginals of numbers",
    "levels": "distance of the marginals of categories",
    "pairs": "distance of pairs",
    "copies": "share of copies (first line: copies in the held-out half)",
    "nearer": "share that is nearer to a training row",
    "seconds": "processor time, seconds",
}


def halves(name, folder, seed):
    """Return the training half and the other half of a table. The class is one of the columns."""
    X, y = labelled(name, folder, N_ROWS, seed)
    table = X.assign(**{LABEL: np.where(y == 1, "yes", "no").astype(object)})
    middle = len(table) // 2
    return table.iloc[:middle].reset_index(drop=True), table.iloc[middle:].reset_index(drop=True)


def trees(X):
    """Return gradient boosting that treats categories as categories."""
    levels = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200
    )
    n_levels = len(categories_of(X))
    codes = make_column_transformer((levels, categories_of(X)), remainder="passthrough")
    forest = HistGradientBoostingClassifier(
        categorical_features=list(range(n_levels)), max_iter=50, random_state=0
    )
    return make_pipeline(codes, forest)


def logistic(X):
    """Return a logistic regression on one-hot columns."""
    return make_pipeline(one_hot(X), LogisticRegression(max_iter=1000))


JUDGES = {"trees": trees, "logistic": logistic}


def auc(make, rows, held_out):
    """Return the held-out AUC of a classifier fitted to ``rows``; 0.5 if these have one class."""
    X, y = rows.drop(columns=LABEL), rows[LABEL] == "yes"
    if y.nunique() < 2:
        return 0.5
    judge = make(X).fit(X, y)
    score = judge.predict_proba(held_out.drop(columns=LABEL))[:, 1]
    return float(roc_auc_score(held_out[LABEL] == "yes", score))


def judged(drawn, training, held_out, *, is_real):
    """Return the measures of drawn rows.

    If these are the training rows (``is_real``), "copies" is the share of held-out rows among them.
    """
    measured = {judge: auc(make, drawn, held_out) for judge, make in JUDGES.items()}
    measured["numbers"] = distance_of_numbers(held_out, drawn)
    measured["levels"] = distance_of_levels(held_out, drawn)
    measured["pairs"] = pair_distance(held_out, drawn)
    measured["copies"] = copied(held_out if is_real else drawn, training)
    measured["nearer"] = None if is_real else nearer_to(drawn, training, held_out)
    return measured


def measure(name, seed, folder):
    """Return one row of results for each source. All sources get the same halves."""
    training, held_out = halves(name, folder, seed)
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dimensions may collapse, levels may be new
        for source in (REAL, *SOURCES):
            started = process_time()
            drawn = training
            if source != REAL:
                drawn = SOURCES[source](training, len(training), seed)
            line = {"table": name, "source": source, "seed": seed}
            line["seconds"] = process_time() - started
            rows.append(line | judged(drawn, training, held_out, is_real=source == REAL))
    return rows


def report(rows):
    """For each measure, print a line for each source and a column for each table."""
    report_measures(rows, MEASURES)
    gaps = differences(rows, JUDGES, "source", REAL, ("table", "seed"))
    report_measures(gaps, {key: f"{MEASURES[key]}, minus that of training rows" for key in JUDGES})


def report_measures(rows, titles):
    for key, title in titles.items():
        lines = [
            [source, *(cell(rows, key, 3, table=table, source=source) for table in TABLES)]
            for source in (REAL, *SOURCES)
        ]
        print(f"{title}, median over the seeds (least to greatest)\n")
        print_table(["rows", *TABLES], lines)


def draw(panels, rows):
    """Draw the measures of every seed, with a panel for each measure."""
    shown = ("trees", "logistic", "numbers", "levels", "pairs", "nearer")
    for axes, key in zip(panels.flat, shown, strict=True):
        for place, (table, source) in enumerate(product(TABLES, (REAL, *SOURCES))):
            values = [row[key] for row in rows_of(rows, table=table, source=source)]
            group, within = divmod(place, len(SOURCES) + 1)
            style = {"color": f"C{within}", "label": source if group == 0 else None}
            at = group + 0.8 * (within / len(SOURCES) - 0.5)
            axes.scatter([at] * len(values), values, s=12, **style)
        axes.set_xticks(range(len(TABLES)), list(TABLES), fontsize=8)
        axes.set_title(MEASURES[key], fontsize=9)
        axes.tick_params(axis="y", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = panels.flat[0].get_legend_handles_labels()
    panels.flat[0].figure.legend(
        handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=8
    )


def main():
    folder, seeds, kept = options_of(__doc__)
    one_thread()
    print_machine()
    if not find_spec("ctgan"):
        print("TVAE is left out: ctgan is not installed.\n")
    parts = [measure(*case, folder) for case in product(TABLES, seeds)]
    rows = [row for part in parts for row in part]
    report(rows)
    if not kept:
        return
    save("synthetic_tables", rounded(rows))
    save_picture(
        "synthetic_tables", lambda panels: draw(panels, rows), width=9.5, height=5.0, panels=(2, 3)
    )


if __name__ == "__main__":
    main()
