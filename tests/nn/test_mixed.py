"""Counts, categories, and rows with columns of several kinds: values, draws, derivatives."""

import numpy as np
import pytest
import torch
from scipy import stats

from skvae.nn.categories import Blocks, Categorical
from skvae.nn.count_likelihoods import NegativeBinomial, Poisson
from skvae.nn.distributions import Gaussian
from skvae.nn.layout import ColumnLayout, Part
from skvae.nn.likelihoods import Bernoulli
from skvae.nn.mixed_observation import DispersedObservation, MixedObservation

MEANS = np.array([1e-3, 0.4, 1.0, 7.0, 300.0])
COUNTS = np.arange(0.0, 40.0)[:, None]


def counts():
    return torch.tensor(COUNTS), torch.log(torch.tensor(MEANS)).expand(len(COUNTS), -1)


def test_poisson_is_scipys():
    x, log_mean = counts()
    theirs = stats.poisson.logpmf(COUNTS, MEANS)
    np.testing.assert_allclose(Poisson(log_mean).log_prob_per_feature(x), theirs, rtol=1e-10)


@pytest.mark.parametrize("dispersion", [1e-6, 1e-3, 0.5, 3.0, 1e4])
def test_negative_binomial_is_scipys(dispersion):
    x, log_mean = counts()
    size = 1 / dispersion
    theirs = stats.nbinom.logpmf(COUNTS, size, size / (size + MEANS))
    ours = NegativeBinomial(log_mean, torch.tensor([dispersion], dtype=torch.float64))
    np.testing.assert_allclose(ours.log_prob_per_feature(x), theirs, rtol=1e-7, atol=1e-8)


def test_without_dispersion_a_negative_binomial_is_a_poisson_in_float32_too():
    x, log_mean = counts()
    x, log_mean = x.float(), log_mean[:, :-1].float()  # at a mean of 300 the variance differs
    ours = NegativeBinomial(log_mean, torch.tensor([1e-6])).log_prob_per_feature(x)
    np.testing.assert_allclose(ours, Poisson(log_mean).log_prob_per_feature(x), atol=1e-3)


@pytest.mark.parametrize("make", [Poisson, lambda p: NegativeBinomial(p, torch.tensor([0.3, 2.0]))])
def test_slopes_of_counts_are_those_of_autograd(make):
    x = torch.tensor([[0.0, 3.0], [5.0, 1.0]])
    log_mean = torch.tensor([[-1.0, 0.5], [2.0, 30.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(-make(log_mean).log_prob(x).sum(), log_mean)
    torch.testing.assert_close(make(log_mean.detach()).slope(x), slope)


@pytest.mark.parametrize("dispersion", [None, 0.7])
def test_draws_of_counts_have_their_probabilities(dispersion):
    log_mean = torch.full((20_000, 1), np.log(3.0))
    if dispersion is None:
        ours, theirs = Poisson(log_mean), stats.poisson(3.0)
    else:
        size = 1 / dispersion
        ours = NegativeBinomial(log_mean, torch.tensor([dispersion]))
        theirs = stats.nbinom(size, size / (size + 3.0))
    draws = ours.draw(torch.Generator().manual_seed(0)).numpy().ravel()
    found = np.bincount(draws.astype(int), minlength=8)[:8]
    expected = 20_000 * theirs.pmf(np.arange(8))
    found, expected = ([*of, 20_000 - of.sum()] for of in (found, expected))
    assert stats.chisquare(found, expected).pvalue > 1e-3


def test_a_categorical_of_two_is_a_bernoulli():
    logits = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    hot = torch.tensor([[0.0], [1.0], [1.0], [0.0], [1.0]], dtype=torch.float64)
    two = Categorical(logits, Blocks([slice(0, 2)])).log_prob(torch.cat((1 - hot, hot), 1))
    one = Bernoulli(logits[:, 1:] - logits[:, :1]).log_prob(hot)
    torch.testing.assert_close(two, one)


def test_blocks_of_any_sizes_are_softmaxes_of_their_own():
    logits = 90 * torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    ours = Categorical(logits, Blocks([slice(0, 1), slice(1, 4), slice(4, 6)])).mean
    theirs = [torch.softmax(part, 1) for part in logits.split([1, 3, 2], 1)]
    torch.testing.assert_close(ours, torch.cat(theirs, 1))


def test_draws_of_categories_are_one_hot_and_have_their_probabilities():
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0, 0.5]]).repeat(20_000, 1)
    categorical = Categorical(logits, Blocks([slice(0, 3), slice(3, 5)]))
    draws = categorical.draw(torch.Generator().manual_seed(0))
    assert (draws[:, :3].sum(1) == 1).all()
    assert (draws[:, 3:].sum(1) == 1).all()
    np.testing.assert_allclose(draws.mean(0), categorical.mean[0], atol=0.02)


def test_a_level_that_was_not_seen_is_never_more_probable_than_one_that_was():
    categorical = Categorical(torch.tensor([[3.0, 0.0, 1.0]]), Blocks([slice(0, 3)]))
    seen = categorical.log_probabilities.min()
    assert categorical.log_prob(torch.zeros(1, 3)).item() == pytest.approx(seen.item())
    categorical.blocks.unseen.fill_(-np.log(101))
    assert categorical.log_prob(torch.zeros(1, 3)).item() == pytest.approx(-np.log(101))


PARTS = [
    Part("categorical", (0,), (2.0, 5.0, 9.0)),
    Part("gaussian", (3, 1)),
    Part("categorical", (2, 4)),
    Part("negative-binomial", (5,)),
]
X = torch.tensor([[5.0, 0.1, 1.0, 0.2, 0.0, 4.0], [9.0, -1.0, 0.0, 0.7, 1.0, 0.0]])


def mixed():
    """A mixed observation model and the location for two rows."""
    observation = MixedObservation(ColumnLayout(PARTS, takes_holes=True))
    return observation, torch.randn(2, 8, generator=torch.Generator().manual_seed(0))


def test_rows_come_back_from_their_expanded_form():
    layout = ColumnLayout(PARTS)
    expanded = layout.expand(X)
    assert expanded.tolist()[0] == pytest.approx([0.2, 0.1, 4.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    torch.testing.assert_close(layout.collect(expanded), X)
    assert layout.n_variables == 5


def test_log_prob_is_the_sum_over_the_columns():
    observation, location = mixed()
    likelihood = observation(location)
    of_columns = [
        Categorical(location[:, 5:], Blocks([slice(0, 3)])).log_prob(torch.eye(3)[[1, 2]]),
        Gaussian(location[:, 1], torch.zeros(())).log_prob_per_feature(X[:, 1]),
        Categorical(location[:, 3:5], Blocks([slice(0, 2)])).log_prob(X[:, [2, 4]]),
        Gaussian(location[:, 0], torch.zeros(())).log_prob_per_feature(X[:, 3]),
        NegativeBinomial(location[:, 2], torch.ones(())).log_prob_per_feature(X[:, 5]),
    ]
    found = likelihood.log_prob_per_feature(X)
    torch.testing.assert_close(found[:, 2] + found[:, 4], of_columns.pop(2))
    torch.testing.assert_close(found[:, [0, 1, 3, 5]], torch.stack(of_columns, 1))
    torch.testing.assert_close(likelihood.log_prob(X), found.sum(1))


def test_what_is_missing_adds_nothing():
    observation, location = mixed()
    whole = observation(location).log_prob_per_feature(X)
    holes = torch.zeros(X.shape, dtype=torch.bool)
    holes[0, [0, 3]] = holes[1, [2, 4, 5]] = True
    found = observation(location).log_prob_per_feature(X.masked_fill(holes, torch.nan))
    torch.testing.assert_close(found, whole.masked_fill(holes, 0))


@pytest.mark.parametrize("per_feature", [False, True])
def test_the_noise_variance_is_that_of_what_is_observed(per_feature):
    layout = ColumnLayout([Part("gaussian", (0, 1))], takes_holes=True)
    observation = MixedObservation(layout, per_feature=per_feature)
    x = torch.tensor([[1.0, torch.nan], [3.0, 2.0], [torch.nan, torch.nan]])
    observation.learn(observation.residual(x, torch.zeros(3, 2), None))
    expected = [5.0, 4.0] if per_feature else 14.0 / 3
    np.testing.assert_allclose(torch.exp(2 * observation.model("gaussian").log_scale), expected)


def test_the_dispersion_of_a_sample_is_found():
    rng = np.random.default_rng(0)
    mean, dispersion = 5.0, np.array([0.2, 1.5])
    rates = mean * rng.gamma(1 / dispersion, dispersion, (200_000, 2))
    counts = torch.tensor(rng.poisson(rates), dtype=torch.float32)
    observation = DispersedObservation(2, beta=1.0, n_variables=2)
    location = torch.full(counts.shape, np.log(mean))
    observation.learn_moments(observation.moments(counts, location, None, None))
    np.testing.assert_allclose(observation.dispersion, dispersion, rtol=0.03)
