"""Callbacks of skorch do in a fit what they do in a net of skorch."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import get_scorer
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)

from skvae import AutoencoderTransformer, VAETransformer


class Recorder(Callback):
    """Counts what it is told of."""

    def initialize(self):
        self.calls_ = []
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.calls_.append("train_begin")

    def on_epoch_begin(self, net, **kwargs):
        self.calls_.append("epoch_begin")

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.calls_.append("batch_end")

    def on_epoch_end(self, net, **kwargs):
        self.calls_.append("epoch_end")

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.calls_.append("train_end")


def test_callbacks_hear_of_everything_and_the_users_are_never_changed(table):
    recorder = Recorder()
    fitted = VAETransformer(2, max_epochs=2, batch_size=200, callbacks=[recorder]).fit(table)
    epoch = ["epoch_begin", "batch_end", "batch_end", "epoch_end"]
    assert dict(fitted.net_.callbacks_)["Recorder"].calls_ == [
        "train_begin",
        *epoch,
        *epoch,
        "train_end",
    ]
    assert not hasattr(recorder, "calls_")


def test_a_callback_that_only_listens_changes_nothing(table):
    plain = VAETransformer(2, max_epochs=2, random_state=0).fit(table)
    heard = VAETransformer(2, max_epochs=2, random_state=0, callbacks=[Recorder()]).fit(table)
    np.testing.assert_array_equal(plain.transform(table), heard.transform(table))


def test_lr_scheduler_changes_the_learning_rate(table):
    schedule = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    fitted = VAETransformer(2, max_epochs=3, callbacks=[schedule]).fit(table)
    assert fitted.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(1e-3 / 8)


def test_skorchs_early_stopping_ends_training_normally(table):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=1e9, sink=lambda _: None)
    fitted = VAETransformer(2, max_epochs=20, callbacks=[stop]).fit(table)
    assert fitted.n_iter_ == 2
    assert fitted.transform(table).shape == (400, 2)
    by_validation = EarlyStopping(patience=1, threshold=1e9, sink=lambda _: None)
    fitted = VAETransformer(
        2, max_epochs=20, early_stopping=True, callbacks=[("stop", by_validation)]
    ).fit(table)
    assert fitted.n_iter_ == 2


def test_checkpoint_saves_at_the_best_epochs(table, tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best", f_pickle=None)
    fitted = AutoencoderTransformer(2, max_epochs=3, callbacks=[checkpoint], random_state=0).fit(
        table
    )
    assert (tmp_path / "params.pt").exists()
    assert (tmp_path / "history.json").exists()
    assert fitted.net_.history[-1, "train_loss_best"]
    checkpoint = Checkpoint(dirname=tmp_path / "valid", f_pickle=None)
    AutoencoderTransformer(2, max_epochs=2, early_stopping=True, callbacks=[checkpoint]).fit(table)
    assert (tmp_path / "valid" / "params.pt").exists()


def mean_squared_error_of(net, X, y=None):
    return float(np.mean((net.predict(X) - X) ** 2))


def test_epoch_scoring_sees_reconstructions_of_training_and_validation_rows(table):
    scores = [
        EpochScoring(mean_squared_error_of, name="train_error", on_train=True),
        EpochScoring(mean_squared_error_of, name="valid_error"),
    ]
    fitted = AutoencoderTransformer(
        2, max_epochs=2, early_stopping=True, callbacks=scores, random_state=0
    ).fit(table)
    assert fitted.history_["train_error"].shape == fitted.history_["valid_error"].shape == (2,)
    history = fitted.net_.history
    assert history[-1, "valid_loss_best"]  # so that these are the weights it was scored with
    n_train, n_valid = 360, 40
    errors = n_train * history[-1, "train_error"] + n_valid * history[-1, "valid_error"]
    expected = 400 * fitted.reconstruction_error(table).mean()
    assert errors == pytest.approx(expected, rel=1e-5)


def test_freezer_holds_the_weights_it_names(table):
    fitted = VAETransformer(
        2, max_epochs=3, callbacks=[Freezer("encoder.layers.0.*")], random_state=0
    ).fit(table)
    once = VAETransformer(2, max_epochs=1, lr=1e-30, random_state=0).fit(table)
    for name, weight in fitted.net_.module_.named_parameters():
        same = torch.allclose(weight, once.net_.module_.get_parameter(name), atol=1e-20)
        assert same == name.startswith("encoder.layers.0.")


def test_gradient_norm_clipping_limits_the_step(table):
    settings = {"max_epochs": 1, "batch_size": 400, "optimizer": "sgd", "lr": 1.0}
    start = VAETransformer(2, **{**settings, "lr": 1e-30}, random_state=0).fit(table)
    clipped = VAETransformer(
        2, **settings, callbacks=[GradientNormClipping(1e-3)], random_state=0
    ).fit(table)
    squares = sum(
        (a - b).square().sum().item()
        for a, b in zip(
            start.net_.module_.parameters(), clipped.net_.module_.parameters(), strict=True
        )
    )
    assert math.sqrt(squares) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", "r2"])
def test_epoch_scoring_by_name_compares_reconstruction_and_row(scoring, table):
    scores = [EpochScoring(scoring, name="score", on_train=True)]
    fitted = VAETransformer(2, max_epochs=1, callbacks=scores, random_state=0).fit(table)
    expected = get_scorer(scoring)._score_func(table, fitted.reconstruct(table))
    sign = get_scorer(scoring)._sign
    assert fitted.history_["score"][0] == pytest.approx(sign * expected, rel=1e-4)
