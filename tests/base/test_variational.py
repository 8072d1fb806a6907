import re
import warnings
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from linear_vae import probabilistic_pca
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer


def test_posterior_is_the_code_and_a_positive_spread(table):
    vae = VAETransformer(3, max_epochs=2, random_state=0).fit(table)
    mean, std = vae.posterior(table)
    np.testing.assert_array_equal(mean, vae.transform(table))
    assert std.shape == (400, 3)
    assert (std > 0).all()


def test_rows_far_away_have_finite_and_lower_scores(table):
    vae = VAETransformer(2, max_epochs=20, random_state=0).fit(table)
    assert np.isfinite(vae.score_samples(table * 1e6)).all()
    assert vae.score_samples(table).min() > vae.score_samples(table * 1e6).max()


def test_score_is_the_elbo_by_monte_carlo(table):
    vae = VAETransformer(2, max_epochs=20, random_state=0).fit(table)
    mean, std = vae.posterior(table)
    kl = 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(1)
    rng = np.random.RandomState(0)
    log_prob = np.zeros((200, 400))
    for draw in log_prob:
        decoded = vae.inverse_transform(mean + std * rng.standard_normal(mean.shape))
        squares = (table - decoded) ** 2 / vae.noise_variance_
        draw[:] = -0.5 * (squares + np.log(2 * np.pi * vae.noise_variance_)).sum(1)
    expected = (log_prob - kl).mean(1)
    error = expected.std() / np.sqrt(len(expected))
    # The whitened vectors are exact for a quadratic; the decoder is close to one.
    assert vae.score(table) == pytest.approx(expected.mean(), abs=5 * error + 0.02)


def test_score_moves_with_the_jacobian_when_x_is_scaled(table):
    one = VAETransformer(2, max_epochs=3, random_state=0).fit(table)
    other = VAETransformer(2, max_epochs=3, random_state=0).fit(table / 100)
    shifted = one.score_samples(table) + 6 * np.log(100)
    np.testing.assert_allclose(other.score_samples(table / 100), shifted, rtol=0.01)
    assert other.noise_variance_ == pytest.approx(one.noise_variance_ / 1e4, rel=0.01)


def test_bernoulli_refuses_data_outside_the_unit_interval(table):
    low, high = f"{table.min():.8g}", f"{table.max():.8g}"
    sentence = (
        f"The 'bernoulli' likelihood needs X in [0, 1]. Got values in [{low}, {high}] instead. "
        "Scale X, new rows too, as MinMaxScaler(clip=True) does, or use likelihood='gaussian'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        VAETransformer(likelihood="bernoulli").fit(table)


def test_bernoulli_refuses_validation_rows_outside_the_unit_interval(digits):
    vae = VAETransformer(likelihood="bernoulli", early_stopping=True)
    with pytest.raises(ValueError, match=r"Got values in \[0, 2\] instead"):
        vae.fit(digits, X_val=digits * 2)


def test_bernoulli_decodes_probabilities_and_has_no_noise_variance(digits):
    X = (digits > 0.5).astype(np.uint8)
    vae = VAETransformer(5, likelihood="bernoulli", max_epochs=10, random_state=0).fit(X)
    decoded = vae.reconstruct(X)
    assert ((decoded >= 0) & (decoded <= 1)).all()
    assert not hasattr(vae, "noise_variance_")
    assert (vae.score_samples(X) < 0).all()
    assert vae.score(X) > -64 * np.log(2)


# ------------------------------------------------------------------ noise variance

FAR_FROM_HELD = (
    r"^A fixed noise variance should be near the residual of the network\. Got \S+ from the PCA "
    r"and a residual of \S+ instead: the score, and the effect of beta, depend on the noise "
    r"variance\. Use noise_variance='learned', or train for longer\.$"
)


def residual(vae, X, n_draws=20, *, axis=None):
    """E_q (x - g(z))^2 by Monte Carlo, over rows (axis 0) or over everything."""
    rng = np.random.RandomState(0)
    mean, std = vae.posterior(X)
    draws = [
        (vae.inverse_transform(mean + std * rng.standard_normal(mean.shape)) - X) ** 2
        for _ in range(n_draws)
    ]
    return np.mean(draws, axis=0).mean(axis)


def with_prior(residual, prior, n_samples):
    """The noise variance that is learned from a residual and a PCA's noise variance."""
    return residual + 500 / (500 + n_samples) * np.maximum(prior - residual, 0)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_learned_variance_is_the_expected_residual_beside_a_pcas(early_stopping, digits):
    vae = VAETransformer(early_stopping=early_stopping, max_epochs=30, random_state=0).fit(digits)
    error, prior = residual(vae, digits), PCA(10).fit(digits).noise_variance_
    assert error < prior
    n_samples = vae.n_samples_seen_
    assert vae.noise_variance_ == pytest.approx(with_prior(error, prior, n_samples), rel=0.02)


def test_a_linear_vae_has_the_noise_variance_of_probabilistic_pca(table):
    for n_samples in (20, 400):
        X = table[:n_samples]
        vae = VAETransformer(3, hidden_layer_sizes=(), max_epochs=5, random_state=0).fit(X)
        _, _, noise = probabilistic_pca(X, 3)
        assert vae.noise_variance_ == pytest.approx(noise, rel=0.02)


@pytest.mark.parametrize("n_rows", [6, 20, 100])
def test_a_learned_variance_of_few_rows_is_exact_for_a_linear_decoder(n_rows, table):
    X = table[:n_rows]
    vae = VAETransformer(
        2, noise_variance="per-feature", hidden_layer_sizes=(), max_epochs=5, random_state=0
    ).fit(X)
    decoder = vae.net_.module_.decoder
    weight = (decoder.output.weight * decoder.scale.unsqueeze(1)).detach().numpy()
    spread = (vae.posterior(X)[1] ** 2 @ (weight**2).T).mean(0)
    error = vae.reconstruction_error(X, per_feature=True).mean(0) + spread
    # The PCA is of columns of variance 1.
    values, directions, _ = probabilistic_pca((X - X.mean(0)) / X.std(0), 2)
    prior = X.var(0) * (1 - directions**2 @ values)
    expected = with_prior(error, prior, n_rows)
    np.testing.assert_allclose(vae.noise_variance_, expected, rtol=1e-4)


def test_the_prior_of_few_rows_spoils_no_stream(table):
    """Of fewer rows than directions a PCA knows no noise, and there is no prior."""
    for n_first in (2, 4):
        vae = VAETransformer(4, max_epochs=1, random_state=0).partial_fit(table[:n_first])
        assert vae.net_.module_.observation.prior_share == 0
    assert vae.partial_fit(table).net_.module_.observation.prior_share == 0
    vae = VAETransformer(4, max_epochs=1, random_state=0).partial_fit(table[:6])
    assert vae.net_.module_.observation.prior_share == pytest.approx(500 / 506)


def test_a_column_that_others_tell_has_little_noise_among_many_of_their_own():
    rng = np.random.RandomState(0)
    z = rng.standard_normal((2000, 1))
    alike = z + 0.2 * rng.standard_normal((2000, 2))
    X = StandardScaler().fit_transform(np.hstack([alike, rng.standard_normal((2000, 20))]))
    vae = VAETransformer(
        1, noise_variance="per-feature", hidden_layer_sizes=(), lr=3e-3, random_state=0
    ).fit(X)
    np.testing.assert_allclose(vae.noise_variance_[:2], 0.04 / 1.04, atol=0.01)
    np.testing.assert_allclose(vae.noise_variance_[2:], 1, atol=0.01)


def test_variances_per_feature_are_each_columns_residual(table):
    X = table * [1, 10, 100, 1, 1, 1]
    vae = VAETransformer(2, noise_variance="per-feature", max_epochs=20, random_state=0).fit(X)
    values, directions, _ = probabilistic_pca((X - X.mean(0)) / X.std(0), 2)
    prior = X.var(0) * (1 - directions**2 @ values)
    expected = with_prior(residual(vae, X, axis=0), prior, 400)
    np.testing.assert_allclose(vae.noise_variance_, expected, rtol=0.05)


def test_a_number_is_held_and_pca_is_pcas(table):
    assert VAETransformer(2, noise_variance=0.5, max_epochs=2).fit(
        table
    ).noise_variance_ == pytest.approx(0.5)
    for estimator in (BetaVAETransformer, BetaTCVAETransformer):
        fitted = estimator(2, noise_variance="pca", max_epochs=2).fit(table)
        assert fitted.noise_variance_ == pytest.approx(PCA(2).fit(table).noise_variance_, rel=1e-6)
    # never more than half as many components as features
    held = {"noise_variance": "pca", "max_epochs": 2}
    fitted = BetaVAETransformer(10, **held).fit(table)
    assert fitted.noise_variance_ == pytest.approx(PCA(3).fit(table).noise_variance_, rel=1e-6)
    with pytest.warns(UserWarning, match=FAR_FROM_HELD):
        fitted = BetaVAETransformer(10, **held).fit(table[:, :1])
    assert fitted.noise_variance_ == pytest.approx(table[:, 0].var(ddof=1), rel=1e-6)


@pytest.mark.parametrize("n_samples", [8, 50, 500, 4000])
def test_pca_variance_of_wide_rows_is_the_likeliest_noise_variance(n_samples):
    """Of a Gaussian of 5 factors and noise variance 0.1, in more columns than rows or fewer."""
    rng, n_features = np.random.RandomState(0), 600
    directions = rng.standard_normal((5, n_features))
    codes, noise = (rng.standard_normal((n_samples, n)) for n in (5, n_features))
    X = codes @ directions + np.sqrt(0.1) * noise
    with warnings.catch_warnings():
        if n_samples == 8:  # the network has as many components as there are directions
            warnings.filterwarnings("ignore", FAR_FROM_HELD)
        fitted = BetaVAETransformer(5, noise_variance="pca", max_epochs=1, random_state=0).fit(X)
    q = min(5, (n_samples - 1) // 2)
    spectrum = np.linalg.svd(X - X.mean(0), compute_uv=False) ** 2 / (n_samples - 1)
    expected = spectrum[q:].sum() / (n_features - q)
    assert fitted.noise_variance_ == pytest.approx(expected, rel=1e-3)
    if n_samples >= 50:  # of the 5 factors none is left over, and q noisy directions are gone
        assert expected == pytest.approx(0.1 * (1 - q / n_samples), rel=0.05)


def test_pca_variance_takes_ten_thousand_rows_at_most(monkeypatch, table):
    monkeypatch.setattr("skvae.base.principal.MOST_ROWS", 100)
    fitted = BetaVAETransformer(2, noise_variance="pca", max_epochs=1, random_state=0).fit(table)
    whole = PCA(2).fit(table).noise_variance_
    assert fitted.noise_variance_ != pytest.approx(whole, rel=1e-6)
    assert fitted.noise_variance_ == pytest.approx(whole, rel=0.3)


@pytest.mark.parametrize("noise_variance", ["learned", "per-feature", "pca"])
@pytest.mark.parametrize("case", ["constant column", "all constant", "duplicates", "plane"])
def test_a_variance_never_runs_away(noise_variance, case):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 6))
    if case == "constant column":
        X[:, 2] = 7.0
    elif case == "all constant":
        X[:] = 3.0
    elif case == "duplicates":
        X = np.repeat(X[:2], 100, axis=0)
    else:
        X = rng.standard_normal((200, 2)) @ rng.standard_normal((2, 6))
    vae = VAETransformer(3, noise_variance=noise_variance, max_epochs=200, lr=1e-2, random_state=0)
    held_at_nothing = noise_variance == "pca" and case in ("duplicates", "plane")
    expected = pytest.warns(UserWarning, match=FAR_FROM_HELD) if held_at_nothing else nullcontext()
    with expected:
        vae.fit(X)
    variance = np.broadcast_to(vae.noise_variance_, 6)
    training_variance = X.var(0) if noise_variance == "per-feature" else np.full(6, X.var(0).mean())
    floor = np.where(training_variance > 1e-20, 1e-6 * training_variance, 1e-12)
    assert (variance >= floor * (1 - 1e-4)).all()
    assert np.isfinite(vae.score_samples(X)).all()
    assert np.isfinite(vae.transform(X)).all()
    assert all(np.isfinite(values).all() for values in vae.history_.values())


def test_a_column_that_holds_the_variance_is_named_under_a_shared_one(table):
    X = table * [1, 1000, 1, 1, 1, 1]
    message = (
        r"^Column 1 holds 99% of the variance of X, so one noise variance shared by all columns "
        r"hides the others\. Scale X, or use noise_variance='per-feature'\.$"
    )
    with pytest.warns(UserWarning, match=message):
        VAETransformer(2, max_epochs=1).fit(X)
    with pytest.warns(UserWarning, match="^Column 'b' holds 99% of the variance of X"):
        VAETransformer(2, max_epochs=1).fit(pd.DataFrame(X, columns=list("abcdef")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VAETransformer(2, max_epochs=1, noise_variance="per-feature").fit(X)
        VAETransformer(2, max_epochs=1).fit(table)
        VAETransformer(1, max_epochs=1).fit(table[:, :1])


@pytest.mark.parametrize("noise_variance", [0, -1.0, "shared"])
def test_a_variance_that_is_none_is_refused(noise_variance, table):
    with pytest.raises(ValueError, match=r"^The 'noise_variance' parameter of VAETransformer must"):
        VAETransformer(noise_variance=noise_variance).fit(table)
