"""Which callbacks hear of batches, and when the history of batches is there."""

import numpy as np
import pytest
from few_epochs import SETTINGS, Listener, OfEpochs
from skorch.callbacks import (
    BatchScoring,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    LRScheduler,
    MlflowLogger,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TensorBoard,
)

from skvae import AutoencoderTransformer, VAETransformer
from skvae.training.hearing import hears_batches


class Heir(Listener):
    pass


class NoHeir:
    def on_train_begin(self, net, **kwargs):
        """Have a hook, but be no callback of skorch's."""


class Watchful(TensorBoard):
    """May look at ``first_batch_``."""


@pytest.mark.parametrize(
    "callback",
    [
        OfEpochs(),
        NoHeir(),
        EpochTimer(),
        EarlyStopping(),
        Checkpoint(),
        PrintLog(),
        Freezer("encoder.*"),
        EpochScoring("r2"),
        PassthroughScoring("train_loss"),
        LRScheduler(),
        TensorBoard(None),
        MlflowLogger(None, None),
    ],
)
def test_callbacks_of_epochs_hear_of_no_batch(callback):
    assert not hears_batches(callback)


def instance():
    callback = OfEpochs()
    callback.on_grad_computed = lambda net, named_parameters, **kwargs: None
    return callback


@pytest.mark.parametrize(
    "callback",
    [
        Listener(),
        Heir(),
        instance(),
        ProgressBar(),
        GradientNormClipping(1.0),
        BatchScoring("r2"),
        LRScheduler(step_every="batch"),
        MlflowLogger(None, None, log_on_batch_end=True),
        Watchful(None),
    ],
)
def test_callbacks_of_batches_hear_of_them(callback):
    assert hears_batches(callback)


@pytest.mark.parametrize("callback", [OfEpochs, Listener])
def test_the_history_of_batches_is_there_at_the_end_of_an_epoch(callback, table):
    score = PassthroughScoring("train_loss", on_train=True)
    vae = VAETransformer(**SETTINGS, callbacks=[callback, score]).fit(table)
    for epoch in vae.net_.history:
        losses = [batch["train_loss"] for batch in epoch["batches"]]
        sizes = [batch["train_batch_size"] for batch in epoch["batches"]]
        assert sizes == [64] * 6 + [16]
        assert epoch["train_loss"] == pytest.approx(np.average(losses, weights=sizes), rel=1e-6)


def test_the_history_of_batches_is_the_same_heard_of_or_not(table):
    heard, not_heard = (
        VAETransformer(**SETTINGS, callbacks=[callback]).fit(table).net_.history
        for callback in (Listener, OfEpochs)
    )
    assert heard.to_list() == not_heard.to_list()


def test_a_file_may_be_named_after_the_last_batch(tmp_path, table):
    checkpoint = Checkpoint(
        "train_loss_best",
        dirname=tmp_path,
        f_params="{last_batch[train_batch_size]}.pt",
        f_optimizer=None,
        f_criterion=None,
        f_history=None,
    )
    AutoencoderTransformer(**SETTINGS, callbacks=[checkpoint]).fit(table)
    assert [path.name for path in tmp_path.iterdir()] == ["16.pt"]
