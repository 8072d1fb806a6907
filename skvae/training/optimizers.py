"""The optimizers with names, and the state of an optimizer as arrays."""

from inspect import unwrap

import numpy as np
import torch

__all__ = [
    "FUSED_DEVICES",
    "MOMENTS",
    "OPTIMIZERS",
    "Adam",
    "load_optimizer_state",
    "optimizer_state",
]

FUSED_DEVICES = ("cpu", "cuda")


class _Eager:
    """Mixin for an optimizer that is never compiled.

    torch wraps these methods so that they are not compiled. The wrapper imports the compiler at the
    first call, which takes a second in every process.
    """

    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)


class Adam(_Eager, torch.optim.Adam):
    """torch's Adam, never compiled."""


class AdamW(_Eager, torch.optim.AdamW):
    """torch's AdamW, never compiled."""


class SGD(_Eager, torch.optim.SGD):
    """torch's SGD, never compiled."""


OPTIMIZERS = {"adam": Adam, "adamw": AdamW, "sgd": SGD}
# The state that each keeps for a weight.
MOMENTS = {
    "adam": {"step", "exp_avg", "exp_avg_sq"},
    "adamw": {"step", "exp_avg", "exp_avg_sq"},
    "sgd": {"momentum_buffer"},
}


def optimizer_state(net):
    """Return the state of the optimizer, {parameter index: {name: ndarray or number}}."""
    return {
        index: {
            key: value.cpu().numpy() if torch.is_tensor(value) else value
            for key, value in state.items()
        }
        for index, state in net.optimizer_.state_dict()["state"].items()
    }


def load_optimizer_state(net, state, groups=None):
    """Set the state of the optimizer to a copy of ``state``.

    Every array gets the memory layout of its parameter, since fused optimizers read both in the
    order of the memory.

    Parameters
    ----------
    net : AutoencoderNet
        The net with the optimizer.
    state : dict
        {parameter index: {name: ndarray, tensor or number}}, as :func:`optimizer_state` returns it.
    groups : list of dict, default=None
        The ``param_groups`` of a state dict. None: the optimizer keeps its own.
    """
    optimizer = net.optimizer_
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    tensors = {
        index: {key: _laid_out(value, weights[index].detach()) for key, value in entries.items()}
        for index, entries in state.items()
    }
    if groups is None and _holds_on_the_cpu(optimizer, weights):
        optimizer.state.update((weights[index], entries) for index, entries in tensors.items())
        return
    groups = optimizer.state_dict()["param_groups"] if groups is None else groups
    optimizer.load_state_dict({"state": tensors, "param_groups": groups})


def _holds_on_the_cpu(optimizer, weights):
    """Return whether the tensors of a state can be used without ``load_state_dict``.

    ``load_state_dict`` copies each tensor once more. It is needed for a GPU and for optimizers of
    the user.
    """
    ours = type(optimizer) in OPTIMIZERS.values()
    return ours and all(weight.device.type == "cpu" for weight in weights)


def _laid_out(value, weight):
    """Return a copy of a value of a state, with the memory layout of its weight."""
    if not isinstance(value, np.ndarray | torch.Tensor):
        return value
    value = torch.tensor(value) if isinstance(value, np.ndarray) else value
    same = value.shape == weight.shape
    return torch.empty_like(weight).copy_(value) if same else value.clone()
