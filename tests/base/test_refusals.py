"""What a fit refuses is told in a sentence: expected, got, remedy."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sentences import exactly
from sklearn import config_context
from sklearn.utils._param_validation import Interval
from small_transformers import every_estimator
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer

# ------------------------------------------------------------------ what is no rows of numbers


@every_estimator
@pytest.mark.parametrize(
    "rows",
    [
        [["a", "b"], ["c", "d"]],
        np.array([["a", "b"], ["c", "d"]]),
        np.array([["a", 1.0], ["b", 2.0]], dtype=object),
    ],
    ids=["lists", "text", "objects"],
)
def test_text_in_an_array(Estimator, rows):
    text = (
        "X must be rows of numbers. Got text instead. Encode it, or give a DataFrame to a "
        "TableTransformer."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        Estimator(2).fit(rows)


@every_estimator
def test_a_series_is_no_table(Estimator):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    for series in (frame["a"], frame.iloc[0]):
        with pytest.raises(ValueError, match="Pass a DataFrame containing a single row"):
            Estimator(2).fit(series)


# ------------------------------------------------------------------ callables that make a module


@pytest.mark.parametrize(
    ("activation", "got"),
    [
        (
            nn.ReLU(),
            "an error from ReLU() instead: ReLU.forward() missing 1 required positional argument: "
            "'input'",
        ),
        (
            torch.relu,
            f"an error from {torch.relu!r} instead: relu() missing 1 required positional "
            'arguments: "input"',
        ),
        (dict, "{} from <class 'dict'> instead"),
    ],
    ids=["a module", "a function of tensors", "a class of no module"],
)
def test_an_activation_that_makes_no_module(activation, got, table):
    sentence = (
        f"activation= must be a name, or a callable without arguments that returns an nn.Module. "
        f"Got {got}. Pass a class, such as nn.ReLU, or a functools.partial of one."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        VAETransformer(2, activation=activation).fit(table)


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_an_encoder_or_decoder_of_other_arguments(name, table):
    sentence = (
        f"{name}= must be a callable of (n_inputs, n_outputs) that returns an nn.Module. Got an "
        f"error from it instead: ReLU.__init__() takes from 1 to 2 positional arguments but 3 "
        f"were given. Pass a function of these two, or a class such as nn.Linear."
    )
    with pytest.raises(TypeError, match=exactly(sentence)):
        VAETransformer(2, **{name: nn.ReLU}).fit(table)


# ------------------------------------------------------------------ True in place of a number


def test_true_components(table):
    sentence = (
        "The 'n_components' parameter of VAETransformer must be an int in the range [1, inf). Got "
        "True instead."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        VAETransformer(True).fit(table)


@every_estimator
def test_true_in_place_of_any_number(Estimator, table):
    numbers = {
        name
        for name, constraints in Estimator._parameter_constraints.items()
        if any(isinstance(constraint, Interval) for constraint in constraints)
    }
    assert {"n_components", "lr", "tol", "batch_size"} <= numbers
    for name in numbers:
        with pytest.raises(ValueError, match=rf"^The '{name}' parameter .* Got True instead\.$"):
            Estimator(**{name: True}).fit(table)


def test_true_in_a_shape(table):
    sentence = "hidden_layer_sizes must hold integers of at least 1. Got (8, True) instead."
    with pytest.raises(ValueError, match=exactly(sentence)):
        VAETransformer(2, hidden_layer_sizes=(8, True)).fit(table)
    sentence = (
        "image_shape must be (height, width, channels), integers of at least 1. Got (2, 3, True) "
        "instead. Give all three."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        VAETransformer(2, image_shape=(2, 3, True)).fit(table)


# ------------------------------------------------------------------ rows


@pytest.mark.parametrize("pair", [tuple, list])
def test_validation_rows_with_their_targets(pair, table):
    sentence = (
        "X_val must be rows alone, (n_samples, n_features). Got a pair of arrays instead. Pass the "
        "first: the target of a row is the row itself."
    )
    for targets in (np.zeros(400), table if pair is tuple else np.zeros((400, 1))):
        with pytest.raises(ValueError, match=exactly(sentence)):
            VAETransformer(2, early_stopping=True).fit(table, X_val=pair((table, targets)))
    with pytest.raises(ValueError, match=exactly(sentence.replace("X_val", "X"))):
        VAETransformer(2).fit(pair((table, np.zeros(400))))


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 399])
def test_entries_that_are_not_finite_where_scikit_learn_does_not_look(Estimator, value, row, table):
    X = table.copy()
    X[row, 2] = value
    sentence = (
        "All entries must be finite numbers. Got nan or inf in column 2 instead. Fill them in, or "
        "leave their rows out."
    )
    model = Estimator(2, max_epochs=1)
    stopped = Estimator(2, max_epochs=1, early_stopping=True)
    for fit in (
        lambda: model.fit(X),
        lambda: model.fit(csr_array(X)),
        lambda: model.partial_fit(X),
        lambda: stopped.fit(table, X_val=X),
    ):
        with config_context(assume_finite=True), pytest.raises(ValueError, match=exactly(sentence)):
            fit()


# ------------------------------------------------------------------ constructors


class Forgetful(VAETransformer):
    """Sets its own parameters alone."""

    def __init__(self, n_components=2, depth=1):
        self.n_components = n_components
        self.depth = depth


def test_a_constructor_that_leaves_parameters_out(table):
    n_left_out = len(VAETransformer().get_params()) - 1
    sentence = (
        "The constructor of Forgetful must set every parameter of its base classes. Got one that "
        f"leaves out {n_left_out}, the first of them hidden_layer_sizes, instead. Call "
        "super().__init__ in it."
    )
    for fit in (Forgetful().fit, Forgetful().partial_fit):
        with pytest.raises(TypeError, match=exactly(sentence)):
            fit(table)


class Deep(VAETransformer):
    """Sets all, as it should."""

    def __init__(self, n_components=2, depth=1):
        super().__init__(n_components, hidden_layer_sizes=(8,) * depth)
        self.depth = depth


def test_a_constructor_of_ones_own_that_calls_the_one_above(table):
    assert Deep(3).set_params(depth=2).fit_transform(table).shape == (400, 3)


def no_optimizer(parameters, lr):
    """Make an optimizer, and forget to return it."""


def test_an_optimizer_that_is_none(table):
    sentence = (
        f"optimizer= must be a name, or a callable of (parameters, lr) that returns a torch "
        f"optimizer. Got None from {no_optimizer!r} instead. Pass a class of torch.optim, or a "
        f"functools.partial of one."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        VAETransformer(2, optimizer=no_optimizer).fit(table)
