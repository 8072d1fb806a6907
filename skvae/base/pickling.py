"""Convert the attributes of an estimator for a pickle, and restore them."""

import torch

from skvae._version import __version__
from skvae._warnings import warn
from skvae.base.building import copy_network, estimator_of
from skvae.base.planning import plan_of
from skvae.base.twins import InferenceModules
from skvae.training.devices import device_or_cpu
from skvae.training.net import make_net
from skvae.training.optimizers import load_optimizer_state, optimizer_state

__all__ = ["pack", "unpack"]


def pack(state):
    """Return the attributes of an estimator for a pickle, with weights as arrays and no net."""
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
    """Return the attributes from the result of :func:`pack`, and build the net again."""
    state = dict(state)
    version = state.pop("_skvae_version", None)
    if version != __version__:
        warn(
            f"{Estimator.__name__} was pickled by skvae {version} and is read by {__version__}. "
            f"Fit it again if its results differ.",
        )
    if "_weights_" not in state:
        return state
    weights = state.pop("_weights_")
    optimizer = state.pop("_optimizer_state_", None)
    parameters = state["_fitted_params_"]
    device = device_or_cpu(parameters["device"], Estimator.__name__)
    state["_fitted_params_"] = parameters = {**parameters, "device": device}
    fitted = estimator_of(Estimator, parameters)
    n_features = state["n_features_in_"]
    weights = {name: torch.tensor(value) for name, value in weights.items()}
    network = copy_network(fitted, n_features, weights)
    net = make_net(plan_of(fitted, network, state["n_samples_seen_"]))
    for epoch in range(state["n_iter_"]):
        net.history.new_epoch()
        for name, values in state["history_"].items():
            net.history.record(name, float(values[epoch]))
    if optimizer is not None:
        load_optimizer_state(net, optimizer)
    return {**state, "net_": net, "_modules_": InferenceModules(fitted, network, n_features)}
