"""The optimizers that have names, and the state of one as arrays."""

import torch

__all__ = ["FUSED_DEVICES", "OPTIMIZERS", "load_optimizer_state", "optimizer_state"]

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
FUSED_DEVICES = ("cpu", "cuda")


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
