"""Where torch computes: whether a device is there, and a compiler for it."""

from functools import cache

import torch

from skvae._warnings import warn

__all__ = ["check_compiler", "check_device", "device_or_cpu"]


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


@cache
def check_compiler(device):
    """Refuse to compile where ``torch.compile`` has nothing to compile with; looked for once."""
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(2, device=device))
    except Exception as error:  # torch has no public class for what a backend may raise
        raise RuntimeError(
            "compile=True needs what torch.compile compiles with: a C++ compiler on the CPU, "
            f"triton on a GPU. Got {type(error).__name__} from torch instead. Install it, or use "
            "compile=False."
        ) from error
