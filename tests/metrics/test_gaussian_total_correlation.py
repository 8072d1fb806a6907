"""The total correlation of a Gaussian with the moments of the codes."""

import math

import numpy as np
import pytest
from posteriors import Posterior, whitened


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.85])
def test_gaussian_total_correlation_of_two_correlated_codes(correlation):
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    factor = np.linalg.cholesky(covariance - 0.1 * np.eye(2))
    aggregate = Posterior(7 + whitened(50, 2) @ factor.T, math.sqrt(0.1))
    expected = -0.5 * math.log(1 - correlation**2)
    assert aggregate.gaussian_total_correlation() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_codes", [2, 3, 5])
def test_gaussian_total_correlation_of_codes_that_determine_one_another_is_infinite(n_codes):
    z = np.random.RandomState(0).standard_normal((100, n_codes - 1))
    codes = np.c_[z, z @ np.arange(1.0, n_codes)]
    aggregate = Posterior(codes, np.full_like(codes, 1e-12))
    assert aggregate.gaussian_total_correlation() == np.inf
    same = Posterior(np.repeat(z[:, :1], n_codes, axis=1), np.full_like(codes, 1e-300))
    assert same.gaussian_total_correlation() == np.inf


def test_gaussian_total_correlation_takes_the_mean_of_the_variances():
    rng = np.random.RandomState(0)
    mean, std = rng.standard_normal((300, 3)) @ rng.standard_normal((3, 3)), rng.rand(300, 3) + 0.1
    covariance = np.cov(mean, rowvar=False, ddof=0) + np.diag((std**2).mean(0))
    expected = 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])
    ours = Posterior(mean, std).gaussian_total_correlation()
    assert ours == pytest.approx(expected, rel=1e-10)
