import math

import numpy as np
import pytest
import torch
from scipy import stats

from skvae.distributions import (
    Bernoulli,
    ContinuousBernoulli,
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


def test_bernoulli_log_prob_is_scipys():
    rng = np.random.RandomState(0)
    logits = rng.standard_normal((5, 3))
    x = rng.randint(2, size=(5, 3)).astype(float)
    ours = Bernoulli(torch.tensor(logits))
    theirs = stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-logits)))
    np.testing.assert_allclose(ours.log_prob(torch.tensor(x)), theirs.sum(1), rtol=1e-12)
    np.testing.assert_allclose(ours.mean, 1 / (1 + np.exp(-logits)), rtol=1e-12)


LOGITS = [-40.0, -5.0, -0.3, -0.09, -1e-4, 0.0, 1e-7, 0.05, 0.11, 2.0, 40.0]


def exponential_of(logit):
    """scipy's truncated exponential, of which a continuous Bernoulli with -logit is one."""
    return stats.truncexpon(b=logit, scale=1 / logit)


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_is_scipys_truncated_exponential(logit):
    x = np.linspace(0, 1, 11)
    ours = ContinuousBernoulli(torch.full((11, 1), logit, dtype=torch.float64))
    if abs(logit) < 1e-3:  # where scipy's loses digits: the first terms of the series
        log_prob, mean = logit * (x - 0.5) - logit**2 / 24, 0.5 + logit / 12
    else:
        theirs = exponential_of(abs(logit))
        log_prob = theirs.logpdf(x if logit < 0 else 1 - x)
        mean = theirs.mean() if logit < 0 else 1 - theirs.mean()
    np.testing.assert_allclose(ours.log_prob(torch.tensor(x)[:, None]), log_prob, atol=1e-10)
    np.testing.assert_allclose(ours.mean, mean, atol=2e-10)


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one(logit):
    x = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    density = ContinuousBernoulli(torch.tensor(logit, dtype=torch.float64)).log_prob_per_feature(x)
    assert torch.trapezoid(density.exp(), x).item() == pytest.approx(1, abs=1e-7)


def test_bernoulli_sums_and_gaussian_integrates_to_one():
    logits = torch.tensor([[0.3, -2.0]], dtype=torch.float64).repeat(4, 1)
    outcomes = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    assert Bernoulli(logits).log_prob(outcomes).exp().sum().item() == pytest.approx(1, abs=1e-14)
    x = torch.linspace(-20, 20, 20_001, dtype=torch.float64)
    density = Gaussian(torch.tensor(0.7), torch.tensor(0.4)).log_prob_per_feature(x)
    assert torch.trapezoid(density.exp(), x).item() == pytest.approx(1, abs=1e-6)


def test_continuous_bernoulli_has_the_slope_of_the_density_at_logit_zero():
    logit = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    ContinuousBernoulli(logit).log_prob(torch.tensor([[0.9]], dtype=torch.float64)).sum().backward()
    assert logit.grad.item() == pytest.approx(0.4, abs=1e-12)


@pytest.mark.parametrize("distribution", [Bernoulli, ContinuousBernoulli])
def test_location_is_where_the_mean_is_asked_for(distribution):
    mean = torch.tensor([0.0, 0.02, 0.3, 0.5, 0.97, 1.0], dtype=torch.float64)
    at = distribution(distribution.location(mean)).mean
    np.testing.assert_allclose(at, mean.clamp(0.01, 0.99), atol=1e-9)


@pytest.mark.parametrize(
    ("distribution", "cdf"),
    [
        (Gaussian(torch.full((20_000, 1), 2.0), torch.tensor(0.5)), stats.norm(2, np.exp(0.5)).cdf),
        (ContinuousBernoulli(torch.full((20_000, 1), -3.0)), exponential_of(3.0).cdf),
        (
            ContinuousBernoulli(torch.full((20_000, 1), 3.0)),
            lambda x: 1 - exponential_of(3.0).cdf(1 - x),
        ),
        (ContinuousBernoulli(torch.zeros(20_000, 1)), stats.uniform.cdf),
    ],
)
def test_draws_follow_the_distribution_function(distribution, cdf):
    draws = distribution.draw(torch.Generator().manual_seed(0)).numpy().ravel()
    assert stats.kstest(draws, cdf).pvalue > 1e-3


def test_bernoulli_draws_are_zeros_and_ones_of_its_mean():
    distribution = Bernoulli(torch.tensor([[-1.0, 2.0]]).repeat(20_000, 1))
    draws = distribution.draw(torch.Generator().manual_seed(0))
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(draws.mean(0), distribution.mean[0], atol=5 * 0.5 / 20_000**0.5)


@pytest.mark.parametrize("make", [lambda p: Gaussian(p, p), Bernoulli, ContinuousBernoulli])
def test_log_prob_has_the_gradient_of_finite_differences(make):
    parameter = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = torch.tensor([[0.0, 1.0, 1.0]], dtype=torch.float64).repeat(4, 1)
    assert torch.autograd.gradcheck(lambda p: make(p).log_prob(x), parameter.requires_grad_())


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
