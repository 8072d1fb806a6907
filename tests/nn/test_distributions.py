import math

import numpy as np
import pytest
import torch
from scipy import stats

from skvae.nn.distributions import (
    Gaussian,
    kl_per_dimension,
    kl_to_standard_normal,
    standard_normal_log_prob,
    whitened_noise,
)


@pytest.mark.parametrize("shape", [(), (3,), (5, 3)])
def test_gaussian_log_prob_is_scipys(shape):
    rng = np.random.RandomState(0)
    mean, x = rng.standard_normal((2, 5, 3))
    log_scale = rng.standard_normal(shape)
    ours = Gaussian(torch.tensor(mean), torch.tensor(log_scale))
    theirs = stats.norm.logpdf(x, mean, np.exp(log_scale))
    np.testing.assert_allclose(ours.log_prob(torch.tensor(x)), theirs.sum(1), rtol=1e-12)
    np.testing.assert_allclose(ours.log_prob_per_feature(torch.tensor(x)), theirs, rtol=1e-12)


@pytest.mark.parametrize(
    ("mean", "std", "kl"),
    [
        (0.0, 1.0, 0.0),
        (1.0, 1.0, 0.5),
        (0.0, 2.0, 1.5 - math.log(2)),
        (2.0, 0.5, 2 + 0.125 - 0.5 + math.log(2)),
    ],
)
def test_kl_to_standard_normal_values(mean, std, kl):
    posterior = Gaussian(
        torch.tensor([[mean]], dtype=torch.float64),
        torch.tensor([[math.log(std)]], dtype=torch.float64),
    )
    assert kl_to_standard_normal(posterior).item() == pytest.approx(kl, rel=1e-12, abs=1e-15)
    assert kl_per_dimension(posterior).item() == pytest.approx(kl, rel=1e-12, abs=1e-15)


def test_standard_normal_log_prob_is_scipys():
    z = np.random.RandomState(0).standard_normal((4, 3))
    expected = stats.norm.logpdf(z).sum(1)
    np.testing.assert_allclose(standard_normal_log_prob(torch.tensor(z)), expected, rtol=1e-12)


@pytest.mark.parametrize("n_components", [1, 3, 10, 40])
def test_whitened_noise_has_mean_zero_and_second_moment_identity(n_components):
    noise = whitened_noise(n_components)
    assert len(noise) >= 2 * n_components
    np.testing.assert_allclose(noise.mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(noise.T @ noise / len(noise), np.eye(n_components), atol=1e-12)
    half = len(noise) // 2
    assert torch.equal(noise[:half], -noise[half:])
    assert torch.equal(noise, whitened_noise(n_components))
