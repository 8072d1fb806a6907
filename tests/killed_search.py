"""Searches that keep what they have done, in a process that is killed before one of its fits.

``python killed_search.py KIND FOLDER N`` ends by SIGKILL before fit N, counted from 0; if there are
fewer it prints how many models were fitted, and the scores.
"""

import os
import signal
import sys
from contextlib import contextmanager

from joblib import Memory
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_val_score
from sklearn.pipeline import Pipeline

import skvae
from skvae.training.net import AutoencoderNet

__all__ = ["SEARCHES", "killed_before"]

X, y = load_iris(return_X_y=True)
VAE = skvae.BetaVAETransformer(2, hidden_layer_sizes=(4,), max_epochs=2, random_state=0)
BETAS = [1.0, 2.0, 4.0]


@contextmanager
def killed_before(fit, kill):
    """Call ``kill()`` before a fit of that number; yield a list with the number of fits."""
    fit_batches, n_fits = AutoencoderNet.fit_batches, [0]

    def counted(*args, **options):
        if n_fits[0] == fit:
            kill()
        n_fits[0] += 1
        return fit_batches(*args, **options)

    AutoencoderNet.fit_batches = counted
    try:
        yield n_fits
    finally:
        AutoencoderNet.fit_batches = fit_batches


def of_pipelines(folder):
    """Return the scores of a search whose pipelines keep the transformers that they fitted."""
    pipe = Pipeline([("vae", VAE), ("classes", LogisticRegression())], memory=folder)
    search = GridSearchCV(pipe, {"vae__beta": BETAS}, cv=2).fit(X, y)
    return search.cv_results_["mean_test_score"].tolist()


def of_candidates(folder):
    """Return the scores of candidates one after another, each kept when it is known."""
    score = Memory(folder, verbose=0).cache(cross_val_score)
    candidates = [clone(VAE).set_params(**one) for one in ParameterGrid({"beta": BETAS})]
    return [score(one, X, cv=2).mean() for one in candidates]


SEARCHES = {"pipelines": of_pipelines, "candidates": of_candidates}


def main(kind, folder, fit):
    """Search in this process."""
    with killed_before(fit, lambda: os.kill(os.getpid(), signal.SIGKILL)) as n_fits:
        scores = SEARCHES[kind](folder)
    print(*n_fits, *scores)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
