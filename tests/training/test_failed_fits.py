"""A fit that diverges or is interrupted says so, and leaves nothing fitted."""

import signal

import numpy as np
import pytest
from skorch.callbacks import Callback

from skvae import AutoencoderTransformer, VAETransformer


def test_a_loss_that_is_not_finite_stops_the_fit_and_leaves_nothing(digits):
    vae = VAETransformer(2, lr=1e6, max_epochs=20, random_state=0)
    message = (
        r"^The training loss must stay finite\. Got (nan|inf) in epoch \d+ instead\. "
        r"Use a smaller lr than 1000000\.0, or scale X\.$"
    )
    with pytest.raises(ValueError, match=message):
        vae.fit(digits)
    assert [name for name in vars(vae) if name.endswith("_")] == []


def test_a_validation_loss_that_is_not_finite_stops_the_fit(table):
    X_val = np.vstack([table[:5], np.full((1, 6), 1e25)])
    message = r"^The validation loss must stay finite\. Got (nan|inf) in epoch 1 instead\."
    with pytest.raises(ValueError, match=message):
        VAETransformer(2, early_stopping=True, max_epochs=3).fit(table, X_val=X_val)


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_a_fit_that_diverges_in_its_last_step_is_refused(Estimator, table):
    estimator = Estimator(2, max_epochs=1, batch_size=4000, lr=1e30, random_state=0)
    message = (
        rf"^The fitted {Estimator.__name__} must be finite\. Got inf or nan after epoch 1 "
        r"instead\. Use a smaller lr than 1e\+30, or scale X\.$"
    )
    with pytest.raises(ValueError, match=message):
        estimator.fit(table)
    assert [name for name in vars(estimator) if name.endswith("_")] == []


class Interrupt(Callback):
    """Presses Ctrl-C in the middle of a batch."""

    def on_batch_begin(self, net, **kwargs):
        raise KeyboardInterrupt


def test_ctrl_c_propagates_and_leaves_the_estimator_unfitted(table):
    vae = VAETransformer(2, max_epochs=2).fit(table)
    vae.set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        vae.fit(table)
    assert [name for name in vars(vae) if name.endswith("_")] == []


class SignalAtEpochEnd(Callback):
    """Presses Ctrl-C while an epoch's callbacks run."""

    def on_epoch_end(self, net, **kwargs):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interruptible():
    """Have SIGINT raise, also where the process was started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_propagates_from_within_a_callback_as_well(interruptible, table):
    with pytest.raises(KeyboardInterrupt):
        VAETransformer(2, max_epochs=2, callbacks=[SignalAtEpochEnd()]).fit(table)
