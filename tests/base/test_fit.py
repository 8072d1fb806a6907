"""What a fit takes: sparse and scaled data, chunk after chunk, batch normalisation."""

import pickle
import re

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch.callbacks import Callback

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

every_kind = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)


def make(Estimator, **parameters):
    return Estimator(**{"n_components": 2, "max_epochs": 3, "random_state": 0, **parameters})


def same(one, other):
    """Whether two fitted estimators have equal weights and histories, bit for bit."""
    for name, weights in one.net_.module_.state_dict().items():
        np.testing.assert_array_equal(weights, other.net_.module_.state_dict()[name], name)
    assert one.history_.keys() == other.history_.keys()
    for name, values in one.history_.items():
        np.testing.assert_array_equal(values, other.history_[name], name)
    assert one.n_iter_ == other.n_iter_


# ------------------------------------------------------------------ partial_fit


@every_kind
@pytest.mark.parametrize("noise_variance", ["learned", "per-feature", "pca"])
def test_passes_one_by_one_are_the_fit_of_as_many_epochs(Estimator, noise_variance, table):
    parameters = {"batch_size": 64}
    if Estimator is not AutoencoderTransformer:
        parameters["noise_variance"] = noise_variance
    if Estimator is BetaTCVAETransformer:
        parameters["n_samples"] = len(table)
    parts = make(Estimator, **parameters)
    for _ in range(3):
        assert parts.partial_fit(table) is parts
    whole = make(Estimator, **parameters).fit(table)
    same(whole, parts)
    np.testing.assert_array_equal(whole.transform(table), parts.transform(table))
    assert whole.n_samples_seen_ == 400
    assert parts.n_samples_seen_ == 1200


def test_chunks_are_counted_and_their_rows_are_the_total_correlations(table):
    chunks = table[:100], table[100:350], table[350:]
    tc_vae = make(BetaTCVAETransformer)
    for chunk, seen in zip(chunks, (100, 350, 400), strict=True):
        tc_vae.partial_fit(chunk)
        assert tc_vae.n_samples_seen_ == seen == tc_vae.net_.criterion_.n_samples
    assert tc_vae.n_iter_ == 3 == len(tc_vae.history_["train_loss"])
    known = make(BetaTCVAETransformer, n_samples=5000).partial_fit(chunks[0])
    assert known.net_.criterion_.n_samples == 5000
    assert known.fit(table).net_.criterion_.n_samples == 5000


def test_a_chunks_learned_variance_is_not_where_the_next_begins(table):
    vae = make(VAETransformer).partial_fit(table)
    exact, running = vae.noise_variance_, vae.net_.module_.observation.running_variance.item()
    assert exact != pytest.approx(running, rel=1e-3)
    again = make(VAETransformer, max_epochs=1).fit(table)
    assert again.noise_variance_ == exact


def test_scales_are_those_of_the_first_chunk(table):
    vae = make(VAETransformer).partial_fit(table[:50]).partial_fit(table[50:])
    encoder = vae.net_.module_.encoder
    scale = np.sqrt(table[:50].var(0).mean())
    np.testing.assert_allclose(encoder.factor, 1 / scale, rtol=1e-5)
    np.testing.assert_allclose(encoder.shift, -table[:50].mean(0) / scale, rtol=1e-4)


def test_partial_fit_goes_on_after_fit_and_after_a_pickle(table):
    one = make(VAETransformer).partial_fit(table)
    other = pickle.loads(pickle.dumps(one))
    same(one.partial_fit(table), other.partial_fit(table))
    fitted = make(VAETransformer).fit(table)
    assert fitted.partial_fit(table[:50]).n_iter_ == 4
    assert fitted.n_samples_seen_ == 450
    assert fitted.fit(table).n_iter_ == 3


def test_a_chunk_that_fails_leaves_the_state_before_it(table):
    vae = make(VAETransformer).partial_fit(table)
    before = vae.transform(table)
    for bad in (table[:1], table[:, :3], np.full((5, 6), np.nan)):
        with pytest.raises(ValueError, match=r"minimum of 2|6 features|NaN"):
            vae.partial_fit(bad)
    np.testing.assert_array_equal(vae.transform(table), before)
    assert vae.n_samples_seen_ == 400
    unfitted = make(VAETransformer)
    with pytest.raises(ValueError, match="NaN"):
        unfitted.partial_fit(np.full((5, 6), np.nan))
    assert not [name for name in vars(unfitted) if name.endswith("_")]


def test_partial_fit_cannot_stop_early(table):
    sentence = (
        "partial_fit makes a single pass over a chunk, and cannot stop early. Got "
        "early_stopping=True instead. Set early_stopping=False, or use fit."
    )
    stopping = make(VAETransformer, early_stopping=True)
    assert not hasattr(stopping, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        stopping.partial_fit(table)
    assert str(caught.value.__cause__) == sentence


def test_a_schedule_counts_chunks_as_epochs(table):
    vae = make(VAETransformer, kl_warmup_epochs=4, batch_size=400)
    for _ in range(3):
        vae.partial_fit(table)
    history = vae.history_
    expected = history["reconstruction"] + [0, 0.25, 0.5] * history["kl"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-6)


# ------------------------------------------------------------------ sparse rows


@every_kind
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse_rows_are_fitted_and_answered_as_dense_ones(Estimator, form, digits):
    X, X_val = digits[:300], digits[300:350]
    settings = {"early_stopping": True, "batch_size": 64}
    dense = make(Estimator, **settings).fit(X, X_val=X_val)
    thin = make(Estimator, **settings).fit(form(X), X_val=form(X_val))
    same(dense, thin)
    for method in ("transform", "reconstruct", "reconstruction_error", "score_samples"):
        np.testing.assert_array_equal(
            getattr(dense, method)(X), getattr(thin, method)(form(X)), method
        )
    for fitted in (dense, thin):
        fitted.set_params(early_stopping=False)
    same(dense.partial_fit(X), thin.partial_fit(form(X)))


def test_sparse_rows_have_probabilities_and_predictions(digits):
    X = digits[:100]
    vae = make(VAETransformer, likelihood="continuous-bernoulli").fit(sparse.csr_array(X))
    np.testing.assert_array_equal(
        vae.log_likelihood(sparse.csr_array(X), n_importance=3, random_state=0),
        vae.log_likelihood(X, n_importance=3, random_state=0),
    )
    np.testing.assert_array_equal(
        vae.sample_posterior(sparse.csr_array(X), random_state=0),
        vae.sample_posterior(X, random_state=0),
    )
    predicted = vae.net_.predict(sparse.csr_array(X.astype(np.float32)))
    np.testing.assert_allclose(predicted, vae.reconstruct(X.astype(np.float32)), rtol=1e-5)


# ------------------------------------------------------------------ input_scale

SCALE = 1 / 16


@every_kind
def test_an_input_scale_is_a_scaler_whose_units_come_back(Estimator, digits):
    parameters = {"early_stopping": True, "max_epochs": 5}
    if Estimator is not AutoencoderTransformer:
        parameters["noise_variance"] = 0.05
    X = np.round(digits[:400] * 16).astype(np.uint8)
    scaled = make(Estimator, **parameters).fit(digits[:400])
    ours = make(Estimator, input_scale=SCALE, **parameters).fit(X)
    codes = ours.transform(X)
    np.testing.assert_allclose(codes, scaled.transform(digits[:400]), atol=1e-3)
    np.testing.assert_allclose(
        ours.inverse_transform(codes) * SCALE, scaled.inverse_transform(codes), atol=1e-3
    )
    np.testing.assert_allclose(
        ours.reconstruction_error(X) * SCALE**2,
        scaled.reconstruction_error(digits[:400]),
        atol=1e-4,
    )
    one, other = (vae.sample(5, random_state=0) for vae in (ours, scaled))
    np.testing.assert_allclose(one * SCALE, other, atol=1e-3)
    assert ours.n_iter_ == scaled.n_iter_
    if Estimator is not AutoencoderTransformer:
        assert ours.noise_variance_ * SCALE**2 == pytest.approx(0.05, rel=1e-5)
        jacobian = 64 * np.log(SCALE)
        np.testing.assert_allclose(
            ours.score_samples(X), scaled.score_samples(digits[:400]) + jacobian, atol=0.05
        )


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_one_byte_pixels_have_likelihoods_on_the_unit_interval(likelihood, digits):
    X = np.round(digits[:400] * 16).astype(np.uint8)
    scaled = make(VAETransformer, likelihood=likelihood).fit(digits[:400])
    ours = make(VAETransformer, likelihood=likelihood, input_scale=SCALE).fit(X)
    jacobian = 64 * np.log(SCALE) if likelihood == "continuous-bernoulli" else 0.0
    np.testing.assert_allclose(
        ours.score_samples(X), scaled.score_samples(digits[:400]) + jacobian, atol=0.05
    )
    np.testing.assert_allclose(
        ours.log_likelihood(X, n_importance=4, random_state=0),
        scaled.log_likelihood(digits[:400], n_importance=4, random_state=0) + jacobian,
        atol=0.05,
    )
    draws = ours.sample(50, observation_noise=True, random_state=0)
    assert draws.min() >= 0
    assert 15 < draws.max() <= 16
    np.testing.assert_allclose(
        draws, 16 * scaled.sample(50, observation_noise=True, random_state=0), atol=0.05
    ) if likelihood == "continuous-bernoulli" else None
    with pytest.raises(
        ValueError, match=r"needs X \* input_scale in \[0, 1\]. Got values in \[0, 2"
    ):
        ours.score_samples(2 * X)


class Identity(torch.nn.Module):
    """The rows themselves, once or twice, times a weight."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.times = n_outputs // n_inputs

    def forward(self, x):
        return self.weight * x.repeat(1, self.times)


def test_users_modules_get_scaled_rows_and_return_them(digits):
    X = np.round(digits[:100] * 16).astype(np.uint8)
    autoencoder = make(
        AutoencoderTransformer,
        n_components=64,
        encoder=Identity,
        decoder=Identity,
        input_scale=SCALE,
        lr=1e-12,
    ).fit(X)
    np.testing.assert_allclose(autoencoder.transform(X), X * SCALE, rtol=1e-6)
    np.testing.assert_allclose(autoencoder.reconstruct(X), X, rtol=1e-6)


# ------------------------------------------------------------------ batch normalisation


def normalising(n_inputs, n_outputs):
    return torch.nn.Sequential(
        torch.nn.Linear(n_inputs, 8),
        torch.nn.BatchNorm1d(8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, n_outputs),
    )


@every_kind
@pytest.mark.parametrize("n_rows", [65, 129, 400])
def test_batch_normalisation_answers_row_by_row(Estimator, n_rows, table):
    X = table[:n_rows]  # 65 and 129 leave one row over
    parameters = {"encoder": normalising, "decoder": normalising, "batch_size": 64}
    fitted = make(Estimator, **parameters).fit(X)
    whole = fitted.reconstruct(X)
    for row in (0, 7, n_rows - 1):
        np.testing.assert_allclose(fitted.reconstruct(X[row : row + 1])[0], whole[row], rtol=1e-10)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.reconstruct(X), whole)
    statistics = fitted.net_.module_.encoder[1]
    assert statistics.num_batches_tracked.item() == 3 * (n_rows // 64 + (n_rows % 64 > 1))


def test_batch_normalisation_refuses_batches_of_one_row(table):
    sentence = (
        "Batch normalisation divides by the standard deviation of a batch, and needs "
        "batch_size >= 2. Got batch_size=1 instead. Raise it."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(VAETransformer, encoder=normalising, batch_size=1).fit(table)
    make(VAETransformer, batch_size=1, max_epochs=1).fit(table[:10])


class Recording(Callback):
    """Writes 1 under a name at the end of every epoch."""

    def __init__(self, name):
        self.name = name

    def on_epoch_end(self, net, **kwargs):
        net.history.record(self.name, 1)


def test_what_some_chunks_did_not_record_is_nan(table):
    vae = make(VAETransformer)
    for name in ("one", "other", "one"):
        vae.set_params(callbacks=[Recording(name)]).partial_fit(table)
    np.testing.assert_array_equal(vae.history_["one"], [1, np.nan, 1])
    np.testing.assert_array_equal(vae.history_["other"], [np.nan, 1, np.nan])
