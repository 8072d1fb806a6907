"""Against the loop over noise vectors, one decode for each, that all of this is a shortcut of."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from skvae.nn import expectations
from skvae.nn.distributions import Gaussian, kl_to_standard_normal, whitened_noise
from skvae.nn.expectations import ReducedBound, draws
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.networks import VariationalNetwork
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.perceptrons import PerceptronDecoder, PerceptronEncoder
from skvae.training.batches import Batches

ROUNDING = {torch.float32: 2**-24, torch.float64: 2**-53}
FAR = 1e5  # standard deviations of the noise


def network_of(
    n_features, hidden=(12, 7), *, shortcut=True, per_feature=False, likelihood="gaussian"
):
    """Return a network of random weights, its columns of other centres, scales and variances."""
    generator = torch.Generator().manual_seed(0)
    encoder = PerceptronEncoder(n_features, 6, hidden, "tanh", shortcut=shortcut)
    decoder = PerceptronDecoder(3, n_features, hidden[::-1], "tanh", shortcut=shortcut)
    if likelihood == "gaussian":
        observation = GaussianObservation(n_features, per_feature=per_feature)
    else:
        observation = Observation(LIKELIHOODS[likelihood], 0.5)
    network = VariationalNetwork(encoder, decoder, observation, 3)
    for weights in network.parameters():
        weights.data = torch.randn(weights.shape, generator=generator) / 3
    encoder.standardize(torch.full((n_features,), 2.0), torch.full((n_features,), 3.0))
    decoder.centre.copy_(torch.randn(n_features, generator=generator) + 2)
    decoder.scale.copy_(torch.rand(n_features, generator=generator) + 0.5)
    if likelihood == "gaussian":
        shape = (n_features,) if per_feature else ()
        observation.log_scale = torch.randn(shape, generator=generator) - 1
    return network.eval()


def rows_of(n_samples, n_features, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n_samples, n_features, generator=generator, dtype=torch.float64).to(dtype)


def loop(network, x, noise, method="log_prob"):
    """Return the expectation one noise vector at a time, and the divergence."""
    posterior = network.encode(x)
    values = [getattr(network.decode(posterior.sample(e)), method)(x) for e in noise]
    return sum(values) / len(noise), kl_to_standard_normal(posterior)


@pytest.mark.parametrize("entries", [1, 300, 2**16])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@torch.no_grad()
def test_vectors_decoded_together_are_the_loop(likelihood, entries, monkeypatch):
    monkeypatch.setattr(expectations, "DECODED_ENTRIES", entries)
    network, x, noise = network_of(5, likelihood=likelihood), rows_of(6, 5), whitened_noise(3)
    network, x = network.double(), x.double()
    log_prob, kl = loop(network, x, noise)
    torch.testing.assert_close(network.elbo(x, noise), log_prob - kl, rtol=1e-13, atol=1e-13)
    entry_log_prob, _ = loop(network, x, noise, "log_prob_per_feature")
    terms = torch.cat((entry_log_prob, kl[:, None]), 1)
    torch.testing.assert_close(network.elbo_terms(x, noise), terms, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("entries", [1, 300, 2**16])
@torch.no_grad()
def test_importance_weights_are_those_of_the_loop(entries, monkeypatch):
    monkeypatch.setattr(expectations, "DECODED_ENTRIES", entries)
    network, x = network_of(5).double(), rows_of(6, 5).double()
    noise = torch.randn(11, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    posterior = network.encode(x)
    prior = Gaussian(torch.zeros(3), torch.zeros(3))
    log_weight = []
    for vector in noise:
        z = posterior.sample(vector)
        log_weight.append(network.decode(z).log_prob(x) + prior.log_prob(z) - posterior.log_prob(z))
    log_weight = torch.stack(log_weight)
    bound, ess = network.importance(x, noise)
    torch.testing.assert_close(bound, torch.logsumexp(log_weight, 0) - math.log(11))
    weights = torch.softmax(log_weight, 0)
    torch.testing.assert_close(ess, 1 / weights.square().sum(0))


@torch.no_grad()
def test_no_more_is_decoded_at_a_time_than_fits():
    posterior = Gaussian(torch.zeros(10, 3), torch.zeros(10, 3))
    noise = torch.randn(40, 3)
    for width in (1, 1000, expectations.DECODED_ENTRIES):
        codes = list(draws(posterior, noise, width))
        torch.testing.assert_close(torch.cat(codes), noise.repeat_interleave(10, 0))
        assert max(map(len, codes)) <= max(10, expectations.DECODED_ENTRIES // width)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("distance", [0.0, FAR])
@pytest.mark.parametrize("per_feature", [False, True])
@pytest.mark.parametrize(
    ("hidden", "shortcut"), [((12, 7), True), ((12, 7), False), ((), False), ((4,), True)]
)
@torch.no_grad()
def test_fewer_columns_are_the_loop_to_rounding(hidden, shortcut, per_feature, distance, dtype):
    exact, network = (
        network_of(60, hidden, shortcut=shortcut, per_feature=per_feature).to(wanted)
        for wanted in (torch.float64, dtype)
    )
    x, noise = rows_of(40, 60), whitened_noise(3)
    scale = torch.exp(exact.observation.log_scale)
    x = (x.double() + distance * scale).to(dtype)
    log_prob, _ = loop(exact, x.double(), noise)
    reduced = ReducedBound(network, noise.to(dtype))
    posterior = network.encode(x)
    ours = reduced._expected_log_prob(posterior, x)
    # At the posterior of this dtype: what encoding rounds off is not of the residual.
    wide = Gaussian(posterior.mean.double(), posterior.log_scale.double())
    squared = sum(
        ((x.double() - exact.decode(wide.sample(e)).mean) / scale).square().sum(1) for e in noise
    ) / len(noise)
    constant = (exact.observation.log_scale + 0.5 * math.log(2 * math.pi)).expand(60).sum()
    expected = -0.5 * squared - constant
    size = (x.double() / scale).norm(dim=1) + (exact.decoder.centre / scale).norm()
    inputs = reduced._inputs(posterior.mean).double().norm(dim=1)
    size = size + torch.linalg.matrix_norm(reduced.triangle.double(), 2) * (inputs + 3)
    bound = 8 * ROUNDING[dtype] * (squared.sqrt() * size + constant.abs())
    assert ((ours.double() - expected).abs() <= bound).all()
    if dtype == torch.float64:
        torch.testing.assert_close(ours, log_prob, rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_many_rows_of_many_columns_are_reduced():
    network, noise = network_of(60), whitened_noise(3).float()
    assert ReducedBound.pays(network, len(noise), 10_000)
    assert isinstance(network.elbo_function(noise, 10_000), ReducedBound)
    x = rows_of(50, 60)
    by_loop, by_fewer = (network.elbo_function(noise, n)(x) for n in (1, 10_000))
    torch.testing.assert_close(by_loop, by_fewer, rtol=2e-6, atol=0)
    assert not torch.equal(by_loop, by_fewer)  # two ways indeed


def test_where_nothing_is_saved_nothing_is_reduced():
    n_vectors = 16
    assert not ReducedBound.pays(network_of(60), n_vectors, 1)
    assert not ReducedBound.pays(network_of(10), n_vectors, 10**9)  # as wide as the layer before
    assert not ReducedBound.pays(network_of(60, likelihood="bernoulli"), n_vectors, 10**9)
    encoder, decoder = nn.Linear(60, 6), nn.Linear(3, 60)
    theirs = VariationalNetwork(encoder, decoder, GaussianObservation(60), 3)
    assert not ReducedBound.pays(theirs, n_vectors, 10**9)


@pytest.mark.parametrize("entries", [1, 300, 2**16])
@pytest.mark.parametrize("per_feature", [False, True])
@pytest.mark.parametrize("beta", [1.0, 4.0])
@torch.no_grad()
def test_the_expected_residual_is_that_of_turns_one_by_one(beta, per_feature, entries, monkeypatch):
    monkeypatch.setattr(expectations, "DECODED_ENTRIES", entries)
    network = network_of(5, per_feature=per_feature)
    network.observation.weigh(beta)
    x = rows_of(20, 5)
    half, _ = whitened_noise(3).float().chunk(2)
    vectors = torch.stack((half, -half), 1).flatten(0, 1)
    expected = 0.0
    for start, stop in ((0, 8), (8, 16), (16, 20)):
        posterior = network.encode(x[start:stop])
        for turn in range(16):  # of so few rows each takes all vectors
            places = 16 * torch.arange(start, stop) + turn
            location = network.decoder(posterior.sample(vectors[places % 16]))
            residual = network.observation.residual(x[start:stop], location, posterior)
            expected = expected + residual.double() * (stop - start) / 16 / 20
    batches = Batches(x.numpy(), np.arange(20), 8)
    torch.testing.assert_close(network.expected_residual(batches), expected, rtol=1e-6, atol=0)
