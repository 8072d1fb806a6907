"""The precision of the matrix products and convolutions of a training step."""

import torch

__all__ = ["PRECISIONS", "at_precision"]

PRECISIONS = ("float32", "bfloat16")


def at_precision(network, precision, device):
    """Return what computes a network's output in training with products of this precision.

    "bfloat16" is torch's autocast. Every step rounds the factors of the products, weights among
    them, to bfloat16; autograd has the products of the backward pass follow those of the forward
    pass. The weights themselves and their gradients stay float32, and so does what is not in the
    network: the objective, the optimizer.

    Parameters
    ----------
    network : callable
        Tensors in; a network, or a part of one.
    precision : {"float32", "bfloat16"}
        "float32" is the network as it is.
    device : str or torch.device
        Where it computes.

    Examples
    --------
    >>> import torch
    >>> from skvae.training.precision import at_precision
    >>> layer = torch.nn.Linear(2, 2)
    >>> at_precision(layer, "bfloat16", "cpu")(torch.ones(1, 2)).dtype, layer.weight.dtype
    (torch.bfloat16, torch.float32)
    """
    if precision == "float32":
        return network
    device_type = torch.device(device).type

    def rounded(*arguments):
        with torch.autocast(device_type, dtype=torch.bfloat16):
            return network(*arguments)

    return rounded
