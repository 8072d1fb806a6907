"""Checks before training: the range of the data, the size of batches, the length of schedules."""

import numpy as np
from torch import nn

from skvae._warnings import warn

__all__ = ["check_batch_normalisation", "check_range", "warn_of_unfinished_schedule"]

SCALES = (1e-15, 1e15)
LEAST_RESOLUTION = 0.01  # largest spacing of float32 numbers, as a share of the standard deviation
BATCH_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def check_range(statistics):
    """Raise an error for data outside the range of float32; warn near its limits."""
    scale = np.sqrt(statistics.variance.mean())
    if scale > 0 and not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(
            f"X must have a root mean variance in [{SCALES[0]:g}, {SCALES[1]:g}], the range of "
            f"float32 training. Got {scale:.3g} instead. Scale X."
        )
    largest = np.maximum(np.abs(statistics.minimum), np.abs(statistics.maximum))
    spacing = largest * np.finfo(np.float32).eps
    column = int(np.argmax(spacing - LEAST_RESOLUTION * np.sqrt(statistics.variance)))
    spread = np.sqrt(statistics.variance[column])
    if spread > 0 and spacing[column] > LEAST_RESOLUTION * spread:
        warn(
            f"Column {column} of X has a standard deviation of {spread:.3g} at values up to "
            f"{largest[column]:.3g}, too little for float32 training to resolve. Centre X.",
        )


def warn_of_unfinished_schedule(n_scheduled, n_epochs):
    """Warn that a fit ends before its penalties have their final weights."""
    warn(
        f"The objective's schedule needs {n_scheduled} epochs. Got max_epochs={n_epochs} "
        f"instead, so that training ends before it does. Raise max_epochs, or shorten the schedule."
    )


def check_batch_normalisation(network, batch_size):
    """Raise an error if batch normalisation has no running statistics, or batches of one row."""
    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMALISATIONS)]
    if not all(norm.track_running_stats for norm in norms):
        raise ValueError(
            "Batch normalisation must track running statistics, so that no result depends on the "
            "rows beside it. Got track_running_stats=False instead. Leave it True."
        )
    if norms and batch_size == 1:
        raise ValueError(
            "Batch normalisation divides by the standard deviation of a batch, and needs "
            "batch_size >= 2. Got batch_size=1 instead. Raise it."
        )
