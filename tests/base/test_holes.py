"""Rows with holes: what was not observed counts for nothing, and is filled."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from tests.base.test_mixed_columns import NAMED, make_table

MASK = {"missing": "mask", "max_epochs": 5, "hidden_layer_sizes": (8,), "random_state": 0}


def rows_of_rank_two(n_rows=400):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n_rows, 2)) @ rng.normal(size=(2, 5))
    return rows + 0.3 * rng.normal(size=(n_rows, 5))


def with_holes(X, share=0.3):
    return np.where(np.random.default_rng(1).random(X.shape) < share, np.nan, X)


@pytest.mark.parametrize("Estimator", [VAETransformer, BetaVAETransformer, BetaTCVAETransformer])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"noise_variance": "per-feature"},
        {"noise_variance": "pca", "early_stopping": True},
        {"likelihood": [("gaussian", slice(0, 5))]},
        {"hidden_layer_sizes": ()},
    ],
)
def test_without_holes_the_fit_is_the_same_to_the_last_bit(Estimator, options):
    X = rows_of_rank_two()
    masked = Estimator(2, **{**MASK, **options}).fit(X)
    plain = Estimator(2, **{**MASK, **options, "missing": None}).fit(X)
    for name, values in plain.history_.items():
        np.testing.assert_array_equal(masked.history_[name], values)
    np.testing.assert_array_equal(masked.transform(X), plain.transform(X))
    np.testing.assert_array_equal(masked.noise_variance_, plain.noise_variance_)
    np.testing.assert_allclose(masked.score_samples(X), plain.score_samples(X), rtol=1e-5)
    np.testing.assert_allclose(masked.reconstruction_error(X), plain.reconstruction_error(X))


NOISE = 0.25
HOLES = np.array([False, True, False, False, True])


def exact_vae(loadings, mean):
    """A linear VAE whose posterior is the exact one where the columns of ``HOLES`` are missing."""
    vae = VAETransformer(
        2, **{**MASK, "hidden_layer_sizes": (), "max_epochs": 1, "noise_variance": NOISE}
    ).fit(with_holes(np.random.default_rng(0).normal(size=(50, 5))))
    network, seen = vae._modules_[np.dtype(np.float64)], loadings[~HOLES]
    covariance = np.linalg.inv(np.eye(2) + seen.T @ seen / NOISE)
    to_codes = np.zeros((2, 5))
    to_codes[:, ~HOLES] = covariance @ seen.T / NOISE
    encoder, decoder = network.encoder, network.decoder
    with torch.no_grad():
        encoder.shift.copy_(-torch.tensor(mean))
        encoder.factor.fill_(1.0)
        encoder.holes.weight.zero_()
        linear = encoder.layers[0]
        linear.weight.zero_()
        linear.weight[:2] = torch.tensor(to_codes) / linear.unit
        linear.bias.zero_()
        linear.bias[2:] = torch.tensor(0.5 * np.log(np.diag(covariance)))
        decoder.centre.copy_(torch.tensor(mean))
        decoder.scale.fill_(1.0)
        decoder.output.weight.copy_(torch.tensor(loadings))
        decoder.output.bias.zero_()
    return vae


@pytest.fixture(scope="module")
def linear():
    """A linear model whose posterior is diagonal given what is observed, its VAE, and rows."""
    rng = np.random.default_rng(0)
    loadings, mean = rng.normal(size=(5, 2)), rng.normal(size=5)
    seen = loadings[~HOLES]
    loadings = loadings @ np.linalg.eigh(seen.T @ seen)[1]
    X = rng.normal(size=(300, 2)) @ loadings.T + NOISE**0.5 * rng.normal(size=(300, 5)) + mean
    return loadings, mean, exact_vae(loadings, mean), X


def conditional(loadings, mean, X):
    """Mean and covariance of the columns of ``HOLES`` given the others."""
    covariance = loadings @ loadings.T + NOISE * np.eye(5)
    of_seen = covariance[np.ix_(~HOLES, ~HOLES)]
    to_missing = covariance[np.ix_(HOLES, ~HOLES)] @ np.linalg.inv(of_seen)
    of_missing = covariance[np.ix_(HOLES, HOLES)] - to_missing @ covariance[np.ix_(~HOLES, HOLES)]
    return mean[HOLES] + (X[:, ~HOLES] - mean[~HOLES]) @ to_missing.T, of_missing


def test_at_the_exact_posterior_the_bound_is_the_marginal_of_what_is_observed(linear):
    loadings, mean, vae, X = linear
    covariance = (loadings @ loadings.T + NOISE * np.eye(5))[np.ix_(~HOLES, ~HOLES)]
    marginal = stats.multivariate_normal(mean[~HOLES], covariance).logpdf(X[:, ~HOLES])
    rows = np.where(HOLES, np.nan, X)
    np.testing.assert_allclose(vae.score_samples(rows), marginal, rtol=1e-7)
    np.testing.assert_allclose(vae.log_likelihood(rows, n_importance=3), marginal, rtol=1e-7)


def test_what_is_imputed_tends_to_the_conditional_mean(linear):
    loadings, mean, vae, X = linear
    expected, _ = conditional(loadings, mean, X)
    rows = np.where(HOLES, np.nan, X)
    errors = [
        np.abs(vae.impute(rows, n_importance=n)[:, HOLES] - expected).mean() for n in (100, 10_000)
    ]
    assert errors[1] < 0.02
    assert errors[1] < 0.3 * errors[0]
    np.testing.assert_array_equal(vae.impute(rows)[:, ~HOLES], X[:, ~HOLES])


def test_intervals_of_multiple_imputations_hold_what_was_removed_as_often_as_they_say(linear):
    loadings, mean, vae, X = linear
    draws = vae.impute(np.where(HOLES, np.nan, X), n_draws=200, random_state=0)[:, :, HOLES]
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    assert ((low <= X[:, HOLES]) & (X[:, HOLES] <= high)).mean() == pytest.approx(0.9, abs=0.04)
    _, covariance = conditional(loadings, mean, X)
    np.testing.assert_allclose(draws.var(0).mean(0), np.diag(covariance), rtol=0.05)


def test_scores_and_errors_leave_holes_out():
    X = rows_of_rank_two()
    rows = with_holes(X)
    rows[0] = np.nan
    vae = VAETransformer(2, **MASK).fit(rows)
    log_prob, kl = vae.elbo_terms(rows)
    np.testing.assert_array_equal(log_prob[np.isnan(rows)], 0)
    np.testing.assert_allclose(log_prob.sum(1) - kl, vae.score_samples(rows), rtol=1e-6)
    errors = vae.reconstruction_error(rows, per_feature=True)
    np.testing.assert_array_equal(np.isnan(errors), np.isnan(rows))
    found = vae.reconstruction_error(rows)
    some = ~np.isnan(rows).all(axis=1)
    np.testing.assert_allclose(found[some], np.nanmean(errors[some], axis=1))
    np.testing.assert_array_equal(found[~some], 0)
    assert np.isfinite(vae.transform(rows)).all()


def test_rows_too_far_off_to_compute_with_are_no_rows_of_holes():
    rows = with_holes(rows_of_rank_two(50))
    rows[:, 4] = np.nan  # which is never observed
    vae = VAETransformer(2, **MASK).fit(rows)
    filled = vae.impute(rows[:3])
    np.testing.assert_array_equal(np.isnan(filled), [[False] * 4 + [True]] * 3)
    errors = vae.reconstruction_error(rows + np.arange(5), per_feature=True)
    np.testing.assert_array_equal(np.isnan(errors), np.isnan(rows))
    rows[3] = [1.7e308, -1.7e308, 1.7e308, np.nan, 0.0]
    sentence = (
        "The rows must be close enough to the training rows for the network to compute with them "
        "in float64. Got nan for row 3 instead. Clip the rows, or scale them as the training rows."
    )
    per_feature = partial(vae.reconstruction_error, per_feature=True)
    draws = partial(vae.impute, n_draws=2, random_state=0)
    results = [vae.transform, vae.posterior, vae.reconstruct, vae.score_samples, vae.elbo_terms]
    for result in [*results, vae.reconstruction_error, per_feature, vae.impute, draws]:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            result(rows)


def test_what_is_missing_in_new_rows_alone_is_filled_too():
    X = rows_of_rank_two()
    vae = VAETransformer(2, **{**MASK, "max_epochs": 60}).fit(X)
    rows = with_holes(X)
    holes = np.isnan(rows)
    residual = (vae.impute(rows) - X)[holes]
    assert (residual**2).mean() < 0.7 * X.var(0).mean()
    assert np.isnan(vae.score_samples(rows)).sum() == 0


def test_a_column_without_any_value_counts_for_nothing_ever_after():
    rows = with_holes(rows_of_rank_two())
    rows[:, 1] = np.nan
    vae = VAETransformer(2, **MASK).fit(rows)
    given = rows.copy()
    given[:, 1] = 1e6
    np.testing.assert_array_equal(vae.score_samples(given), vae.score_samples(rows))
    np.testing.assert_array_equal(vae.transform(given), vae.transform(rows))
    filled = vae.impute(rows)
    assert np.isnan(filled[:, 1]).all()
    assert not np.isnan(np.delete(filled, 1, axis=1)).any()


def test_every_kind_of_column_is_filled_by_one_of_its_values():
    table = make_table().astype(float)
    rng = np.random.default_rng(1)
    rows = table.copy()
    for columns in ["a", "b", "flag", "code", ["low", "middle", "high"], "events", "visits"]:
        rows.loc[rng.random(len(rows)) < 0.3, columns] = np.nan
    vae = VAETransformer(2, likelihood=NAMED, **{**MASK, "max_epochs": 30}).fit(rows)
    filled = pd.DataFrame(vae.impute(rows), columns=list(rows))
    assert set(filled["code"]) <= {2, 3, 7}
    np.testing.assert_allclose(filled[["low", "middle", "high"]].sum(axis=1), 1, rtol=1e-6)
    holes = rows["code"].isna()
    assert (filled["code"] == table["code"])[holes].mean() > 0.6
    drawn = vae.impute(rows, n_draws=2, random_state=0)
    assert (drawn[:, :, 4:7].sum(-1) == 1).all()
    assert (drawn[:, :, 7:] % 1 == 0).all()


def test_integers_with_holes_are_those_of_pandas():
    table = make_table()[["events", "visits"]].astype("Int64")
    table.loc[::3, "events"] = pd.NA
    vae = VAETransformer(1, likelihood="poisson", **MASK).fit(table)
    filled = vae.impute(table)
    assert filled.dtype == np.float64
    seen = ~table["events"].isna().to_numpy()
    np.testing.assert_array_equal(filled[seen, 0], table["events"][seen].astype(float))


def test_an_encoder_of_ones_own_gets_the_mask_beside_the_rows():
    seen = []

    def encoder(n_inputs, n_outputs):
        layer = torch.nn.Linear(n_inputs, n_outputs)
        layer.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
        return layer

    rows = with_holes(rows_of_rank_two(50))
    vae = VAETransformer(2, encoder=encoder, **MASK).fit(rows)
    vae.transform(rows)
    given, mask = np.hsplit(seen[-1].numpy(), 2)
    np.testing.assert_array_equal(mask, ~np.isnan(rows))
    means = np.broadcast_to(np.nanmean(rows, axis=0), rows.shape)
    np.testing.assert_allclose(given, np.where(np.isnan(rows), means, rows), rtol=1e-5)


def test_holes_are_refused_without_it_and_there_is_no_impute():
    rows = with_holes(rows_of_rank_two())
    with pytest.raises(ValueError, match="contains NaN"):
        VAETransformer(2).fit(rows)
    sentence = (
        "impute needs a model that was fitted with missing='mask'. Got missing=None instead. Set "
        "missing='mask', and fit."
    )
    assert not hasattr(VAETransformer(2), "impute")
    set_since = VAETransformer(2, **{**MASK, "missing": None}).fit(rows_of_rank_two(50))
    assert not hasattr(set_since.set_params(missing="mask"), "impute")
    with pytest.raises(AttributeError) as caught:
        VAETransformer(2).impute(rows)
    assert re.search(re.escape(sentence), str(caught.value.__cause__))
