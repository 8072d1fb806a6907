"""Weights that were trained elsewhere: what a fitted estimator takes with them, and what not."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)

every_kind = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)


def make(Estimator=VAETransformer, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": 0}
    return Estimator(**{**settings, **parameters})


def weights_of(estimator):
    return estimator.net_.module_.state_dict()


@every_kind
@pytest.mark.parametrize("as_arrays", [False, True])
def test_an_estimator_with_the_weights_of_another_answers_as_it_does(Estimator, as_arrays, table):
    other = make(Estimator, max_epochs=5).fit(table)
    weights = weights_of(other)
    if as_arrays:
        weights = {name: weight.numpy().astype(np.float64) for name, weight in weights.items()}
    estimator = make(Estimator).fit(table)
    history = estimator.history_
    assert estimator.load_weights(weights, table) is estimator
    for X in (table, table.astype(np.float32)):
        np.testing.assert_array_equal(estimator.transform(X), other.transform(X))
        np.testing.assert_allclose(estimator.score_samples(X), other.score_samples(X), rtol=1e-5)
    np.testing.assert_allclose(
        estimator.sample(5, random_state=0), other.sample(5, random_state=0), rtol=1e-5
    )
    assert estimator.history_ is history
    assert estimator.n_iter_ == 2 == len(estimator.net_.history)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.transform(table), other.transform(table))


@pytest.mark.parametrize("noise_variance", ["learned", "per-feature"])
def test_a_learned_noise_variance_is_set_on_the_rows_given(noise_variance, table):
    other = make(max_epochs=5, noise_variance=noise_variance).fit(table)
    weights = dict(weights_of(other))
    weights["observation.log_scale"] = weights["observation.log_scale"] + 3.0
    estimator = make(noise_variance=noise_variance).fit(table).load_weights(weights, table)
    np.testing.assert_allclose(estimator.noise_variance_, other.noise_variance_, rtol=1e-5)


def test_later_changes_of_the_weights_given_do_not_reach_the_estimator(table):
    weights = {name: weight.clone() for name, weight in weights_of(make().fit(table)).items()}
    estimator = make().fit(table).load_weights(weights, table)
    codes = estimator.transform(table)
    for weight in weights.values():
        weight.zero_()
    np.testing.assert_array_equal(estimator.transform(table), codes)


def test_further_training_begins_with_a_new_optimizer(table):
    estimator = make().partial_fit(table)
    assert estimator.net_.optimizer_.state
    estimator.load_weights(weights_of(estimator), table)
    assert not estimator.net_.optimizer_.state
    for model in (estimator, pickle.loads(pickle.dumps(estimator))):
        assert model.partial_fit(table).n_iter_ == 2


def wrapped(weights):
    return {f"module.{name}": weight for name, weight in weights.items()}


def without_one(weights):
    return {name: weight for name, weight in weights.items() if name != "decoder.output.bias"}


def transposed(weights):
    return weights | {"encoder.layers.2.weight": weights["encoder.layers.2.weight"].T}


def infinite(weights):
    bias = weights["decoder.output.bias"]
    return weights | {"decoder.output.bias": torch.full_like(bias, torch.inf)}


def huge(weights):
    bias = weights["decoder.output.bias"]
    return weights | {"decoder.output.bias": torch.full_like(bias, 1e30)}


OF_ANOTHER = "The weights must be the state dict of a network like net_.module_. Got "
REMEDY = " instead. Train a copy of net_.module_, and give its state_dict(), unwrapped."
NOT_FINITE = (
    "The weights, and the results that they give on X, must be finite. Got inf or nan instead. "
    "Train with a smaller lr, or scale X."
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (wrapped, f"{OF_ANOTHER}no 'decoder.centre'{REMEDY}"),
        (without_one, f"{OF_ANOTHER}no 'decoder.output.bias'{REMEDY}"),
        (lambda weights: weights | {"z": 0.0}, f"{OF_ANOTHER}an unknown 'z'{REMEDY}"),
        (transposed, f"{OF_ANOTHER}'encoder.layers.2.weight' of shape (8, 4) for (4, 8){REMEDY}"),
        (infinite, NOT_FINITE),
        (huge, NOT_FINITE),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(change, sentence, table):
    estimator = make().fit(table)
    before = dict(vars(estimator))
    codes = estimator.transform(table)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        estimator.load_weights(change(dict(weights_of(estimator))), table)
    assert vars(estimator) == before
    np.testing.assert_array_equal(estimator.transform(table), codes)


def test_an_unfitted_estimator_has_no_network_to_take_weights(table):
    with pytest.raises(NotFittedError):
        make().load_weights({}, table)
