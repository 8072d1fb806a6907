import re

import numpy as np
import pytest
import torch
from linear_vae import write_optimum
from scipy import stats
from sklearn.mixture import GaussianMixture

from skvae import BetaVAETransformer, VAETransformer
from skvae.nn.likelihoods import LIKELIHOODS


@pytest.fixture(scope="module")
def vae(table):
    return VAETransformer(2, max_epochs=20, random_state=0).fit(table)


def linear_density(vae):
    """N(b, W W^T + s I), the density of a VAE with a linear decoder."""
    decoder = vae._modules_[np.dtype(np.float64)].decoder
    with torch.no_grad():
        weight = (decoder.output.weight * decoder.scale.unsqueeze(1)).numpy()
        bias = (decoder.centre + decoder.scale * decoder.output.bias).numpy()
    noise = vae.noise_variance_ * np.eye(len(bias))
    return stats.multivariate_normal(bias, weight @ weight.T + noise)


# ------------------------------------------------------------------ log_likelihood


def test_under_the_exact_posterior_any_number_of_draws_gives_log_p(table):
    vae = VAETransformer(2, hidden_layer_sizes=(), max_epochs=1, random_state=0).fit(table)
    write_optimum(vae, table, 2)
    values, directions = np.linalg.eigh(np.cov(table, rowvar=False, ddof=0))
    values[:4] = values[:4].mean()
    exact = stats.multivariate_normal(table.mean(0), directions * values @ directions.T)
    for n_importance in (1, 7, 100):
        log_likelihood, ess = vae.log_likelihood(
            table, n_importance=n_importance, random_state=0, return_ess=True
        )
        np.testing.assert_allclose(log_likelihood, exact.logpdf(table), rtol=1e-9)
        np.testing.assert_allclose(ess, n_importance, rtol=1e-9)
    np.testing.assert_allclose(vae.score_samples(table), exact.logpdf(table), rtol=1e-9)


def test_an_untrained_linear_decoder_converges_to_its_gaussian(table):
    vae = BetaVAETransformer(
        2, hidden_layer_sizes=(), noise_variance=20.0, max_epochs=1, lr=1e-12, random_state=0
    ).fit(table)
    encoder = vae._modules_[np.dtype(np.float64)].encoder.layers[0]
    with torch.no_grad():  # the prior as the proposal: weights are bounded
        encoder.weight.zero_()
        encoder.bias.zero_()
    n_importance = 20_000
    log_likelihood, ess = vae.log_likelihood(
        table[:50], n_importance=n_importance, random_state=0, return_ess=True
    )
    # The variance of the mean weight over its square is about 1 / ess - 1 / K.
    error = np.sqrt(1 / ess - 1 / n_importance)
    assert error.max() < 0.05
    difference = log_likelihood - linear_density(vae).logpdf(table[:50])
    assert (abs(difference) < 5 * error + error**2).all()


def test_the_expected_bound_rises_with_the_number_of_draws(digits):
    vae = VAETransformer(2, max_epochs=5, random_state=0).fit(digits)
    rows, n_repeats = digits[:40], 100
    bounds = np.array(
        [
            [
                vae.log_likelihood(rows, n_importance=k, random_state=seed).mean()
                for k in (1, 4, 16, 64)
            ]
            for seed in range(n_repeats)
        ]
    )
    rises = np.diff(bounds, axis=1)
    assert (rises.mean(0) > 3 * rises.std(0) / np.sqrt(n_repeats)).all()
    # One draw is the evidence lower bound.
    error = bounds[:, 0].std() / np.sqrt(n_repeats)
    assert bounds[:, 0].mean() == pytest.approx(vae.score(rows), abs=4 * error + 0.02)


def test_a_rows_likelihood_does_not_depend_on_its_neighbours(vae, table, monkeypatch):
    whole = vae.log_likelihood(table, n_importance=20, random_state=0)
    np.testing.assert_allclose(
        vae.log_likelihood(table[::-1][:3], n_importance=20, random_state=0),
        whole[::-1][:3],
        rtol=1e-12,
    )
    monkeypatch.setattr("skvae.training.batches.CHUNK_BYTES", 8 * 2000)
    np.testing.assert_allclose(
        vae.log_likelihood(table, n_importance=20, random_state=0), whole, rtol=1e-12
    )


def test_effective_sample_size_lies_between_one_and_the_number_of_draws(vae, table):
    _, ess = vae.log_likelihood(table, n_importance=30, random_state=0, return_ess=True)
    assert ((ess >= 1) & (ess <= 30)).all()


def test_log_likelihood_is_float64_seeded_and_draws_afresh(vae, table):
    X = table.astype(np.float32)
    one, two = (vae.log_likelihood(X, n_importance=5, random_state=0) for _ in range(2))
    assert one.dtype == np.float64
    np.testing.assert_array_equal(one, two)
    assert (vae.log_likelihood(X, n_importance=5) != vae.log_likelihood(X, n_importance=5)).any()
    with pytest.raises(ValueError, match="The 'n_importance' parameter of log_likelihood must be"):
        vae.log_likelihood(X, n_importance=0)


# ------------------------------------------------------------------ draws


def test_draws_from_the_posterior_have_its_mean_and_spread(vae, table):
    mean, std = vae.posterior(table)
    noise = (vae.sample_posterior(table, random_state=0) - mean) / std
    assert stats.kstest(noise.ravel(), stats.norm.cdf).pvalue > 1e-3
    again = vae.sample_posterior(table, random_state=0)
    np.testing.assert_allclose((again - mean) / std, noise)
    assert (vae.sample_posterior(table) != again).all()
    assert vae.sample_posterior(table.astype(np.float32)).dtype == np.float32


class Constant:
    """A density of codes that is one point."""

    def sample(self, n_samples):
        return np.full((n_samples, 2), 0.5)


def test_observation_noise_is_that_of_a_gaussian(vae):
    draws = vae.sample(20_000, latent=Constant(), observation_noise=True, random_state=0)
    mean = vae.sample(1, latent=Constant())[0]
    noise = (draws - mean) / np.sqrt(vae.noise_variance_)
    for column in noise.T:
        assert stats.kstest(column, stats.norm.cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.corrcoef(noise.T), np.eye(6), atol=5 / np.sqrt(20_000))


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_observation_noise_on_the_unit_interval_has_the_decoded_mean(likelihood, digits):
    vae = VAETransformer(2, likelihood=likelihood, max_epochs=5, random_state=0).fit(digits)
    draws = vae.sample(10_000, latent=Constant(), observation_noise=True, random_state=0)
    assert draws.min() >= 0
    assert draws.max() <= 1
    if likelihood == "bernoulli":
        assert set(np.unique(draws)) == {0.0, 1.0}
    decoded = vae.sample(1, latent=Constant())[0]
    np.testing.assert_allclose(draws.mean(0), decoded, atol=5 * 0.5 / 100)


def test_observation_noise_is_seeded_and_leaves_the_codes_as_they_are(vae, table):
    one, two = (vae.sample(5, observation_noise=True, random_state=0) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    means = vae.sample(5, random_state=0)
    assert (abs(one - means) < 6 * np.sqrt(vae.noise_variance_)).all()
    noises = [
        vae.sample(5, latent=Constant(), observation_noise=True, random_state=seed)
        for seed in (0, 1, None, None)
    ]
    assert len({noise.tobytes() for noise in noises}) == 4


def test_a_mixture_of_posterior_draws_is_a_latent_density(vae, table):
    codes = vae.sample_posterior(table, random_state=0)
    density = GaussianMixture(3, random_state=0).fit(codes)
    rows = vae.sample(50, latent=density, observation_noise=True, random_state=0)
    assert rows.shape == (50, 6)


# ------------------------------------------------------------------ likelihoods


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
@pytest.mark.parametrize("method", ["fit", "score_samples", "log_likelihood"])
def test_rows_outside_the_support_are_refused(method, likelihood, digits):
    vae = VAETransformer(2, likelihood=likelihood, max_epochs=1).fit(digits)
    sentence = (
        f"The {likelihood!r} likelihood needs X in [0, 1]. Got values in [0, 2] instead. "
        "Scale X, new rows too, as MinMaxScaler(clip=True) does, or use likelihood='gaussian'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        getattr(vae, method)(digits * 2)


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_what_rounding_puts_outside_the_support_is_taken(likelihood, digits):
    X = digits * (1 + 1e-12)
    assert X.max() > 1
    vae = VAETransformer(2, likelihood=likelihood, max_epochs=1, random_state=0).fit(X)
    np.testing.assert_allclose(vae.score_samples(X), vae.score_samples(digits), rtol=1e-9)
    with pytest.raises(ValueError, match=r"Got values in \[0, 1.00001\] instead."):
        vae.score_samples(digits * 1.00001)


def test_weights_of_zero_to_rounding_have_an_effective_sample_size_of_one(vae, table):
    far = table[:2].astype(np.float32) * np.float32(1e30)
    bound, ess = vae.log_likelihood(far, n_importance=5, random_state=0, return_ess=True)
    np.testing.assert_array_equal(bound, -np.inf)
    np.testing.assert_array_equal(ess, 1.0)


def test_continuous_bernoulli_is_a_density_of_grey_values(digits):
    X = np.clip(digits, 0.05, 0.95)
    vae = VAETransformer(5, likelihood="continuous-bernoulli", max_epochs=30, random_state=0).fit(X)
    assert not hasattr(vae, "noise_variance_")
    decoded = vae.reconstruct(X)
    assert ((decoded > 0) & (decoded < 1)).all()
    # Each column by itself, at its own mean: what the codes are to improve on.
    columns = LIKELIHOODS["continuous-bernoulli"]
    alone = columns(columns.location(torch.tensor(X.mean(0)))).log_prob(torch.tensor(X)).mean()
    assert vae.score(X) > alone.item()
    assert vae.log_likelihood(X, n_importance=20, random_state=0).mean() > vae.score(X)


class Laplace:
    """What a new likelihood takes: one class."""

    support = (-np.inf, np.inf)

    def __init__(self, location):
        self.mean = location

    @staticmethod
    def location(mean):
        return mean

    def draw(self, generator):
        half = torch.rand(self.mean.shape, generator=generator, dtype=self.mean.dtype) - 0.5
        return self.mean - half.sign() * torch.log1p(-2 * half.abs())

    def log_prob(self, x):
        return (-(x - self.mean).abs() - np.log(2)).sum(-1)


def test_a_new_likelihood_is_one_class(monkeypatch, table):
    monkeypatch.setitem(LIKELIHOODS, "laplace", Laplace)
    constraint = [{"laplace"}, str]
    monkeypatch.setitem(VAETransformer._parameter_constraints, "likelihood", constraint[1:])
    vae = VAETransformer(2, likelihood="laplace", max_epochs=10, random_state=0).fit(table)
    assert vae.score(table) < vae.log_likelihood(table, random_state=0).mean()
    draws = vae.sample(5_000, latent=Constant(), observation_noise=True, random_state=0)
    noise = draws - vae.sample(1, latent=Constant())
    assert stats.kstest(noise[:, 0], stats.laplace.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    "parameters",
    [
        {"noise_variance": "learned"},
        {"noise_variance": "per-feature", "input_scale": 0.5},
        {"likelihood": "bernoulli"},
        {"likelihood": "continuous-bernoulli", "input_scale": 0.5},
    ],
)
def test_the_terms_of_an_elbo_are_those_of_its_score(parameters, digits):
    X = digits[:100] / parameters.get("input_scale", 1.0)
    vae = VAETransformer(2, hidden_layer_sizes=(8,), max_epochs=3, random_state=0, **parameters)
    log_prob, kl = vae.fit(X).elbo_terms(X)
    mean, std = vae.posterior(X)
    np.testing.assert_allclose(
        kl, 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(log_prob.sum(axis=1) - kl, vae.score_samples(X), rtol=1e-10)
