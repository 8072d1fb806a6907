"""What a fitted estimator is made of, and what of it goes into a pickle."""

import copy
import threading
import warnings

import numpy as np
import torch
from torch import nn

from skvae._version import __version__
from skvae.training import make_net

__all__ = [
    "build_network",
    "inference_modules",
    "load_optimizer_state",
    "make_estimator_net",
    "optimizer_state",
    "pack",
    "unpack",
    "user_module",
]

_user_module_lock = threading.Lock()


def user_module(name, make, n_inputs, n_outputs):
    """Return the user's encoder or decoder, after a look at what it returns."""
    if isinstance(make, nn.Module):
        raise TypeError(
            f"{name}= must be a callable that returns an nn.Module, so that every fit has its own. "
            f"Got a {type(make).__name__} module instead. Pass a function of (n_inputs, n_outputs) "
            f"that makes it."
        )
    module = make(n_inputs, n_outputs)
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"The callable {name}= must return an nn.Module. Got {type(module).__name__} instead. "
            f"Return an instance of the module, not its output."
        )
    module.eval()
    weight = next(module.parameters(), torch.empty(0))
    with torch.no_grad():
        try:
            shape = tuple(module(torch.zeros(2, n_inputs, dtype=weight.dtype)).shape)
        except RuntimeError as error:
            raise ValueError(
                f"The module that {name}= returns must map rows of {n_inputs} values to rows of "
                f"{n_outputs}. Got an error from it instead: {error}. Use the widths that "
                f"{name}(n_inputs, n_outputs) is called with."
            ) from error
    if shape != (2, n_outputs):
        raise ValueError(
            f"The module that {name}= returns must map rows of {n_inputs} values to rows of "
            f"{n_outputs}. Got an output of shape {shape} for 2 rows instead. Use the widths "
            f"that {name}(n_inputs, n_outputs) is called with."
        )
    return module


def build_network(estimator, n_features, seed=0):
    """Return the estimator's network, in float32 whatever torch's default dtype.

    The user's modules draw their weights from ``seed``.
    """
    if estimator.encoder is None and estimator.decoder is None:
        return estimator._network(n_features).float()
    with _user_module_lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return estimator._network(n_features).float()


def inference_modules(network):
    """Return {dtype: network in evaluation mode}: the trained one, and its float64 twin."""
    network.eval()
    return {
        np.dtype(np.float32): network,
        np.dtype(np.float64): copy.deepcopy(network).double(),
    }


def make_estimator_net(estimator, network, n_samples):
    """Return the skorch net of a network, set up by the estimator's parameters."""
    return make_net(
        network,
        estimator._objective(n_samples),
        optimizer=estimator.optimizer,
        lr=estimator.lr,
        weight_decay=estimator.weight_decay,
        callbacks=estimator.callbacks,
        device=estimator.device,
    )


def optimizer_state(net):
    """Return the optimizer's state, {parameter index: {name: ndarray or number}}."""
    return {
        index: {
            key: value.cpu().numpy() if torch.is_tensor(value) else value
            for key, value in state.items()
        }
        for index, state in net.optimizer_.state_dict()["state"].items()
    }


def load_optimizer_state(net, state):
    """Give the optimizer a state returned by :func:`optimizer_state`, in memory of its own."""
    tensors = {
        index: {key: torch.tensor(value) for key, value in entries.items()}
        for index, entries in state.items()
    }
    net.optimizer_.load_state_dict({**net.optimizer_.state_dict(), "state": tensors})


def pack(state):
    """Return an estimator's attributes for a pickle: the weights as arrays, and no net."""
    state = {**state, "_skvae_version": __version__}
    if "net_" in state:
        net = state.pop("net_")
        del state["_modules_"]
        state["_weights_"] = {
            name: value.cpu().numpy() for name, value in net.module_.state_dict().items()
        }
        if "_generator_state_" in state:
            state["_optimizer_state_"] = optimizer_state(net)
    return state


def unpack(Estimator, state):
    """Return the attributes that :func:`pack` packed, the net built again."""
    state = dict(state)
    version = state.pop("_skvae_version", None)
    if version != __version__:
        warnings.warn(
            f"{Estimator.__name__} was pickled by skvae {version} and is read by {__version__}. "
            f"Fit it again where results differ.",
            UserWarning,
            stacklevel=3,
        )
    if "_weights_" not in state:
        return state
    weights = state.pop("_weights_")
    optimizer = state.pop("_optimizer_state_", None)
    fitted = Estimator(**state["_fitted_params_"])
    network = build_network(fitted, state["n_features_in_"])
    network.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    net = make_estimator_net(fitted, network, state["_n_samples_"])
    for epoch in range(state["n_iter_"]):
        net.history.new_epoch()
        for name, values in state["history_"].items():
            net.history.record(name, float(values[epoch]))
    if optimizer is not None:
        load_optimizer_state(net, optimizer)
    return {**state, "net_": net, "_modules_": inference_modules(network)}
