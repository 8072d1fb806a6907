"""Weights of penalties that change over the epochs: warm-up, capacity and free bits."""

import math
import re
import warnings

import numpy as np
import pytest

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.datasets import make_linear_gaussian
from skvae.metrics import active_units

FULL_BATCH = {"batch_size": 400, "max_epochs": 6, "random_state": 0}


def test_history_has_the_terms_and_the_loss_their_scheduled_sum(table):
    vae = VAETransformer(2, kl_warmup_epochs=2, kl_cycles=2, **FULL_BATCH).fit(table)
    history, factors = vae.history_, [0, 0.5, 1, 1, 0, 0.5]
    expected = history["reconstruction"] + factors * history["kl"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-6)
    plain = VAETransformer(2, **FULL_BATCH).fit(table)
    assert plain.history_["kl"][0] == history["kl"][0]


def test_the_weights_fall_by_equal_ratios_from_a_start_above_1(table):
    vae = VAETransformer(2, kl_warmup_epochs=4, kl_warmup_start=16.0, **FULL_BATCH).fit(table)
    history = vae.history_
    expected = history["reconstruction"] + np.array([16, 8, 4, 2, 1, 1]) * history["kl"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-6)


def test_codes_open_one_after_another_under_weights_that_fall():
    # Direction k of a linear VAE is open while the weight is below lambda_k over the variance.
    eigenvalues = (48.0, 12.0, 4.0)
    rows = make_linear_gaussian(
        2000, n_features=6, eigenvalues=eigenvalues, noise_variance=1.0, exact=True, random_state=0
    ).data
    schedule = {"kl_warmup_epochs": 200, "kl_warmup_start": 64.0}
    settings = {"noise_variance": 1.0, "hidden_layer_sizes": (), "lr": 0.01, "random_state": 0}
    for epochs, opened in ((8, 0), (60, 1), (115, 2), (200, 3)):
        vae = VAETransformer(3, max_epochs=epochs, **schedule, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the schedule is not over, or nothing open yet
            vae.fit(rows)
        assert sum(value > 64 ** (1 - epochs / 200) for value in eigenvalues) == opened
        assert active_units(vae, rows, threshold=0.1) == opened


def test_a_step_takes_its_share_of_a_warmups_epoch(table):
    # Four batches an epoch, at 0, 1/8, 2/8 and 3/8 of the weight.
    vae = VAETransformer(
        2, kl_warmup_epochs=2, max_epochs=2, batch_size=100, lr=1e-12, random_state=0
    ).fit(table)
    history = vae.history_
    share = (history["train_loss"] - history["reconstruction"]) / history["kl"]
    np.testing.assert_allclose(share, [1.5 / 8, 5.5 / 8], rtol=0.05)


def test_capacity_rises_over_its_epochs(table):
    vae = BetaVAETransformer(2, beta=50.0, capacity=3.0, capacity_epochs=4, **FULL_BATCH)
    history = vae.fit(table).history_
    capacity = 3.0 * np.array([0, 0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(history["kl_off_capacity"], abs(history["kl"] - capacity), rtol=1e-4)
    expected = history["reconstruction"] + 50 * history["kl_off_capacity"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-5)


def test_a_strong_capacity_is_reached(table):
    vae = BetaVAETransformer(
        3, beta=1000.0, capacity=2.0, capacity_epochs=50, max_epochs=100, lr=1e-2, random_state=0
    ).fit(table)
    assert vae.history_["kl"][-20:].mean() == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("Estimator", [VAETransformer, BetaVAETransformer, BetaTCVAETransformer])
def test_free_bits_are_a_term_of_their_own(Estimator, table):
    vae = Estimator(3, free_bits=1.0, noise_variance=100.0, **FULL_BATCH).fit(table)
    assert (vae.history_["free_bits_kl"] >= vae.history_["kl"]).all()
    assert (vae.history_["free_bits_kl"] >= 3.0 - 1e-6).all()


def test_a_warm_start_goes_on_in_the_schedule(table):
    settings = {"kl_warmup_epochs": 3, "batch_size": 400, "random_state": 0}
    long = VAETransformer(2, max_epochs=4, **settings).fit(table)
    parts = VAETransformer(2, max_epochs=2, warm_start=True, **settings).fit(table).fit(table)
    for name, values in long.history_.items():
        np.testing.assert_array_equal(parts.history_[name], values)


def test_after_training_the_objective_has_its_full_weights(table):
    vae = VAETransformer(2, kl_warmup_epochs=2, max_epochs=2, random_state=0).fit(table)
    assert vae.net_.criterion_.epoch == math.inf


def test_a_schedule_longer_than_the_training_warns(table):
    sentence = (
        "The objective's schedule needs 9 epochs. Got max_epochs=2 instead, so that training ends "
        "before it does. Raise max_epochs, or shorten the schedule."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        VAETransformer(2, kl_warmup_epochs=9, max_epochs=2).fit(table)


@pytest.mark.parametrize(("name", "value"), [("kl_cycles", 3), ("kl_warmup_start", 20.0)])
def test_what_is_of_a_warmup_needs_one(table, name, value):
    sentence = (
        f"{name} is a setting of the warm-up, and needs kl_warmup_epochs >= 1. Got {name}={value} "
        f"with kl_warmup_epochs=0 instead. Set both, or neither."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        VAETransformer(**{name: value}).fit(table)


def test_schedules_that_contradict_are_refused(table):
    sentence = (
        "capacity and free_bits both keep the divergence from falling, and cannot be used "
        "together. Got capacity=2.0 and free_bits=0.5 instead. Set only one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        BetaVAETransformer(capacity=2.0, free_bits=0.5).fit(table)
