"""What an epoch waits for: nothing of a GPU but its end, and the same fit wherever its rows are."""

import re
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from fake_cuda import FakeCuda
from few_epochs import SETTINGS, Listener, OfEpochs
from skorch.callbacks import Callback, EarlyStopping, EpochTimer
from torch.utils._python_dispatch import TorchDispatchMode

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.training.means import EpochMeans, fetched
from skvae.training.net import AutoencoderNet

MODELS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]


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


@contextmanager
def cpu_as_gpu(free):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("skvae.training.batches._is_gpu", lambda device: True)
        yield FakeCuda(monkeypatch, free=free)


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
