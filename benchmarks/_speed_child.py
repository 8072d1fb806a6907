"""Measure the first import, fit or search of a process. It prints seconds as JSON.

The arguments are ``first-fit``, or ``load FILE``, or ``search N_JOBS N_EPOCHS N_ROWS``.
"""

import json
import sys
from time import perf_counter, process_time

SETTINGS = {"hidden_layer_sizes": (64, 64), "batch_size": 128, "random_state": 0}


def libraries():
    """Import the libraries that skvae needs. Return the processor time so far."""
    import sklearn  # noqa: F401
    import skorch  # noqa: F401
    import torch  # noqa: F401

    return process_time()


def first_fit():
    """Return the processor time after the libraries, after skvae, and after a tiny fit."""
    seconds = {"libraries": libraries()}
    import numpy as np

    import skvae

    seconds["and skvae"] = process_time()
    skvae.VAETransformer(2, max_epochs=1, random_state=0).fit(np.eye(20, 4, dtype=np.float32))
    return {**seconds, "and a first fit": process_time()}


def load(path):
    """Return the processor time after the libraries, and after a model is loaded."""
    import pickle

    seconds = {"libraries": libraries()}
    with open(path, "rb") as file:
        pickle.load(file)
    return {**seconds, "and a pickle.load": process_time()}


def search(n_jobs, n_epochs, n_rows):
    """Return the seconds by the clock of a first search, and of the same search again."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV

    from skvae import BetaVAETransformer

    X = load_digits().data[: int(n_rows)].astype("float32") / 16
    grid = {"beta": (0.5, 1.0, 2.0, 4.0), "n_components": (2, 5, 10)}
    model = BetaVAETransformer(max_epochs=int(n_epochs), **SETTINGS)
    seconds = {}
    for call in ("first", "again"):
        started = perf_counter()
        GridSearchCV(model, grid, cv=3, refit=False, n_jobs=int(n_jobs)).fit(X)
        seconds[f"{call}, n_jobs={n_jobs}"] = perf_counter() - started
    return seconds


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    functions = {"first-fit": first_fit, "load": load, "search": search}
    print(json.dumps(functions[what](*arguments)))
