"""Read the tables of anomaly.py and false_alarms.py: ``.npz`` files with the keys X and y."""

import numpy as np

__all__ = ["load", "table_name"]


def load(path, most_rows):
    """Return the rows of a table and a mask of its anomalies, at most ``most_rows`` rows."""
    with np.load(path) as content:
        X, y = content["X"].astype(np.float64), content["y"].ravel() == 1
    if len(X) > most_rows:
        chosen = np.random.default_rng(0).choice(len(X), most_rows, replace=False)
        X, y = X[chosen], y[chosen]
    return X, y


def table_name(path):
    """Return the name of a table. For the file ``45_wine.npz`` of ADBench it is "wine"."""
    return path.stem.partition("_")[2] or path.stem
