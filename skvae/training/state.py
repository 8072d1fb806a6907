"""What a fitted estimator is made of, and what of it goes into a pickle."""

import threading
from copy import deepcopy
from dataclasses import fields

import numpy as np
import torch
from torch import nn

from skvae._version import __version__
from skvae._warnings import warn
from skvae.training.devices import device_or_cpu
from skvae.training.net import make_net

__all__ = [
    "build_network",
    "build_objective",
    "copy_net",
    "copy_network",
    "estimator_of",
    "inference_modules",
    "load_optimizer_state",
    "make_estimator_net",
    "network_parameters",
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


def build_network(estimator, n_features, seed=0):
    """Return the estimator's network, in float32 whatever torch's default dtype.

    The user's modules draw their weights from ``seed``.
    """
    if estimator.encoder is None and estimator.decoder is None:
        return estimator._network(n_features).float()
    with _user_module_lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return estimator._network(n_features).float()


def network_parameters(estimator):
    """Return the parameters to build the estimator's network from again, in any process."""
    parameters = {field.name: getattr(estimator, field.name) for field in fields(estimator)}
    parameters["hidden_layer_sizes"] = tuple(parameters["hidden_layer_sizes"])
    if parameters["image_shape"] is not None:
        parameters["image_shape"] = tuple(parameters["image_shape"])
    # Of training alone, and these may hold anything.
    return parameters | {"callbacks": None, "random_state": None}


def estimator_of(Estimator, parameters):
    """Return an unfitted estimator with these parameters, whatever its constructor takes."""
    estimator = Estimator.__new__(Estimator)
    vars(estimator).update(parameters)
    return estimator


def copy_network(estimator, n_features, weights):
    """Return a network of its own with these weights, all of them trainable."""
    network = build_network(estimator, n_features)
    network.load_state_dict(weights)
    return network


def inference_modules(estimator, network, n_features):
    """Return {dtype: network in evaluation mode}: the trained one, and its float64 twin."""
    twin = copy_network(estimator, n_features, network.state_dict())
    twin.to(next(iter(network.state_dict().values())).device)
    return {np.dtype(np.float32): network.eval(), np.dtype(np.float64): twin.double().eval()}


def build_objective(estimator, n_samples):
    """Return the estimator's objective for batches of ``n_samples`` rows, with its schedule."""
    objective = estimator._objective(n_samples)
    estimator._schedule(objective)
    return objective


def make_estimator_net(estimator, network, n_samples):
    """Return the skorch net of a network, set up by the estimator's parameters."""
    return make_net(
        network,
        build_objective(estimator, n_samples),
        optimizer=estimator.optimizer,
        lr=estimator.lr,
        weight_decay=estimator.weight_decay,
        callbacks=estimator.callbacks,
        device=estimator.device,
    )


def copy_net(estimator, net, n_features, n_samples):
    """Return a net with the weights and the history of another, in evaluation mode.

    It has neither callbacks nor a state of the optimizer.
    """
    parameters = estimator_of(type(estimator), network_parameters(estimator))
    network = copy_network(parameters, n_features, net.module_.state_dict())
    copied = make_estimator_net(parameters, network, n_samples)
    copied.module_.eval()
    copied.history = deepcopy(net.history)
    return copied


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
    """Give the optimizer a state returned by :func:`optimizer_state`, in memory of its own.

    Every array is laid out as its parameter: fused optimizers go through both in memory's order.
    """
    weights = [weight for group in net.optimizer_.param_groups for weight in group["params"]]

    def laid_out(value, weight):
        value = torch.tensor(value)
        return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value

    tensors = {
        index: {key: laid_out(value, weights[index].detach()) for key, value in entries.items()}
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
        warn(
            f"{Estimator.__name__} was pickled by skvae {version} and is read by {__version__}. "
            f"Fit it again where results differ.",
        )
    if "_weights_" not in state:
        return state
    weights = state.pop("_weights_")
    optimizer = state.pop("_optimizer_state_", None)
    parameters = state["_fitted_params_"]
    device = device_or_cpu(parameters["device"], Estimator)
    state["_fitted_params_"] = parameters = {**parameters, "device": device}
    fitted = estimator_of(Estimator, parameters)
    n_features = state["n_features_in_"]
    weights = {name: torch.tensor(value) for name, value in weights.items()}
    network = copy_network(fitted, n_features, weights)
    net = make_estimator_net(fitted, network, state["n_samples_seen_"])
    for epoch in range(state["n_iter_"]):
        net.history.new_epoch()
        for name, values in state["history_"].items():
            net.history.record(name, float(values[epoch]))
    if optimizer is not None:
        load_optimizer_state(net, optimizer)
    return {**state, "net_": net, "_modules_": inference_modules(fitted, network, n_features)}
