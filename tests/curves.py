"""Curves along beta: small ones, and when they are those of fitted estimators."""

import warnings

import numpy as np

from skvae.metrics import active_units, kl_decomposition

BETAS = [4.0, 0.5, 1.0]  # out of order on purpose
SMALL = {"hidden_layer_sizes": (8,), "batch_size": 100, "lr": 1e-2, "random_state": 0}
NUMBERS = (
    "elbo",
    "reconstruction",
    "kl",
    "mutual_information",
    "total_correlation",
    "dimension_wise_kl",
    "saturated",
    "kl_per_dimension",
    "active_units",
)


def assert_equal(one, other):
    np.testing.assert_array_equal(one.betas, other.betas)
    for name in NUMBERS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.scores.keys() == other.scores.keys()
    for name, scores in one.scores.items():
        np.testing.assert_array_equal(scores, other.scores[name])


def assert_measures(curve, place, vae, X):
    """The curve's values at one place are those of this fitted estimator."""
    mean, std = vae.posterior(X)
    kl = 0.5 * (mean**2 + std**2 - 1) - np.log(std)
    assert curve.elbo[place] == vae.score(X)
    np.testing.assert_allclose(curve.kl_per_dimension[place], kl.mean(0), rtol=1e-10)
    np.testing.assert_allclose(curve.kl[place], kl.sum(1).mean(), rtol=1e-10)
    assert curve.active_units[place] == active_units(vae, X)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mean divergence should be below")
        parts = kl_decomposition(vae, X, n_samples=2_000, random_state=0)
    for name in ("mutual_information", "total_correlation", "dimension_wise_kl", "saturated"):
        assert getattr(curve, name)[place] == getattr(parts, name), name
