"""What an epoch waits for: nothing of a GPU but its end, whatever callbacks hear of epochs."""

import re
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from fake_cuda import FakeCuda
from skorch.callbacks import (
    BatchScoring,
    Callback,
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
from torch.utils._python_dispatch import TorchDispatchMode

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.training import devices
from skvae.training.devices import generator_of_epoch
from skvae.training.hearing import hears_batches
from skvae.training.means import EpochMeans, fetched
from skvae.training.net import AutoencoderNet

MODELS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
SETTINGS = {"n_components": 2, "max_epochs": 3, "batch_size": 64, "random_state": 0}
# To make a number or a shape of what a GPU has computed, the host waits for it.
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "is_nonzero")
# Numbers of the host become a tensor: on a GPU by a copy that the host waits for.
COPYING = ("lift_fresh", "lift")
FETCHING = ("tolist", "cpu")


class Watch(TorchDispatchMode):
    """Notes the operations that the host would wait for."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        if name in WAITING + COPYING:
            self.waits.append(name)
        return operation(*args, **(kwargs or {}))


@pytest.fixture
def waits(monkeypatch):
    """For every fit what its epochs waited for, but the fetching of their means."""
    found = []
    watch = Watch()

    def watched(name):
        plain = getattr(torch.Tensor, name)

        def method(tensor, *arguments, **options):
            watch.waits.append(name)
            return plain(tensor, *arguments, **options)

        return method

    plain_fit = AutoencoderNet.fit_batches

    def fit_batches(net, *arguments, **options):
        with monkeypatch.context() as patch, watch:
            for name in FETCHING:
                patch.setattr(torch.Tensor, name, watched(name))
            plain_fit(net, *arguments, **options)
        found.extend(watch.waits)
        return net

    monkeypatch.setattr(AutoencoderNet, "fit_batches", fit_batches)
    return found


@pytest.fixture
def gpu(monkeypatch):
    """The CPU in the place of a GPU that has room for all rows."""
    monkeypatch.setattr("skvae.training.batches._is_gpu", lambda device: True)
    return FakeCuda(monkeypatch)


@contextmanager
def cpu_as_gpu(free):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("skvae.training.batches._is_gpu", lambda device: True)
        yield FakeCuda(monkeypatch, free=free)


# ------------------------------------------------------------------ waits


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("Estimator", MODELS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"early_stopping": True},
        {"callbacks": [EpochTimer, partial(EarlyStopping, monitor="train_loss")]},
    ],
)
def test_an_epoch_is_fetched_once_and_waits_for_nothing_else(Estimator, options, waits, table):
    Estimator(**SETTINGS, **options).fit(table)
    assert waits == ["tolist"] * 3


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    "options",
    [
        {"kl_warmup_epochs": 2},
        {"free_bits": 0.5},
        {"noise_variance": "per-feature"},
        {"likelihood": "bernoulli", "input_scale": 1 / 16},
        {"optimizer": "sgd"},
        {"image_shape": (8, 8, 1), "architecture": "paper"},
        {"image_shape": (8, 8, 1)},
    ],
)
def test_nor_does_it_with_other_parameters(options, waits, digits):
    X = np.round(digits[:300] * 16).astype(np.uint8)
    VAETransformer(**SETTINGS, **options).fit(X)
    assert waits == ["tolist"] * 3


@pytest.mark.usefixtures("gpu")
def test_a_callback_of_batches_has_the_loss_of_each(waits, table):
    VAETransformer(**SETTINGS, callbacks=[Listener]).fit(table)
    assert waits == [*["_local_scalar_dense"] * 7, "tolist"] * 3


# ------------------------------------------------------------------ the same fit


@pytest.mark.parametrize("Estimator", MODELS)
@pytest.mark.parametrize("free", [2**30, 0])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_does_not_depend_on_where_its_rows_are(Estimator, free, early_stopping, table):
    estimator = Estimator(early_stopping=early_stopping, **SETTINGS)
    expected = estimator.fit(table)
    expected = [expected.transform(table), expected.score_samples(table), *dictionary(expected)]
    with cpu_as_gpu(free):
        fitted = estimator.fit(table)
        fitted = [fitted.transform(table), fitted.score_samples(table), *dictionary(fitted)]
    for other, values in zip(fitted, expected, strict=True):
        np.testing.assert_array_equal(other, values)


def dictionary(fitted):
    return [*fitted.history_.values(), getattr(fitted, "noise_variance_", 0.0)]


class Sent(Callback):
    """Notes at every epoch's end what was sent to the GPU so far."""

    def __init__(self, gpu):
        self.gpu = gpu

    def on_epoch_end(self, net, **kwargs):
        net.history.record("sent", [n_rows for _, n_rows in self.gpu.sent])


def test_rows_and_validation_rows_are_sent_once_for_all_epochs(gpu, table):
    vae = VAETransformer(**SETTINGS, early_stopping=True, callbacks=[lambda: Sent(gpu)])
    assert vae.fit(table).net_.history[:, "sent"] == [[360, 40]] * 3


# ------------------------------------------------------------------ what is drawn


@pytest.fixture
def seeds(monkeypatch):
    """Have epochs draw as on a GPU; hold the devices and the seeds of their generators."""
    made = []
    plain = torch.Generator

    class Generator:
        def __new__(cls, device="cpu"):
            generator = plain()
            made.append((torch.device(device).type, generator))
            return generator

    monkeypatch.setattr(
        "skvae.training.net.generator_of_epoch",
        lambda generator, device: generator_of_epoch(generator, "cuda"),
    )
    monkeypatch.setattr(devices.torch, "Generator", Generator)
    return lambda: [generator.initial_seed() for device, generator in made if device == "cuda"]


def test_the_cpu_draws_from_the_fits_generator():
    generator = torch.Generator()
    assert generator_of_epoch(generator, "cpu") is generator
    assert generator_of_epoch(generator, torch.device("mps")) is generator


def test_every_epoch_of_a_gpu_has_a_seed_from_the_fits_generator(seeds, table):
    VAETransformer(**SETTINGS).fit(table)
    first = seeds()
    assert len(set(first)) == 3
    VAETransformer(**SETTINGS).fit(table)
    assert seeds()[3:] == first
    VAETransformer(**{**SETTINGS, "random_state": 1}).fit(table)
    assert set(seeds()[6:]).isdisjoint(first)


@pytest.mark.usefixtures("seeds")
def test_training_that_goes_on_draws_as_training_without_a_break(table):
    whole = VAETransformer(**SETTINGS).fit(table)
    streamed = VAETransformer(**SETTINGS)
    for _ in range(3):
        streamed.partial_fit(table)
    np.testing.assert_array_equal(streamed.transform(table), whole.transform(table))
    parts = VAETransformer(**{**SETTINGS, "max_epochs": 1}, warm_start=True).fit(table)
    parts.set_params(max_epochs=2).fit(table)
    np.testing.assert_array_equal(parts.transform(table), whole.transform(table))


@pytest.mark.usefixtures("seeds")
def test_the_state_that_is_kept_is_that_of_a_generator_of_the_cpu(table):
    vae = VAETransformer(**SETTINGS, warm_start=True).fit(table)
    assert len(vae._generator_state_) == len(torch.default_generator.get_state())
    torch.Generator().set_state(torch.tensor(vae._generator_state_))


# ------------------------------------------------------------------ callbacks


class Listener(Callback):
    def on_batch_end(self, net, **kwargs):
        """Hear of every batch."""


class Heir(Listener):
    pass


class OfEpochs(Callback):
    def on_epoch_end(self, net, **kwargs):
        """Hear of every epoch."""


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


# ------------------------------------------------------------------ means


def test_means_of_several_epochs_are_of_rows_and_fetched_together(monkeypatch):
    fetches = []
    plain = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda x: fetches.append(len(x)) or plain(x))
    train, validation = EpochMeans(keeps="loss"), EpochMeans()
    for value, n_samples in ((1.0, 3), (5.0, 1)):
        train.add({"loss": torch.tensor(value), "kl": torch.tensor(2 * value)}, n_samples)
        validation.add({"loss": torch.tensor(-value)}, n_samples)
    assert fetched(train, validation) == [
        ({"loss": 2.0, "kl": 4.0}, [(1.0, 3), (5.0, 1)]),
        ({"loss": -2.0}, []),
    ]
    assert fetches == [5]


def test_a_loss_that_is_no_number_is_told_after_the_epoch(digits):
    vae = VAETransformer(2, lr=1e6, max_epochs=20, random_state=0, callbacks=[OfEpochs])
    sentence = r"^The training loss must stay finite\. Got (nan|inf) in epoch \d+ instead\."
    with pytest.raises(ValueError, match=re.compile(sentence)):
        vae.fit(digits)
