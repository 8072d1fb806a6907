"""The tables of tables.py as frames: numbers are floats, categories are text, missing is NaN."""

from functools import lru_cache, partial

import numpy as np
from pandas import DataFrame, read_csv
from sklearn import datasets

__all__ = ["CHOSEN_ON", "TABLES", "categories_of", "is_file", "load", "numbers_of"]

N_ROWS = 500  # rows of a longer table, so that five seeds of all tables take minutes
HORSE_NUMBERS = (
    "rectal_temp",
    "pulse",
    "respiratory_rate",
    "nasogastric_reflux_ph",
    "packed_cell_volume",
    "total_protein",
    "abdomo_protein",
)
HORSE_LESIONS = ["lesion_1", "lesion_2", "lesion_3"]  # codes that each combine four things


def bundled(loader, folder):
    """Return the columns of a table of scikit-learn, without its target."""
    X = loader().data
    return DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])


def from_file(name, folder):
    """Return the columns of a file, without the last, which is the target."""
    table = read_csv(folder / f"{name}.csv.gz").iloc[:, :-1]
    if name == "horse_colic":
        return _without_codes(table.drop(columns=HORSE_LESIONS))
    return table


def _without_codes(horses):
    """Return a table in which number codes of categories are text."""
    codes = [name for name in horses if name not in HORSE_NUMBERS]
    return horses.assign(
        **{name: horses[name].map("{:.0f}".format, na_action="ignore") for name in codes}
    )


BUNDLED = {
    "diabetes": partial(bundled, datasets.load_diabetes),
    "wine": partial(bundled, datasets.load_wine),
    "breast_cancer": partial(bundled, datasets.load_breast_cancer),
    "iris": partial(bundled, datasets.load_iris),
}
FILES = (
    "adult",
    "german_credit",
    "automobile",
    "horse_colic",
    "segment",
    "wine_quality_white",
    "sonar",
    "ecoli",
)
TABLES = {**BUNDLED, **{name: partial(from_file, name) for name in FILES}}
# The settings of the imputer were chosen on these tables only.
CHOSEN_ON = ("diabetes", "breast_cancer", "german_credit", "automobile", "segment", "ecoli")


def is_file(name):
    """Return whether a table is read from the folder of --data."""
    return name in FILES


@lru_cache(maxsize=1)
def load(name, folder):
    """Return a table with at most ``N_ROWS`` rows, the same at every call.

    Columns with only one value are left out, since there is nothing to impute.
    """
    table = TABLES[name](folder)
    rows = np.random.default_rng(0).permutation(len(table))[:N_ROWS]
    table = table.iloc[rows].reset_index(drop=True)
    table = table.loc[:, table.nunique() > 1]
    numbers = numbers_of(table)
    texts = {name: table[name].astype(object) for name in table if name not in numbers}
    return table.assign(**texts, **{name: table[name].astype(float) for name in numbers})


def numbers_of(table):
    """Return the names of the columns of numbers."""
    return [name for name in table if table[name].dtype.kind in "iuf"]


def categories_of(table):
    """Return the names of the columns of categories."""
    return [name for name in table if table[name].dtype.kind not in "iuf"]
