"""The tables that anomaly.py and false_alarms.py read: ``.npz`` files, X and y."""

import numpy as np

__all__ = ["load", "table_name"]


def load(path, most_rows):
    """Return at most so many rows of a table, and which are anomalies."""
    with np.load(path) as content:
        X, y = content["X"].astype(np.float64), content["y"].ravel() == 1
    if len(X) > most_rows:
        chosen = np.random.default_rng(0).choice(len(X), most_rows, replace=False)
        X, y = X[chosen], y[chosen]
    return X, y


def table_name(path):
    """Return the name of a table: of ADBench's ``45_wine.npz``, wine."""
    return path.stem.partition("_")[2] or path.stem
