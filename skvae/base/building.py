"""Build the network and the objective of an estimator from its parameters."""

import threading
from copy import copy
from dataclasses import fields
from math import prod

import numpy as np
import torch
from torch import nn

from skvae.base.hyperparameters import is_positive_integer
from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from skvae.nn.holes import MaskedInput
from skvae.nn.initialization import FIRST_OUTPUT
from skvae.nn.networks import rescaled
from skvae.nn.perceptrons import PerceptronDecoder, PerceptronEncoder

__all__ = [
    "build_network",
    "build_objective",
    "copy_network",
    "estimator_of",
    "make_decoder",
    "make_encoder",
    "makes_own_modules",
    "parameters_of",
]

_user_module_lock = threading.Lock()


def make_encoder(estimator, n_features, n_outputs):
    """Return the encoder: a built-in module, or the module of ``encoder=``."""
    if estimator.encoder is not None:
        if estimator._takes_holes:
            module = _user_module("encoder", estimator.encoder, 2 * n_features, n_outputs)
            return MaskedInput(module, n_features)
        module = _user_module("encoder", estimator.encoder, n_features, n_outputs)
        return rescaled(module, before=estimator.input_scale)
    if estimator.image_shape is not None:
        sides = _sides(estimator.image_shape, n_features)
        gain = FIRST_OUTPUT if estimator._begins_near_linear() else 1.0
        return ConvolutionalEncoder(sides, n_outputs, estimator.architecture, first_output=gain)
    sizes = _hidden_sizes(estimator.hidden_layer_sizes)
    return PerceptronEncoder(
        n_features,
        n_outputs,
        sizes,
        estimator.activation,
        shortcut=estimator._begins_near_linear(),
        takes_holes=estimator._takes_holes,
    )


def make_decoder(estimator, n_features):
    """Return the decoder: a built-in module, or the module of ``decoder=``."""
    n_components = estimator.n_components
    if estimator.decoder is not None:
        module = _user_module("decoder", estimator.decoder, n_components, n_features)
        after = 1 / estimator.input_scale if estimator._decodes_rows() else 1.0
        return rescaled(module, after=after)
    if estimator.image_shape is not None:
        sides = _sides(estimator.image_shape, n_features)
        return ConvolutionalDecoder(n_components, sides, estimator.architecture)
    sizes = _hidden_sizes(estimator.hidden_layer_sizes)[::-1]
    activation, shortcut = estimator.activation, estimator._begins_near_linear()
    return PerceptronDecoder(n_components, n_features, sizes, activation, shortcut=shortcut)


def makes_own_modules(estimator):
    """Return whether the encoder and the decoder are both built-in modules."""
    return estimator.encoder is None and estimator.decoder is None


def build_network(estimator, n_features, seed=0):
    """Return the estimator's network in float32, whatever the default dtype of torch is.

    ``seed`` seeds the weights of the user's modules.
    """
    if makes_own_modules(estimator):
        return estimator._network(n_features).float()
    with _user_module_lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return estimator._network(n_features).float()


def copy_network(estimator, n_features, weights):
    """Return a new network with these weights, all of them trainable.

    The network is built again and not copied, because a user's module may hold objects that
    cannot be copied.
    """
    network = build_network(estimator, n_features)
    network.load_state_dict(weights)
    return network


def build_objective(estimator, n_samples):
    """Return the estimator's objective for batches of ``n_samples`` rows, with its schedule."""
    objective = estimator._objective(n_samples)
    estimator._schedule(objective)
    return objective


def parameters_of(estimator):
    """Return the parameters from which any process can build the estimator's network again.

    They are the fields of the class and the parameters of its constructor: a subclass may have
    parameters that are not fields. Lists, dicts and arrays are copied, because the user may change
    them later.
    """
    names = {field.name for field in fields(estimator)} | estimator.get_params(deep=False).keys()
    values = {name: getattr(estimator, name) for name in sorted(names)}
    parameters = {
        name: copy(value) if isinstance(value, list | dict | np.ndarray) else value
        for name, value in values.items()
    }
    # These matter only in training, and may hold objects of any kind.
    parameters |= {"callbacks": None, "random_state": None}
    # The columns that likelihood= selects depend on X, so the result is stored.
    return parameters | ({"_parts_": estimator._parts_} if estimator._parts_ is not None else {})


def estimator_of(Estimator, parameters):
    """Return an unfitted estimator with these parameters, without calling its constructor."""
    estimator = Estimator.__new__(Estimator)
    vars(estimator).update(parameters)
    return estimator


def _sides(image_shape, n_features):
    """Return ``image_shape`` as a tuple, after a check that it fits the rows."""
    sides = tuple(image_shape)
    if len(sides) != 3 or not all(map(is_positive_integer, sides)):
        raise ValueError(
            f"image_shape must be (height, width, channels), integers of at least 1. Got "
            f"{image_shape!r} instead. Give all three."
        )
    if prod(sides) != n_features:
        raise ValueError(
            f"image_shape={sides} needs X with {prod(sides)} columns. Got {n_features} "
            f"instead. Give the shape of the images that the rows of X are."
        )
    return sides


def _hidden_sizes(hidden_layer_sizes):
    sizes = tuple(hidden_layer_sizes)
    if not all(map(is_positive_integer, sizes)):
        raise ValueError(
            f"hidden_layer_sizes must hold integers of at least 1. Got {sizes} instead."
        )
    return sizes


def _user_module(name, make, n_inputs, n_outputs):
    """Return the module that the user's callable makes, after a check of its output shape."""
    if isinstance(make, nn.Module):
        raise TypeError(
            f"{name}= must be a callable that returns an nn.Module, so that every fit has its own. "
            f"Got a {type(make).__name__} module instead. Pass a function of (n_inputs, n_outputs) "
            f"that makes it."
        )
    try:
        module = make(n_inputs, n_outputs)
    except TypeError as error:
        raise TypeError(
            f"{name}= must be a callable of (n_inputs, n_outputs) that returns an nn.Module. Got "
            f"an error from it instead: {error}. Pass a function of these two, or a class such as "
            f"nn.Linear."
        ) from error
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"The callable {name}= must return an nn.Module. Got {type(module).__name__} instead. "
            f"Return an instance of the module, not its output."
        )
    module.eval()
    weight = next(module.parameters(), torch.empty(0))
    expected = f"The module that {name}= returns must map rows of {n_inputs} values to rows of "
    remedy = f"Use the widths that {name}(n_inputs, n_outputs) is called with."
    with torch.no_grad():
        try:
            output = module(torch.zeros(2, n_inputs, dtype=weight.dtype))
        except RuntimeError as error:
            raise ValueError(
                f"{expected}{n_outputs}. Got an error from it instead: {error}. {remedy}"
            ) from error
    got = f"an output of shape {tuple(output.shape)}" if torch.is_tensor(output) else "no tensor"
    if got != f"an output of shape {(2, n_outputs)}":
        raise ValueError(f"{expected}{n_outputs}. Got {got} for 2 rows instead. {remedy}")
    return module
