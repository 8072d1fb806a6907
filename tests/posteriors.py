"""Posteriors that a test makes up, in the place of a fitted VAE."""

import math

import numpy as np

from skvae.metrics import gaussian_total_correlation, kl_decomposition


class Posterior:
    """Stands in for a fitted estimator: these posteriors, one for each row."""

    def __init__(self, mean, std):
        self.mean = np.array(mean, dtype=np.float64)
        self.std = np.array(np.broadcast_to(std, self.mean.shape))

    def posterior(self, X):
        return self.mean[X], self.std[X]

    def decompose(self, **parameters):
        return kl_decomposition(self, np.arange(len(self.mean)), **parameters)

    def gaussian_total_correlation(self):
        return gaussian_total_correlation(self, np.arange(len(self.mean)))


def whitened(n_rows, n_columns, seed=0):
    """Normal draws with mean 0 and second moment I, exactly."""
    x = np.random.RandomState(seed).standard_normal((n_rows, n_columns))
    orthonormal, _ = np.linalg.qr(x - x.mean(0))
    return math.sqrt(n_rows) * orthonormal
