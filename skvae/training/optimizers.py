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
    weights = [weight for group in net.optimizer_.param_groups for weight in group["params"]]

    def laid_out(value, weight):
        if not isinstance(value, np.ndarray | torch.Tensor):
            return value
        value = torch.tensor(value) if isinstance(value, np.ndarray) else value.clone()
        return torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value

    tensors = {
        index: {key: laid_out(value, weights[index].detach()) for key, value in entries.items()}
        for index, entries in state.items()
    }
    groups = net.optimizer_.state_dict()["param_groups"] if groups is None else groups
    net.optimizer_.load_state_dict({"state": tensors, "param_groups": groups})
