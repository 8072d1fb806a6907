"""The normal rows that false_alarms.py divides: of a folder's tables and of scikit-learn's."""

import numpy as np
from _anomaly_tables import load, table_name
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

__all__ = ["divide", "normal_tables"]

BENIGN = 1  # of scikit-learn's breast cancer
SETS = {
    "digits": load_digits,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
}


def normal_tables(paths, most_rows):
    """Yield the name of each table and its normal rows.

    Parameters
    ----------
    paths : list of Path
        ``.npz`` files with keys X and y, 1 in the latter being an anomaly.
    most_rows : int
        Rows of a table at most, anomalies included.

    Yields
    ------
    name : str
        Of scikit-learn's sets beginning with "sklearn".
    X : ndarray of shape (n_samples, n_features)
        Whole sets of scikit-learn's, but for the breast cancer: the benign rows.
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
    """Return the rows to fit and those to ask: halves of X, at random.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Normal rows.
    size : int or None
        Fit to so many rows of the one half. None is all of them.
    seed : int
        Of the division.

    Returns
    -------
    fitted, asked : ndarray or None
        None for both, where the half does not have more rows than ``size``.
    """
    order = np.random.RandomState(seed).permutation(len(X))
    half = len(X) // 2
    if size is not None and size >= half:
        return None, None
    return X[order[:half][:size]], X[order[half:]]
