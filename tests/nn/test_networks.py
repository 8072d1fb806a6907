import math

import numpy as np
import pytest
import torch

from skvae.nn.distributions import kl_to_standard_normal, whitened_noise
from skvae.nn.likelihoods import Bernoulli
from skvae.nn.networks import AutoencoderNetwork, VariationalNetwork
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.perceptrons import PerceptronDecoder, PerceptronEncoder


def make_network(hidden=(5,), observation=None, n_features=4, n_components=2, seed=0):
    network = VariationalNetwork(
        PerceptronEncoder(n_features, 2 * n_components, hidden, "relu"),
        PerceptronDecoder(n_components, n_features, hidden[::-1], "relu"),
        observation or GaussianObservation(n_features),
        n_components,
    )
    mean, scale = torch.arange(n_features, dtype=torch.float64), torch.ones(n_features) * 2
    network.initialize(torch.Generator().manual_seed(seed), mean, scale)
    return network


def test_weights_come_from_the_generator_alone():
    state = torch.get_rng_state()
    first = make_network().state_dict()
    torch.manual_seed(5)
    second = make_network().state_dict()
    torch.set_rng_state(state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    make_network()
    assert torch.equal(torch.get_rng_state(), state)


def test_training_mode_samples_and_evaluation_mode_decodes_the_mean():
    network, x = make_network(), torch.ones(3, 4)
    network.train()
    assert not torch.equal(network(x)["z"], network(x)["z"])
    network.eval()
    output = network(x)
    assert torch.equal(output["z"], output["posterior"].mean)
    noise = torch.ones(3, 2)
    expected = output["posterior"].mean + output["posterior"].scale
    assert torch.equal(network(x, noise)["z"], expected)


def test_autoencoder_decodes_its_code():
    network = AutoencoderNetwork(
        torch.nn.Linear(4, 2), torch.nn.Linear(2, 4), GaussianObservation(4, learned=False), 2
    )
    x = torch.ones(3, 4)
    output = network(x)
    assert torch.equal(output["z"], network.code(x))
    assert torch.equal(output["likelihood"].mean, network.decoder(network.encoder(x)))
    assert network.noise(3, None) is None


def test_the_variance_is_tracked_in_training_mode_alone():
    network, x = make_network(), torch.ones(3, 4)
    before = network.observation.log_scale.clone()
    network.eval()
    network(x, torch.zeros(3, 2))
    assert torch.equal(network.observation.log_scale, before)
    network.train()
    network(x, torch.zeros(3, 2))
    assert not torch.equal(network.observation.log_scale, before)


def test_bernoulli_decoder_starts_at_the_columns_means():
    network = VariationalNetwork(
        PerceptronEncoder(2, 2, (), "relu"),
        PerceptronDecoder(1, 2, (), "relu"),
        Observation(Bernoulli),
        1,
    )
    mean = torch.tensor([0.25, 1.0], dtype=torch.float64)
    network.initialize(torch.Generator().manual_seed(0), mean, torch.ones(2))
    likelihood = network.decode(torch.zeros(1, 1))
    assert isinstance(likelihood, Bernoulli)
    np.testing.assert_allclose(likelihood.mean.detach()[0], [0.25, 0.99], rtol=1e-5)


def test_the_posterior_of_a_row_far_away_is_finite():
    network = make_network()
    with torch.no_grad():
        posterior = network.encode(torch.full((1, 4), 1e30))
    assert torch.isfinite(posterior.scale).all()
    assert (posterior.scale > 0).all()


def test_elbo_of_a_linear_decoder_is_exact():
    network = make_network(hidden=(), observation=GaussianObservation(4, learned=False)).double()
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        posterior = network.encode(x)
        weight = network.decoder.output.weight * network.decoder.scale.unsqueeze(1)
        spread = (weight.square() @ posterior.scale.square().T).sum(0)
        log_prob = network.decode(posterior.mean).log_prob(x) - 0.5 * spread
        expected = log_prob - kl_to_standard_normal(posterior)
        ours = network.elbo(x, whitened_noise(2))
    np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_importance_weights_of_a_gaussian_worked_out_by_hand():
    # x|z ~ N(z, 1/4) at x = 1.3, hence log p(x) = log N(1.3; 0, 5/4). Under q = N(0.6, 0.49) the
    # evidence lower bound is -2.46747; ten draws give -1.7377 and a hundred -1.70930 on average.
    network = make_network((), GaussianObservation(1), n_features=1, n_components=1).double()
    encoder, decoder = network.encoder.layers[0], network.decoder
    with torch.no_grad():
        encoder.weight.zero_()
        encoder.bias.copy_(torch.tensor([0.6, 0.5 * math.log(0.49)]))
        for tensor in (decoder.output.weight, decoder.scale):
            tensor.fill_(1.0)
        for tensor in (decoder.output.bias, decoder.centre):
            tensor.zero_()
        network.observation.log_scale = torch.tensor(0.5 * math.log(0.25), dtype=torch.float64)
        x = torch.tensor([[1.3]], dtype=torch.float64)
        generator = torch.Generator().manual_seed(0)
        for n_draws, expected in ((1, -2.46747), (10, -1.7377), (100, -1.70930)):
            noise = torch.randn(500, n_draws, 1, generator=generator, dtype=torch.float64)
            bounds = torch.cat([network.importance(x, vectors)[0] for vectors in noise])
            error = bounds.std() / 500**0.5
            # The bound of ten draws is known to four decimals from sampling.
            assert bounds.mean().item() == pytest.approx(expected, abs=4 * error.item() + 2e-3)
        # The exact posterior N(1.04, 0.2) has equal weights.
        encoder.bias.copy_(torch.tensor([1.04, 0.5 * math.log(0.2)]))
        bound, ess = network.importance(x, noise[0])
    assert bound.item() == pytest.approx(-1.70651031, abs=1e-7)
    assert ess.item() == pytest.approx(100, rel=1e-9)
