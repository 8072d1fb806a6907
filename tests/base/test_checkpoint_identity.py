"""Whose a checkpoint is: of the same call it gives the result, of any other it is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from refused_checkpoints import VAE, assert_refused, of_another_fit
from sklearn.base import clone
from sklearn.compose import make_column_selector
from skorch.callbacks import EarlyStopping, LRScheduler

from skvae import AutoencoderTransformer, SavingError
from skvae.training.steps import Steps


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit"


@pytest.fixture
def no_steps(monkeypatch):
    """Let no fit take a step."""

    def refused(steps):
        raise AssertionError("a step")

    def forbid():
        monkeypatch.setattr(Steps, "move", refused)

    return forbid


# ------------------------------------------------------------------ of a fit that has ended


@pytest.mark.parametrize("warm_start", [False, True])
def test_the_file_of_a_fit_that_has_ended_gives_it_at_once(warm_start, table, path, no_steps):
    vae = clone(VAE).set_params(warm_start=warm_start, early_stopping=True)
    fitted = clone(vae).fit(table, checkpoint=path)
    written = path.read_bytes()
    no_steps()
    again = clone(vae).fit(table, checkpoint=str(path))
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    np.testing.assert_array_equal(again.history_["train_loss"], fitted.history_["train_loss"])
    assert path.read_bytes() == written


def test_a_callbacks_stop_is_an_end(table, path, no_steps):
    stop = EarlyStopping("train_loss", patience=1, threshold=10.0)
    vae = clone(VAE).set_params(callbacks=[stop], max_epochs=20)
    fitted = clone(vae).fit(table, checkpoint=path)
    assert fitted.n_iter_ < 5
    no_steps()
    assert clone(vae).fit(table, checkpoint=path).n_iter_ == fitted.n_iter_


def test_a_fit_with_a_checkpoint_is_the_fit_without(table, path):
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    fitted = clone(VAE).fit(table, checkpoint=path)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    plain = clone(VAE).fit(table)
    np.testing.assert_array_equal(plain.transform(table), fitted.transform(table))
    assert vars(plain).keys() == vars(fitted).keys()


def test_without_a_seed_the_fit_goes_on_with_the_one_it_drew(table, path):
    vae = clone(VAE).set_params(random_state=None, early_stopping=True)
    fitted = clone(vae).fit(table, checkpoint=path)
    again = clone(vae).fit(table, checkpoint=path)
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    assert again._split_seed_ == fitted._split_seed_


# ------------------------------------------------------------------ of another fit


@pytest.mark.parametrize(
    ("parameters", "difference"),
    [
        ({"lr": 0.5}, "lr=0.001, and now lr=0.5"),
        ({"max_epochs": 4}, "max_epochs=3, and now max_epochs=4"),
        ({"hidden_layer_sizes": [5]}, "hidden_layer_sizes=(4), and now hidden_layer_sizes=(5)"),
        ({"random_state": 1}, "random_state=0, and now random_state=1"),
        ({"activation": torch.nn.Mish}, "activation='silu', and now activation=torch.nn.modules."
         "activation.Mish"),
        ({"callbacks": [LRScheduler("StepLR", step_size=1)]}, "callbacks=None, and now callbacks="
         "(skorch.callbacks.lr_scheduler.LRScheduler('policy': 'StepLR', 'monitor': 'train..."),
    ],
)  # fmt: skip
def test_other_parameters_are_refused(parameters, difference, table, path):
    clone(VAE).fit(table, checkpoint=path)
    other = clone(VAE).set_params(**parameters)
    sentence = of_another_fit(path, difference)
    assert_refused(lambda: other.fit(table, checkpoint=path), sentence, path)
    assert not hasattr(other, "net_")


def test_another_selector_is_refused(table, path):
    frame = pd.DataFrame(table).rename(columns=str)
    numbers = [("gaussian", make_column_selector(pattern)) for pattern in ("[^0]", "0")]
    clone(VAE).set_params(likelihood=numbers).fit(frame, checkpoint=path)
    other = clone(VAE).set_params(likelihood=numbers[::-1])
    with pytest.raises(
        SavingError, match=r"^checkpoint= can continue only the.* and now likelihood"
    ):
        other.fit(frame, checkpoint=path)


def test_another_class_is_refused(table, path):
    clone(VAE).fit(table, checkpoint=path)
    other = AutoencoderTransformer(2, hidden_layer_sizes=(4,), max_epochs=3, random_state=0)
    classes = "estimator=skvae.vae.VAETransformer", "estimator=skvae.autoencoder."
    sentence = of_another_fit(path, f"{classes[0]}, and now {classes[1]}AutoencoderTransformer")
    assert_refused(lambda: other.fit(table, checkpoint=path), sentence, path)


def test_other_rows_are_refused(table, path):
    vae = clone(VAE).set_params(early_stopping=True)
    clone(vae).fit(table, checkpoint=path)
    changed = table.copy()
    changed[-1, -1] += 1e-9
    for others in ({"X": changed}, {"X": table, "X_val": table}, {"X": table.astype(np.float32)}):
        with pytest.raises(SavingError, match=r"^checkpoint= can continue only the.* and now X"):
            clone(vae).fit(**others, checkpoint=path)
    clone(vae).fit(np.asfortranarray(table), checkpoint=path)  # the same


def test_what_only_shows_may_change(table, path, capfd):
    clone(VAE).fit(table, checkpoint=path)
    clone(VAE).set_params(verbose=1).fit(table, checkpoint=path)
    assert "3/3" in capfd.readouterr().err


def test_a_warm_start_of_a_fit_has_no_checkpoint(table, path):
    vae = clone(VAE).set_params(warm_start=True).fit(table)
    codes = vae.transform(table)
    with pytest.raises(ValueError, match=r"^checkpoint= needs a fit that") as refused:
        vae.fit(table, checkpoint=path)
    assert str(refused.value) == (
        "checkpoint= needs a fit that starts from the beginning. Got a warm start after another "
        "fit instead. Leave checkpoint out, or fit a clone."
    )
    np.testing.assert_array_equal(vae.transform(table), codes)
