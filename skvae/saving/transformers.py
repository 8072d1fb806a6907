"""The autoencoders in a file: parameters, weights, history, and the state of training."""

from numbers import Integral

import numpy as np
import torch
from torch import nn

from skvae._version import __version__
from skvae.autoencoder import AutoencoderTransformer
from skvae.base.building import build_network, makes_own_modules
from skvae.base.variational import BaseVAETransformer
from skvae.beta_tcvae import BetaTCVAETransformer
from skvae.beta_vae import BetaVAETransformer
from skvae.files.errors import refusal
from skvae.nn.layout import KINDS
from skvae.saving.declarations import Declaration, make_unfitted, parameters_in
from skvae.saving.fields import (
    Array,
    DictOf,
    Field,
    Maybe,
    Number,
    Texts,
    check_finite,
    object_array,
)
from skvae.saving.parts import Parts, check_parts
from skvae.training.optimizers import MOMENTS
from skvae.vae import VAETransformer

__all__ = ["TRANSFORMERS"]

AS_LARGE = "parameters of a network as large as its weights"


class Weights(Field):
    """The state dict of a network: named arrays of finite numbers of any dtype."""

    def write(self, value, file, place):
        for name, array in value.items():
            file.add(array, f"{place}.{name}")
        return list(value)

    def read(self, node, file, place):
        if not isinstance(node, list) or not all(isinstance(name, str) for name in node):
            raise refusal(place, "the names of weights", node)
        weights = {name: file.take(f"{place}.{name}") for name in node}
        for name, array in weights.items():
            check_finite(array, "", f"{place}.{name}")
        return weights


class WorkingDtype(Field):
    """The dtype of the results."""

    expected = "float32 or float64"

    def write(self, value, file, place):
        return value.name

    def read(self, node, file, place):
        if node not in ("float32", "float64"):
            raise refusal(place, self.expected, node)
        return np.dtype(node)


COUNT = Number(Integral, least=1)
COLUMNS = {"n_features_in_": COUNT, "feature_names_in_": Maybe(Texts(object_array, "n_columns"))}
FITTED = {
    "_fitted_params_": Field(),
    **COLUMNS,
    "n_iter_": COUNT,
    "n_samples_seen_": COUNT,
    "history_": DictOf(Array("float64", "n_epochs", special="nan or inf")),
    "_dtype_": WorkingDtype(),
    "_split_seed_": Number(Integral, least=0, most=2**31 - 1),
    "_loss_unit_": Number(least=0.0),
    "_weights_": Weights(),
    "_generator_state_": Maybe(Array("uint8", None)),
    "_optimizer_state_": Maybe(DictOf(DictOf(Field()), key=int)),
}


def _packed(estimator):
    """Return the same as a pickle holds, without the version, which the file stores once."""
    state = estimator.__getstate__()
    del state["_skvae_version"]
    if "_fitted_params_" in state:  # the parts would be stored twice
        fitted_params = state["_fitted_params_"].items()
        state["_fitted_params_"] = {name: one for name, one in fitted_params if name != "_parts_"}
    return state


def _restore(estimator, state, file, place):
    """Set the fitted attributes of an estimator, or raise an error if they do not match."""
    cls = type(estimator)
    fitted_params = state["_fitted_params_"]
    if not isinstance(fitted_params, dict):
        raise refusal(f"{place}._fitted_params_", "parameters by name", fitted_params)
    fitted_params = parameters_in(fitted_params, cls, f"{place}._fitted_params_")
    fitted = make_unfitted(cls, fitted_params, f"{place}._fitted_params_")
    for size, name in (
        (state["n_features_in_"], "n_columns"),
        (state["n_iter_"], "n_epochs"),
        (fitted_params["n_components"], "n_components"),
    ):
        file.agree(size, name, place)
    if state["n_features_in_"] > file.n_entries:
        raise refusal(place, AS_LARGE, "a larger one")
    parts = check_parts(fitted, state, file, f"{place}._parts_")
    if parts is not None:
        fitted_params |= {"_parts_": parts}
        vars(fitted)["_parts_"] = parts
    _check_densities(state, parts, file, place)
    if "train_loss" not in state["history_"] or state["_loss_unit_"] == 0:
        raise refusal(place, "a history with train_loss, and a unit of the loss", "none")
    own = _own_weights(fitted, state, file, place)
    _check_weights(own, state["_weights_"], f"{place}._weights_")
    _check_training(own, fitted, state, place)
    state = {**vars(estimator), **state, "_fitted_params_": fitted_params}
    try:
        estimator.__setstate__({**state, "_skvae_version": __version__})
    except (TypeError, ValueError, RuntimeError) as error:  # from the user's modules, or torch
        raise refusal(place, "what a network can be made of", f"{error}") from error


def _check_densities(state, parts, file, place):
    """Raise for noise variances or dispersions that do not belong to the columns of their kind."""
    if parts is None:
        file.agree(state["n_features_in_"], "n_numbers", place)
        return
    widths = dict.fromkeys(KINDS, 0)
    for part in parts:
        widths[part.kind] += len(part.columns)
    file.agree(widths["gaussian"], "n_numbers", place)
    file.agree(widths["negative-binomial"], "n_dispersions", place)
    for name, kind in (("noise_variance_", "gaussian"), ("dispersion_", "negative-binomial")):
        if (name in state) != (widths[kind] > 0):
            raise refusal(place, f"{name} where columns are {kind}", "another thing")


def _own_weights(fitted, state, file, place):
    """Return the weights of the network that the parameters describe, {name: tensor}.

    The network is built on the meta device, without memory, because the parameters may describe one
    that is larger than the file. Some of the user's own modules cannot be built this way. They are
    trusted, and are built normally.
    """
    sizes = fitted.hidden_layer_sizes
    n_features, n_layers = state["n_features_in_"], len(sizes) if np.ndim(sizes) == 1 else 0
    if max(n_features, fitted.n_components, n_layers) > file.n_entries:
        raise refusal(place, AS_LARGE, "a larger one")
    try:
        with torch.device("meta"):
            return build_network(fitted, n_features).state_dict(keep_vars=True)
    except Exception as error:
        if makes_own_modules(fitted):
            raise refusal(place, "parameters of a network", f"{error}") from error
    try:
        return build_network(fitted, n_features).state_dict(keep_vars=True)
    except (TypeError, ValueError, RuntimeError) as error:
        raise refusal(place, "parameters of a network", f"{error}") from error


def _check_weights(own, weights, place):
    """Raise for weights of another network than the one that the parameters describe."""
    names = sorted(own.keys() ^ weights.keys())
    if names:
        got = f"{'no' if names[0] in own else 'also'} {names[0]}"
        raise refusal(place, "the weights of the network", got)
    for name, weight in own.items():
        expected = f"{tuple(weight.shape)} of {str(weight.dtype).removeprefix('torch.')}"
        got = f"{weights[name].shape} of {weights[name].dtype}"
        if got != expected:
            raise refusal(f"{place}.{name}", expected, got)


def _check_training(own, fitted, state, place):
    """Raise for states of the optimizer or the generator with which training cannot continue."""
    moments, seed = state.get("_optimizer_state_"), state.get("_generator_state_")
    if (moments is None) != (seed is None):
        raise refusal(place, "states of both optimizer and generator, or of none", "one")
    if seed is None:
        return
    try:
        torch.Generator().set_state(torch.from_numpy(seed))
    except (RuntimeError, TypeError) as error:
        where = f"{place}._generator_state_"
        raise refusal(where, "the state of a generator", f"{error}") from error
    trained = {id(weight): weight for weight in own.values() if isinstance(weight, nn.Parameter)}
    trained = list(trained.values())  # each weight once, even if the user's modules share it
    expected = MOMENTS.get(fitted.optimizer) if isinstance(fitted.optimizer, str) else None
    for index, entries in moments.items():
        where = f"{place}._optimizer_state_.{index}"
        if index >= len(trained):
            raise refusal(where, f"states of {len(trained)} weights", f"one of {index}")
        if expected is not None and entries and entries.keys() != expected:
            raise refusal(where, f"some of {', '.join(sorted(expected))}", ", ".join(entries))
        for name, value in entries.items():
            if isinstance(value, np.ndarray):
                check_finite(value, "", f"{where}.{name}")
            if expected is not None:
                _check_moment(value, tuple(trained[index].shape), name, where)


def _check_moment(value, shape, name, place):
    """Raise for an optimizer state that does not match its weight, for our own optimizers."""
    if value is None and name == "momentum_buffer":
        return
    shape = () if name == "step" else shape
    if not isinstance(value, np.ndarray) or value.dtype != np.float32 or value.shape != shape:
        raise refusal(f"{place}.{name}", f"{shape} of float32", value)
    if name in ("step", "exp_avg_sq") and (value < 0).any():
        raise refusal(f"{place}.{name}", "nothing negative", "what is")


class NoiseVariance(Field):
    """A single number, or one for each numeric column."""

    def __init__(self):
        self.shared, self.of_columns = Number(least=0.0), Array("float64", "n_numbers")

    def write(self, value, file, place):
        field = self.of_columns if isinstance(value, np.ndarray) else self.shared
        return field.write(value, file, place)

    def read(self, node, file, place):
        field = self.of_columns if isinstance(node, dict) and "array" in node else self.shared
        return field.read(node, file, place)


OF_A_VAE = {
    **FITTED,
    "noise_variance_": Maybe(NoiseVariance()),
    "dispersion_": Maybe(Array("float64", "n_dispersions")),
    "_parts_": Maybe(Parts()),
}
OF_AN_AUTOENCODER = {
    **FITTED,
    "code_mean_": Array("float64", "n_components"),
    "code_covariance_": Array("float64", "n_components", "n_components"),
}


def transformer(cls, fitted):
    """Return the declaration of a transformer with these fitted attributes."""
    return Declaration(cls, fitted, attributes=_packed, restore=_restore)


TRANSFORMERS = {
    "skvae.AutoencoderTransformer": transformer(AutoencoderTransformer, OF_AN_AUTOENCODER),
    "skvae.VAETransformer": transformer(VAETransformer, OF_A_VAE),
    "skvae.BetaVAETransformer": transformer(BetaVAETransformer, OF_A_VAE),
    "skvae.BetaTCVAETransformer": transformer(BetaTCVAETransformer, OF_A_VAE),
    # For the user's own models. The class is abstract, and a file names the subclass.
    "skvae.base.BaseVAETransformer": transformer(BaseVAETransformer, OF_A_VAE),
}
