"""The fits of the paper's experiment: pieces that add up to one fit, and what tells fits apart."""

from dataclasses import fields, replace
from types import SimpleNamespace

import _paper_fits
import numpy as np
import pytest
from _common import write_whole
from _paper_fits import Model, Setting, epochs_of_a_piece, fetch, fingerprint, is_kept

from skvae.training.flat_adam import FlatAdam

SETTING = Setting(
    data="noise",
    fingerprint="0",
    n_train=40,
    n_test=10,
    architecture="hybrid",
    device="cpu",
    precision="float32",
    max_epochs=4,
    lr=1e-3,
    noise_variance=0.5,
    seed=0,
)
N_STEPS = 3  # of an epoch: 40 rows in batches of 16
MODELS = [
    Model("AE", None, 3),
    Model("VAE", 1.0, 3),
    Model("VAE", 1.0, 3, learned=True),
    Model("BetaVAE", 5.0, 3),
    Model("BetaTCVAE", 20.0, 3),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.key(SETTING)[:16])


@pytest.fixture
def images(monkeypatch):
    monkeypatch.setattr(_paper_fits, "BATCH_SIZE", 16)
    monkeypatch.setattr(_paper_fits, "PIECE_SECONDS", 0.0)  # every epoch goes to the disk
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8 * 8 * 3)).astype(np.uint8)
    return SimpleNamespace(train=pixels, image_shape=(8, 8, 3))


def interrupted_at(step, monkeypatch):
    """Have the optimizer's step of this number raise what Ctrl-C does."""
    taken, take = [], FlatAdam.step

    def counted(self, *arguments, **options):
        taken.append(None)
        if len(taken) == step:
            raise KeyboardInterrupt
        return take(self, *arguments, **options)

    monkeypatch.setattr(FlatAdam, "step", counted)


@every_model
@pytest.mark.parametrize("step", [2, N_STEPS + 2, 3 * N_STEPS + 1])
def test_an_interrupted_fit_ends_in_the_same_numbers(model, step, images, tmp_path, monkeypatch):
    (tmp_path / "whole").mkdir()
    whole = fetch(model, SETTING, images, tmp_path / "whole").estimator
    with monkeypatch.context() as patch:
        interrupted_at(step, patch)
        with pytest.raises(KeyboardInterrupt):
            fetch(model, SETTING, images, tmp_path)
    assert not is_kept(model, SETTING, tmp_path)
    trained = []
    fit = fetch(model, SETTING, images, tmp_path, lambda epochs, seconds: trained.append(epochs))
    assert trained == list(range((step - 1) // N_STEPS + 1, 5))  # the epochs before are not again
    assert is_kept(model, SETTING, tmp_path)
    codes = whole.transform(images.train)
    np.testing.assert_array_equal(fit.estimator.transform(images.train), codes)
    np.testing.assert_array_equal(
        fit.estimator.inverse_transform(codes), whole.inverse_transform(codes)
    )
    for name, values in whole.history_.items():
        np.testing.assert_array_equal(fit.estimator.history_[name], values)


@every_model
def test_pieces_are_one_fit_without_a_warm_start(model, images, tmp_path):
    fit = fetch(model, SETTING, images, tmp_path)
    plain = model.estimator(SETTING, images.image_shape).set_params(warm_start=False)
    codes = plain.fit(images.train).transform(images.train)
    np.testing.assert_array_equal(fit.estimator.transform(images.train), codes)


@pytest.mark.parametrize("n_epochs", [4, 6])
def test_a_fit_warns_of_its_end_alone(n_epochs, images, tmp_path):
    # The fit of six epochs is that of four with two more: both ends warn.
    collapsing = Model("BetaVAE", 1e6, 3)
    (message,) = fetch(collapsing, replace(SETTING, max_epochs=n_epochs), images, tmp_path).messages
    assert message.startswith("ConvergenceWarning: The codes must vary over the rows.")


def test_a_fit_that_another_process_ends_meanwhile_is_taken(images, tmp_path):
    told, others = [], []

    def tell(epochs, seconds):
        told.append(epochs)
        if epochs == 2:
            others.append(fetch(MODELS[1], SETTING, images, tmp_path))

    fit = fetch(MODELS[1], SETTING, images, tmp_path, tell)
    assert told == [1, 2]
    codes = others[0].estimator.transform(images.train)
    np.testing.assert_array_equal(fit.estimator.transform(images.train), codes)
    assert [path.suffix for path in tmp_path.iterdir()] == [".joblib"]


def test_a_state_that_another_process_removes_at_its_end_is_not_missed(
    images, tmp_path, monkeypatch
):
    write = _paper_fits.write_whole

    def write_and_lose(path, content):
        write(path, content)
        if path.suffix == ".joblib":
            path.with_suffix(".begun").unlink()

    monkeypatch.setattr(_paper_fits, "write_whole", write_and_lose)
    assert fetch(MODELS[1], SETTING, images, tmp_path).estimator.n_iter_ == 4
    assert [path.suffix for path in tmp_path.iterdir()] == [".joblib"]


def test_a_kept_fit_is_read_and_not_fitted_again(images, tmp_path, monkeypatch):
    fetch(MODELS[0], SETTING, images, tmp_path)
    interrupted_at(1, monkeypatch)
    assert fetch(MODELS[0], SETTING, images, tmp_path).estimator.n_iter_ == 4
    assert {path.suffix for path in tmp_path.iterdir()} == {".joblib"}


@pytest.mark.parametrize("name", [field.name for field in fields(Setting)])
def test_whatever_is_set_makes_another_fit(name):
    value = getattr(SETTING, name)
    other = replace(SETTING, **{name: f"{value}x" if isinstance(value, str) else value + 1})
    assert MODELS[0].key(other) != MODELS[0].key(SETTING)


def test_models_and_sizes_of_batches_make_other_fits(monkeypatch):
    models = [*MODELS, Model("VAE", 1.0, 4), Model("BetaVAE", 4.0, 3)]
    keys = {model.key(SETTING) for model in models}
    monkeypatch.setattr(_paper_fits, "BATCH_SIZE", 64)
    keys |= {model.key(SETTING) for model in models}
    assert len(keys) == 2 * len(models)


def test_other_images_have_another_fingerprint():
    X = np.arange(300, dtype=np.uint8).repeat(4).reshape(300, 4)
    assert fingerprint(X) == fingerprint(X.copy()) != fingerprint(X[::-1])


@pytest.mark.parametrize(
    ("done", "left", "seconds", "n_epochs"),
    [
        (0, 30, 0.0, 1),  # the first tells how long one takes
        (1, 29, 7.0, 8),  # 56 seconds
        (9, 21, 63.0, 8),
        (1, 5, 7.0, 5),
        (1, 29, 61.0, 1),
        (1, 29, 1_500.0, 1),
        (3, 27, 0.0, 27),
    ],
)
def test_a_piece_is_a_minute_or_an_epoch(done, left, seconds, n_epochs):
    assert epochs_of_a_piece(done, left, seconds) == n_epochs


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file.json"
    write_whole(path, lambda part: part.write_text("old"))

    def fail(part):
        part.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, fail)
    assert path.read_text() == "old"


def test_a_learned_variance_is_measured_on_the_scale_of_the_others(images, tmp_path):
    learned, held = MODELS[2], MODELS[1]
    fit = fetch(learned, SETTING, images, tmp_path)
    variance = learned.as_fitted(SETTING, fit.estimator).noise_variance
    assert variance == pytest.approx(fit.estimator.noise_variance_ / 255**2)
    assert variance == pytest.approx((images.train / 255).var(), rel=0.2)  # nothing is learned yet
    assert held.as_fitted(SETTING, None) is SETTING
