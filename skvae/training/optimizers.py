"""The optimizers that have names, and the state of one as arrays."""

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
    """An optimizer that is never compiled.

    torch marks these methods as not to be compiled, and for the mark imports its compiler when one
    is called first: a second, in every process that fits.
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
# What they keep of a weight with our parameters.
MOMENTS = {
    "adam": {"step", "exp_avg", "exp_avg_sq"},
    "adamw": {"step", "exp_avg", "exp_avg_sq"},
    "sgd": {"momentum_buffer"},
}


def optimizer_state(net):
    """Return the optimizer's state, {parameter index: {name: ndarray or number}}."""
    return {
        index: {
            key: value.cpu().numpy() if torch.is_tensor(value) else value
            for key, value in state.items()
        }
        for index, state in net.optimizer_.state_dict()["state"].items()
    }


def load_optimizer_state(net, state, groups=None):
    """Give the optimizer a state returned by :func:`optimizer_state`, in memory of its own.

    Every array is laid out as its parameter: fused optimizers go through both in memory's order.

    Parameters
    ----------
    net : AutoencoderNet
        Has the optimizer.
    state : dict
        {parameter index: {name: ndarray, tensor or number}}.
    groups : list of dict, default=None
        The optimizer's ``param_groups`` as in a state dict; None leaves those it has.
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
    """Return whether a state of these tensors is one that an optimizer of ours can step with.

    ``load_state_dict`` would copy each of them once more, and send what is of a GPU there.
    """
    ours = type(optimizer) in OPTIMIZERS.values()
    return ours and all(weight.device.type == "cpu" for weight in weights)


def _laid_out(value, weight):
    """Return a value of a state in memory of its own, laid out as the weight it is of."""
    if not isinstance(value, np.ndarray | torch.Tensor):
        return value
    value = torch.tensor(value) if isinstance(value, np.ndarray) else value
    same = value.shape == weight.shape
    return torch.empty_like(weight).copy_(value) if same else value.clone()
