"""On a GPU: fits are those of the CPU, given the same orders and noise, and wait for nothing."""

import gc
import pickle

import numpy as np
import pytest
import torch

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.nn.architectures import ARCHITECTURES
from skvae.training import transfers
from skvae.training.net import AutoencoderNet

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(
        not torch.cuda.is_available(), reason="there is no GPU that torch computes on"
    ),
    # What torch says of itself, once in a process.
    pytest.mark.filterwarnings("ignore:Attempting to run cuBLAS, but there was no current CUDA"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype"),
]

DEVICE = "cuda"
MODELS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
SETTINGS = {"n_components": 2, "max_epochs": 3, "batch_size": 64, "random_state": 0}


@pytest.fixture
def drawn_by_the_cpu(monkeypatch):
    """Have epochs on a GPU draw orders and noise from the fit's generator, as on the CPU."""
    monkeypatch.setattr(
        "skvae.training.net.generator_of_epoch", lambda generator, device: generator
    )


@pytest.fixture(params=["resident", "sent"])
def rows(request, monkeypatch):
    """Rows on the device, or sent block by block, several of them."""
    if request.param == "sent":
        monkeypatch.setattr(transfers, "_free_memory", lambda device: 0)
        monkeypatch.setattr(transfers, "BLOCK_ENTRIES", 1000)


@pytest.fixture(autouse=True)
def in_full_precision():
    """Hold convolutions at float32, where torch's default is TF32 of 11 bits."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
        yield


def assert_alike(found, expected, tolerance=1e-3):
    """Compare with a tolerance in units of the expected values' standard deviation."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.std(expected))


def read_without_gpu(vae):
    """Return what a machine without the device reads from a pickle."""
    state = vae.__getstate__()
    parameters = {**state["_fitted_params_"], "device": "nowhere"}
    moved = VAETransformer()
    with pytest.warns(UserWarning, match="computes on the CPU"):
        moved.__setstate__({**state, "device": "nowhere", "_fitted_params_": parameters})
    return moved


@pytest.mark.usefixtures("drawn_by_the_cpu", "rows")
@pytest.mark.parametrize("Estimator", MODELS)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_is_that_of_the_cpu(Estimator, early_stopping, table):
    settings = {**SETTINGS, "early_stopping": early_stopping}
    theirs, ours = (Estimator(device=d, **settings).fit(table) for d in ("cpu", DEVICE))
    assert ours.history_.keys() == theirs.history_.keys()
    for name, values in theirs.history_.items():
        np.testing.assert_allclose(ours.history_[name], values, rtol=1e-3, atol=1e-3)
    assert_alike(ours.transform(table), theirs.transform(table))
    assert_alike(ours.reconstruct(table), theirs.reconstruct(table))
    assert_alike(ours.score_samples(table), theirs.score_samples(table))


@pytest.mark.usefixtures("drawn_by_the_cpu", "rows")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_fit_to_images_is_that_of_the_cpu(architecture, digits):
    X = np.round(digits[:320] * 16).astype(np.uint8)
    # Two steps: a leaky ReLU behind a normalisation makes one of 1e-7 apart 1e-2 apart in twenty.
    settings = {**SETTINGS, "max_epochs": 1, "batch_size": 160}
    settings |= {"image_shape": (8, 8, 1), "architecture": architecture}
    theirs, ours = (VAETransformer(device=d, **settings).fit(X) for d in ("cpu", DEVICE))
    for name, values in theirs.history_.items():
        np.testing.assert_allclose(ours.history_[name], values, rtol=1e-3, atol=1e-3)
    assert_alike(ours.transform(X), theirs.transform(X), tolerance=1e-2)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("Estimator", MODELS)
def test_a_fit_is_a_function_of_random_state(Estimator, table):
    first, second = (Estimator(device=DEVICE, **SETTINGS).fit(table) for _ in range(2))
    np.testing.assert_array_equal(first.transform(table), second.transform(table))
    other = Estimator(device=DEVICE, **{**SETTINGS, "random_state": 1}).fit(table)
    assert not np.array_equal(first.transform(table), other.transform(table))


def test_a_fit_does_not_depend_on_where_its_rows_are(table, monkeypatch):
    resident = VAETransformer(device=DEVICE, **SETTINGS).fit(table)
    monkeypatch.setattr(transfers, "_free_memory", lambda device: 0)
    sent = VAETransformer(device=DEVICE, **SETTINGS).fit(table)
    assert_alike(sent.transform(table), resident.transform(table), tolerance=1e-5)


def test_training_that_goes_on_draws_as_training_without_a_break(table):
    whole = VAETransformer(device=DEVICE, **SETTINGS).fit(table)
    streamed = VAETransformer(device=DEVICE, **SETTINGS)
    for _ in range(3):
        streamed = pickle.loads(pickle.dumps(streamed.partial_fit(table)))
    assert_alike(streamed.transform(table), whole.transform(table), tolerance=1e-5)


@pytest.mark.parametrize("Estimator", MODELS)
def test_no_epoch_waits_for_the_device(Estimator, table, monkeypatch):
    plain = AutoencoderNet._train_epoch

    def watched(net, forward, batches, generator, number, unit):
        if number:  # rows are sent in the first epoch, by way of pinned memory
            torch.cuda.set_sync_debug_mode("error")
        try:
            return plain(net, forward, batches, generator, number, unit)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(AutoencoderNet, "_train_epoch", watched)
    Estimator(device=DEVICE, **SETTINGS).fit(table)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_a_fitted_one_answers_as_on_the_cpu(dtype, table, monkeypatch):
    X = (table - table.min()).astype(dtype)
    vae = VAETransformer(device=DEVICE, **SETTINGS).fit(X)
    moved = read_without_gpu(vae)
    monkeypatch.setattr("skvae.training.batches.GPU_CHUNK_ENTRIES", 2**14)  # several chunks
    for method in ("transform", "reconstruct", "reconstruction_error", "score_samples"):
        assert_alike(getattr(vae, method)(X), getattr(moved, method)(X))
    codes = vae.transform(X)
    assert codes.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert_alike(vae.inverse_transform(codes), moved.inverse_transform(codes))
    assert_alike(vae.sample(5, random_state=0), moved.sample(5, random_state=0))


def test_training_goes_on_where_the_device_is_absent(table):
    vae = VAETransformer(device=DEVICE, warm_start=True, **SETTINGS).fit(table)
    moved = read_without_gpu(vae)
    moved.set_params(device="cpu").fit(table)
    assert moved.n_iter_ == 6


def held_megabytes():
    gc.collect()
    return torch.cuda.memory_allocated() / 2**20


def test_bytes_stay_bytes_and_no_row_stays_after_a_fit(monkeypatch):
    X = np.random.RandomState(0).randint(0, 256, (8192, 1024), dtype=np.uint8)  # 8 megabytes
    made = []
    plain = transfers.rows_on
    monkeypatch.setattr(
        transfers, "rows_on", lambda *arguments: made.append(plain(*arguments)) or made[-1]
    )
    small = {"hidden_layer_sizes": (8,), "input_scale": 1 / 255, "noise_variance": 0.5}
    vae = VAETransformer(2, max_epochs=1, device=DEVICE, **small).fit(X)
    assert [rows.rows.dtype for rows in made] == [torch.uint8]
    made.clear()
    before = held_megabytes()  # libraries have their workspaces, and the model is there
    vae.fit(X)
    made.clear()
    assert held_megabytes() - before < 4
    assert next(vae.net_.module_.parameters()).device.type == "cuda"
