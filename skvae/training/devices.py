"""Devices of torch: check that a device works, and draw random numbers on it."""

import torch

from skvae._warnings import warn

__all__ = ["check_device", "device_or_cpu", "generator_of_epoch"]


def _trouble(device):
    """Return the reason why torch cannot compute on a device, or None."""
    try:
        torch.zeros(1, device=device).add(1).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        return str(error).strip().splitlines()[0].partition(". ")[0].rstrip(".")
    return None


def check_device(device):
    """Raise an error if torch cannot compute on a device.

    Examples
    --------
    >>> from skvae.training.devices import check_device
    >>> check_device("cpu")
    """
    trouble = _trouble(device)
    if trouble:
        raise ValueError(
            f"device={str(device)!r} must be one that torch can compute on here. Got from torch "
            f"instead: {trouble}. Use device='cpu', or a torch built for that device."
        )


def device_or_cpu(device, fitted):
    """Return the device, or warn and return the CPU if the device is not available.

    Parameters
    ----------
    device : str or torch.device
        The device on which an estimator was fitted.
    fitted : str
        The name of its class, for the warning.
    """
    if _trouble(device) is None:
        return device
    warn(
        f"The {fitted} was fitted on device={str(device)!r}, which is absent here. It "
        f"computes on the CPU. Set device='cpu' to fit it again."
    )
    return "cpu"


def generator_of_epoch(generator, device):
    """Return the generator of an epoch: that of the fit, or for a GPU a new one on the GPU.

    The new one is seeded from the fit's generator, in every epoch. So the random state of a fit is
    the state of its generator, which is on the CPU. It can be pickled and read on any machine.
    Training that continues later draws the same numbers as training without a break.

    Parameters
    ----------
    generator : torch.Generator
        The generator of the fit, on the CPU.
    device : str or torch.device
        The device of the epoch.

    Examples
    --------
    >>> import torch
    >>> from skvae.training.devices import generator_of_epoch
    >>> generator = torch.Generator()
    >>> generator_of_epoch(generator, "cpu") is generator
    True
    """
    if torch.device(device).type != "cuda":
        return generator
    seed = int(torch.randint(2**63 - 1, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)
