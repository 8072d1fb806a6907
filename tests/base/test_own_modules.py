"""Modules of one's own as encoder and decoder: trained, seeded, refused where they do not fit."""

import copy
import re

import numpy as np
import pytest
import torch
from sentences import exactly
from small_transformers import Doubler, every_estimator, small

from skvae import AutoencoderTransformer, VAETransformer


def test_a_module_that_returns_no_tensor_is_refused(table):
    sentence = (
        "The module that encoder= returns must map rows of 6 values to rows of 4. Got no tensor "
        "for 2 rows instead. Use the widths that encoder(n_inputs, n_outputs) is called with."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer, encoder=torch.nn.LSTM).fit(table)


def test_users_modules_of_the_wrong_kind_are_refused(table):
    sentence = (
        "The module that encoder= returns must map rows of 6 values to rows of 4. Got an output "
        "of shape (2, 2) for 2 rows instead. Use the widths that encoder(n_inputs, n_outputs) is "
        "called with."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer, encoder=lambda n, m: torch.nn.Linear(n, 2)).fit(table)
    sentence = (
        "The callable decoder= must return an nn.Module. Got int instead. Return an instance of "
        "the module, not its output."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        small(AutoencoderTransformer, decoder=lambda n, m: 3).fit(table)


def test_a_module_in_place_of_a_callable_is_refused(table):
    sentence = (
        "encoder= must be a callable that returns an nn.Module, so that every fit has its own. "
        "Got a Linear module instead. Pass a function of (n_inputs, n_outputs) that makes it."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        small(VAETransformer, encoder=torch.nn.Linear(6, 4)).fit(table)


def test_a_module_of_the_wrong_input_width_is_refused(table):
    start = "The module that decoder= returns must map rows of 2 values to rows of 6. Got an error "
    end = "Use the widths that decoder(n_inputs, n_outputs) is called with."
    with pytest.raises(ValueError, match=f"^{re.escape(start)}.*{re.escape(end)}$"):
        small(VAETransformer, decoder=lambda n, m: torch.nn.Linear(3, m)).fit(table)


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of random weights
@every_estimator
def test_users_modules_are_trained_and_seeded(Estimator, table):
    settings = {"encoder": Doubler, "decoder": Doubler}
    state = torch.get_rng_state()
    fitted = small(Estimator, **settings).fit(table)
    assert fitted.net_.module_.encoder.linear.weight.shape == (
        2 if Estimator is AutoencoderTransformer else 4,
        6,
    )
    assert not fitted.net_.module_.encoder.training
    np.testing.assert_array_equal(fitted.transform(table), fitted.transform(table))
    start = small(Estimator, lr=1e-30, max_epochs=1, **settings).fit(table)
    torch.set_rng_state(state)
    other = small(Estimator, lr=1e-30, max_epochs=1, **settings).fit(table)
    np.testing.assert_array_equal(start.transform(table), other.transform(table))
    assert not np.allclose(fitted.transform(table), start.transform(table))


def test_users_modules_share_no_random_numbers_with_ours(table):
    fitted = small(
        VAETransformer,
        n_components=4,
        hidden_layer_sizes=(),
        encoder=torch.nn.Linear,
        lr=1e-30,
        max_epochs=1,
    ).fit(table)
    encoder = fitted.net_.module_.encoder.weight.detach().ravel()
    decoder = fitted.net_.module_.decoder.output.weight.detach().ravel()
    assert abs(np.corrcoef(encoder[:24], decoder[:24])[0, 1]) < 0.7


def test_fitting_users_modules_leaves_the_global_generators_alone(table):
    torch.manual_seed(5)
    state = torch.get_rng_state()
    small(VAETransformer, encoder=torch.nn.Linear, decoder=torch.nn.Linear).fit(table)
    assert torch.equal(torch.get_rng_state(), state)


class Keeper(torch.nn.Linear):
    """A user's module that keeps its output, which cannot be deep-copied."""

    def forward(self, x):
        self.kept = super().forward(x)
        return self.kept


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of random weights
@every_estimator
def test_modules_that_keep_tensors_are_fitted_and_copied(Estimator, table):
    fitted = small(Estimator, encoder=Keeper, decoder=Keeper).fit(table)
    copied = copy.deepcopy(fitted)
    np.testing.assert_array_equal(copied.transform(table), fitted.transform(table))
