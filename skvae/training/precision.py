"""The precision of the matrix products and convolutions of a training step."""

import torch

__all__ = ["PRECISIONS", "at_precision"]

PRECISIONS = ("float32", "bfloat16")


def at_precision(network, precision, device):
    """Return a function that computes a network with matrix products of this precision.

    "bfloat16" uses torch's autocast. In every step, the factors of the products, such as weights,
    are rounded to bfloat16. The products of the backward pass have the precision of those of the
    forward pass. The weights themselves and their gradients stay in float32. So do the objective
    and the optimizer, which are not part of the network.

    Parameters
    ----------
    network : callable
        A network or a part of it, which is called with tensors.
    precision : {"float32", "bfloat16"}
        The precision. "float32" returns the network unchanged.
    device : str or torch.device
        The device of the network.

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
