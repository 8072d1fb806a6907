"""Early stopping: on which rows and in which unit, and what it goes back to."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer


def test_early_stopping_stops_and_goes_back_to_the_best_epoch(table):
    settings = {"early_stopping": True, "n_iter_no_change": 3, "random_state": 0}
    fitted = BetaVAETransformer(
        2, lr=0.01, max_epochs=200, noise_variance=0.1, beta=1.0, **settings
    ).fit(table)
    losses = fitted.history_["valid_loss"]
    assert fitted.n_iter_ < 200
    best = int(np.argmin(losses)) + 1
    again = BetaVAETransformer(
        2, lr=0.01, max_epochs=best, noise_variance=0.1, beta=1.0, **settings
    ).fit(table)
    np.testing.assert_array_equal(fitted.transform(table), again.transform(table))


def test_validation_rows_are_those_given(table):
    settings = {"early_stopping": True, "max_epochs": 3, "random_state": 0}
    near = VAETransformer(2, **settings).fit(table, X_val=table[:50])
    far = VAETransformer(2, **settings).fit(table, X_val=table[:50] + 10)
    np.testing.assert_array_equal(near.history_["train_loss"], far.history_["train_loss"])
    assert (far.history_["valid_loss"] > near.history_["valid_loss"]).all()


class CountingTCVAE(BetaTCVAETransformer):
    """Notes the N of every objective that it makes."""

    def _objective(self, n_samples):
        self.counts.append(n_samples)
        return super()._objective(n_samples)


def test_the_validation_objective_counts_the_validation_rows(table):
    estimator = CountingTCVAE(2, max_epochs=1, early_stopping=True)
    estimator.counts = []
    estimator.fit(table)
    assert estimator.counts == [360, 40]


def test_tol_is_in_nats_per_feature_and_for_the_autoencoder_in_squares(table):
    assert VAETransformer(tol=0.5)._tolerance(6) == 3.0
    assert AutoencoderTransformer(tol=0.5)._tolerance(6) == 0.5


def test_the_validation_fraction_is_shuffled_and_out_of_the_noise_variance(table):
    X = table.copy()
    X[:40] += 100.0  # the first tenth is another population
    X[360:] -= 100.0
    settings = {"early_stopping": True, "max_epochs": 2, "lr": 1e-30}
    held_out = [
        VAETransformer(2, random_state=seed, **settings).fit(X).history_["valid_reconstruction"][0]
        for seed in range(5)
    ]
    whole = VAETransformer(2, max_epochs=1, lr=1e-30, random_state=0).fit(X)
    assert max(held_out) < 2 * whole.history_["reconstruction"][0]
    wild = VAETransformer(2, random_state=0, **settings).fit(table, X_val=table + 1000)
    plain = VAETransformer(2, max_epochs=2, lr=1e-30, random_state=0).fit(table)
    assert wild.noise_variance_ == pytest.approx(plain.noise_variance_, rel=1e-6)


class StopAt(Callback):
    """Ends training as skorch's EarlyStopping does."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_callback_that_stops_leaves_early_stopping_its_best_epoch(epoch, table):
    settings = {"early_stopping": True, "random_state": 0}
    stopped = VAETransformer(2, max_epochs=9, callbacks=[StopAt(epoch)], **settings).fit(table)
    plain = VAETransformer(2, max_epochs=epoch, **settings).fit(table)
    assert stopped.n_iter_ == epoch
    np.testing.assert_array_equal(stopped.transform(table), plain.transform(table))


def test_early_stopping_waits_for_the_schedules_and_watches_full_weights(table):
    patient = {"early_stopping": True, "n_iter_no_change": 1, "tol": 1e6, "random_state": 0}
    plain = VAETransformer(2, **patient).fit(table)
    assert plain.n_iter_ == 2  # the first epoch counts, the second is no better by tol
    warm = VAETransformer(2, kl_warmup_epochs=5, **patient).fit(table)
    assert warm.n_iter_ == 7
    held = BetaVAETransformer(2, capacity=1.0, capacity_epochs=9, **patient).fit(table)
    assert held.n_iter_ == 11
    history = warm.history_
    full = history["valid_reconstruction"] + history["valid_kl"]
    np.testing.assert_allclose(history["valid_loss"], full, rtol=1e-6)


def test_early_stopping_of_a_warm_start_past_the_schedule_counts_at_once(table):
    patient = {"early_stopping": True, "n_iter_no_change": 1, "tol": 1e6, "random_state": 0}
    vae = VAETransformer(2, kl_warmup_epochs=3, warm_start=True, max_epochs=4, **patient)
    assert vae.fit(table).n_iter_ == 4
    # The state it starts from counts, and the first further epoch is no better by tol.
    assert vae.fit(table).n_iter_ == 5
    within = VAETransformer(2, kl_warmup_epochs=6, warm_start=True, max_epochs=2, **patient)
    assert within.fit(table).n_iter_ == 2
    assert within.set_params(max_epochs=20).fit(table).n_iter_ == 8
