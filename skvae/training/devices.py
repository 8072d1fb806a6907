"""Where torch computes: whether a device is there, what draws on it."""

import torch

from skvae._warnings import warn

__all__ = ["check_device", "device_or_cpu", "generator_of_epoch"]


def _trouble(device):
    """Return why torch cannot compute on a device, or None."""
    try:
        torch.zeros(1, device=device).add(1).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        return str(error).strip().splitlines()[0].partition(". ")[0].rstrip(".")
    return None


def check_device(device):
    """Refuse a device that torch cannot compute on here.

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
    """Return the device, or with a warning the CPU where it is absent.

    Parameters
    ----------
    device : str or torch.device
        Where something was fitted.
    fitted : str
        What was.
    """
    if _trouble(device) is None:
        return device
    warn(
        f"The {fitted} was fitted on device={str(device)!r}, which is absent here. It "
        f"computes on the CPU. Set device='cpu' to fit it again."
    )
    return "cpu"


def generator_of_epoch(generator, device):
    """Return what an epoch draws from: the fit's own generator, or on a GPU one of the GPU.

    That one is seeded from the fit's, anew in every epoch. So the state of a fit is that of its
    generator, which is the CPU's: it is kept, pickled and read anywhere, and training that goes on
    later draws what training without a break would have drawn.

    Parameters
    ----------
    generator : torch.Generator
        The fit's, of the CPU.
    device : str or torch.device
        Where the epoch is computed.

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
