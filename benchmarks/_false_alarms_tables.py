"""The normal rows that false_alarms.py divides, from files and from scikit-learn."""

import numpy as np
from _anomaly_tables import load, table_name
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

__all__ = ["divide", "normal_tables"]

BENIGN = 1  # the class in scikit-learn's breast cancer data
SETS = {
    "digits": load_digits,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
}


def normal_tables(paths, most_rows):
    """Yield the name and the normal rows of each table.

    Parameters
    ----------
    paths : list of Path
        ``.npz`` files with the keys X and y. An anomaly has y = 1.
    most_rows : int
        Largest number of rows of a table, anomalies included.

    Yields
    ------
    name : str
        The name of the table. Those of scikit-learn begin with "sklearn".
    X : ndarray of shape (n_samples, n_features)
        The normal rows. For scikit-learn's sets these are all rows, except breast cancer: there
        they are the benign rows.
    """
    for path in paths:
        X, anomalous = load(path, most_rows)
        yield table_name(path), X[~anomalous]
    for name, load_set in SETS.items():
        X, y = load_set(return_X_y=True)
        X = X[y == BENIGN] if load_set is load_breast_cancer else X
        if len(X) > most_rows:
            X = X[np.random.default_rng(0).choice(len(X), most_rows, replace=False)]
        yield f"sklearn {name}", X


def divide(X, size, seed):
    """Divide X at random into two halves: rows to fit, and rows to ask about.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Normal rows.
    size : int or None
        Number of rows to fit, from the first half. None is the whole half.
    seed : int
        Seed of the division.

    Returns
    -------
    fitted, asked : ndarray or None
        Both are None if the half does not have more than ``size`` rows.
    """
    order = np.random.RandomState(seed).permutation(len(X))
    half = len(X) // 2
    if size is not None and size >= half:
        return None, None
    return X[order[:half][:size]], X[order[half:]]
