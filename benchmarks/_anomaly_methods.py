"""The detectors that anomaly.py compares. Each has its default settings.

A method is fitted to the rows ``train``, and scores the rows ``test``.
"""

from functools import partial

import numpy as np
from _pyod import make_pyod
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer
from skvae.metrics import active_units

__all__ = ["METHODS", "OURS", "PYOD"]

N_COMPONENTS = 10  # the default of the autoencoders, also used for PCA
N_NEIGHBORS = 5


def skvae_scores(estimator, of_errors, seed, train, test):
    """Return the anomaly scores of ``test``, and a function that counts the active dimensions."""
    fitted = estimator(random_state=seed).fit(train)
    scores = fitted.reconstruction_error(test) if of_errors else -fitted.score_samples(test)
    return scores, lambda: activity(getattr(fitted, "estimators_", [fitted]), train)


def activity(transformers, X):
    """Return the text "active of all" dimensions of the codes. Several models give the median."""
    active = np.median([active_units(transformer, X) for transformer in transformers])
    return f"{active:g} of {np.shape(transformers[0].transform(X[:2]))[1]}"


def pca_scores(of_errors, seed, train, test):
    """Return -log p(x), or the squared error of the reconstruction."""
    pca = PCA(min(N_COMPONENTS, train.shape[1] - 1, len(train) - 1), random_state=seed).fit(train)
    if of_errors:
        return ((test - pca.inverse_transform(pca.transform(test))) ** 2).mean(axis=1), None
    return -pca.score_samples(test), None


def forest_scores(seed, train, test):
    return -IsolationForest(random_state=seed).fit(train).score_samples(test), None


def distance_scores(seed, train, test):
    """Return the squared distance to the mean of the training rows, as a collapsed VAE does."""
    return ((test - train.mean(axis=0)) ** 2).sum(axis=1), None


def neighbour_scores(seed, train, test):
    """Return the distance to the fifth neighbour. A training row is not its own neighbour."""
    itself = int(train is test)
    neighbours = NearestNeighbors(n_neighbors=N_NEIGHBORS + itself).fit(train)
    return neighbours.kneighbors(test)[0][:, -1], None


def pyod_scores(name, seed, train, test):
    """Return the scores of a detector of PyOD, an optional dependency of the benchmarks."""
    return make_pyod(name, seed).fit(train).decision_function(test), None


OURS = {
    "detector": partial(skvae_scores, AutoencoderOutlierDetector, False),
    "VAE, likelihood": partial(skvae_scores, VAETransformer, False),
    "AE, reconstruction": partial(skvae_scores, AutoencoderTransformer, True),
}
PYOD = ("PyOD AutoEncoder", "PyOD VAE", "PyOD ECOD")
METHODS = {
    **OURS,
    "IsolationForest": forest_scores,
    "PCA, likelihood": partial(pca_scores, False),
    "PCA, reconstruction": partial(pca_scores, True),
    "distance to the mean": distance_scores,
    "5 nearest neighbours": neighbour_scores,
    **{name: partial(pyod_scores, name) for name in PYOD},
}
