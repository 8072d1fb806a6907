"""What the benchmarks of mixed tables share: labelled tables, encoders, and table cells."""

from pathlib import Path

import numpy as np
from _common import make_parser, median_and_range, rows_of
from _tables_data import categories_of, numbers_of
from pandas import read_csv
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skvae import VAETransformer
from skvae.tabular import TableEncoder

__all__ = [
    "TABLES",
    "cell",
    "differences",
    "labelled",
    "mixed_vae",
    "one_hot",
    "options_of",
]

# The positive class. For automobile, it is a price above the median.
TABLES = {"adult": ">50K", "german_credit": 2, "automobile": None}


def options_of(docstring):
    """Return the options: the folder of the tables, the seeds, and whether to save the results."""
    parser = make_parser(docstring)
    parser.add_argument("--data", type=Path, required=True, help="folder of tables, name.csv.gz")
    parser.add_argument("--n-seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one seed, nothing saved")
    options = parser.parse_args()
    return options.data, range(1 if options.quick else options.n_seeds), not options.quick


def labelled(name, folder, n_rows, seed=0):
    """Return at most ``n_rows`` random rows of a table, and their class, 0 or 1.

    Numbers are floats, categories are text, and missing values are NaN. Columns with only one value
    are left out.
    """
    table = read_csv(folder / f"{name}.csv.gz")
    rows = np.random.default_rng(seed).permutation(len(table))[:n_rows]
    table = table.iloc[rows].reset_index(drop=True)
    X, label = table.iloc[:, :-1], table.iloc[:, -1]
    X = X.loc[:, X.nunique() > 1]
    X = X.astype(dict.fromkeys(numbers_of(X), float))
    X = X.astype(dict.fromkeys(categories_of(X), object))
    positive = TABLES[name]
    y = label > label.median() if positive is None else label == positive
    return X, y.to_numpy().astype(int)


def one_hot(table):
    """Return the usual encoder made of parts of scikit-learn, unfitted.

    Numbers are standardised, and their missing values become the mean. Each level of a category,
    also "missing", is a column of 0 and 1.
    """
    numbers = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((numbers, numbers_of(table)), (categories, categories_of(table)))


def mixed_vae(table, seed=None, *, spike_share=1.0, **options):
    """Return a pipeline for a table: its encoder, fitted, and a VAE with its likelihoods.

    The encoder is frozen. So a model that is fitted to fewer rows still has a place for every
    level.
    """
    encoder = TableEncoder(spike_share=spike_share).fit(table)
    options = {"noise_variance": "per-feature", **options}
    vae = VAETransformer(likelihood=encoder.likelihoods_, random_state=seed, **options)
    return make_pipeline(FrozenEstimator(encoder), vae)


def cell(rows, key, digits=3, **wanted):
    """Return the median of an entry over the wanted rows, and its range, as text."""
    return median_and_range((row[key] for row in rows_of(rows, **wanted)), f".{digits}f")


def differences(rows, keys, by, reference, same):
    """Return the rows with differences from a reference for the entries ``keys``.

    The row of the reference has the value ``reference`` in the entry ``by``. Its entries ``same``
    equal those of the row.
    """
    others = {tuple(row[name] for name in same): row for row in rows_of(rows, **{by: reference})}
    found = []
    for row in rows:
        other = others[tuple(row[name] for name in same)]
        found.append({**row, **{key: row[key] - other[key] for key in keys}})
    return found
