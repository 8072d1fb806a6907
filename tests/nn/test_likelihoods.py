import numpy as np
import pytest
import torch
from scipy import stats

from skvae.nn.distributions import Gaussian
from skvae.nn.likelihoods import Bernoulli, ContinuousBernoulli


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
