import pytest
import torch

from skvae.nn.distributions import Gaussian
from skvae.nn.likelihoods import Bernoulli
from skvae.nn.observation_models import GaussianObservation, Observation, mean_square


@pytest.mark.parametrize("per_feature", [False, True])
def test_a_learned_variance_follows_the_running_mean_of_the_residual(per_feature):
    observation = GaussianObservation(2, per_feature=per_feature)
    start = torch.tensor([4.0, 4.0]) if per_feature else torch.tensor(4.0)
    observation.start(start, torch.zeros_like(start))
    observation.track(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2), None)
    residual = torch.tensor([1.0, 4.0]) if per_feature else torch.tensor(2.5)
    expected = 0.9 * start + 0.1 * residual
    assert torch.allclose(torch.exp(2 * observation.log_scale), expected)


def test_a_learned_variance_stays_above_its_floor_and_comes_back_from_it():
    observation = GaussianObservation(2)
    observation.start(torch.tensor(1.0), torch.tensor(1e-6))
    x = torch.zeros(1, 2)
    for _ in range(500):
        observation.track(x, x, None)
    assert torch.exp(2 * observation.log_scale).item() == pytest.approx(1e-6)
    observation.track(x + 1, x, None)
    assert torch.exp(2 * observation.log_scale).item() == pytest.approx(0.1, rel=1e-5)


def test_a_held_variance_does_not_move():
    observation = GaussianObservation(2, learned=False)
    observation.start(torch.tensor(3.0), torch.tensor(0.0))
    observation.track(torch.ones(1, 2), torch.zeros(1, 2), None)
    assert torch.exp(2 * observation.log_scale).item() == pytest.approx(3.0)


def variance(observation):
    return torch.exp(2 * observation.log_scale)


def test_a_residual_below_the_prior_variance_goes_part_of_the_way_to_it():
    observation = GaussianObservation(2, per_feature=True)
    observation.start(torch.ones(2), torch.zeros(2))
    observation.expect(torch.tensor([1.0, 1.0]), n_samples=1500)  # 500 of 2,000 rows
    observation.learn(torch.tensor([0.6, 3.0]))
    assert torch.allclose(variance(observation), torch.tensor([0.7, 3.0]))


def test_under_beta_a_variance_is_learned_as_if_beta_were_one():
    # Three columns, one direction of variance 4 in use, beta 3 times noise 1: the optimum's
    # posterior has the variance 3/4, and its residual is 3 there and 1 elsewhere.
    observation = GaussianObservation(3, beta=3.0)
    x = torch.tensor([[3.0, 1.0, 1.0]]).sqrt()
    posterior = Gaussian(torch.zeros(1, 1), torch.log(torch.tensor([[0.75]]).sqrt()))
    assert observation.residual(x, torch.zeros(1, 3), posterior).item() == pytest.approx(1)
    closed = Gaussian(torch.zeros(1, 1), torch.zeros(1, 1))
    for other, of in ((observation, closed), (GaussianObservation(3, beta=0.5), posterior)):
        assert other.residual(x, torch.zeros(1, 3), of).item() == pytest.approx(5 / 3)


def test_decoders_start_at_the_mean_of_the_data():
    mean, scale = torch.tensor([0.25, 1.0]), torch.tensor([2.0, 3.0])
    centre, unit = GaussianObservation(2).initial_location(mean, scale)
    assert torch.equal(centre, mean)
    assert torch.equal(unit, scale)
    logits, unit = Observation(Bernoulli).initial_location(mean, scale)
    assert torch.allclose(torch.sigmoid(logits), torch.tensor([0.25, 0.99]))
    assert torch.equal(unit, torch.ones(2))


def test_a_mean_of_many_squares_keeps_its_digits():
    error = torch.full((20_000, 784), 0.1)
    assert mean_square(error).item() == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("per_feature", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_moments_without_holes_are_the_residual_to_the_last_bit(per_feature, seed):
    generator = torch.Generator().manual_seed(seed)
    x, location = torch.randn(2, 61, 4, generator=generator)
    once, again = (GaussianObservation(4, per_feature=per_feature) for _ in range(2))
    start = torch.ones(4) if per_feature else torch.tensor(1.0)
    for observation in (once, again):
        observation.start(start, torch.zeros_like(start))
    once.learn_moments(once.moments(x, location, None, None))
    again.learn(again.residual(x, location, None))
    assert torch.equal(once.log_scale, again.log_scale)


@pytest.mark.parametrize("per_feature", [False, True])
def test_moments_of_batches_with_and_without_holes_weigh_every_entry_alike(per_feature):
    observation = GaussianObservation(2, per_feature=per_feature)
    start = torch.ones(2) if per_feature else torch.tensor(1.0)
    observation.start(start, torch.zeros_like(start))
    x, location = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2)
    known = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    whole = observation.moments(x, location, None, None)
    some = observation.moments(x, location, None, known)
    observation.learn_moments((whole + some) / 2)
    expected = torch.tensor([20 / 4, 36 / 3]) if per_feature else torch.tensor(56 / 7)
    assert torch.allclose(variance(observation), expected)
