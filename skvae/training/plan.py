"""What a fit is to do, before it does it: two values that training needs beside the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

__all__ = ["Plan", "Start", "Stopping"]


class Stopping(NamedTuple):
    """When training stops early.

    Parameters
    ----------
    objective : Objective
        What is judged, for batches of the validation rows.
    n_epochs : int
        Epochs without an improvement after which to stop.
    tolerance : float
        The least decrease of the objective that counts as an improvement.
    """

    objective: nn.Module
    n_epochs: int
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is computed, what is minimised, in which units, and how.

    Parameters
    ----------
    network : BaseNetwork
        What is computed, with the weights to begin with, in the scales of the data. Training
        changes them in place.
    objective : Objective
        What is minimised, for batches of the training rows, with its schedules.
    stopping : Stopping, default=None
        Early stopping.
    unit : float, default=1.0
        The optimizer sees the loss divided by it: with the variance of X as the unit of a
        squared error, a fit does not depend on the units of X.
    n_epochs : int, default=0
        The most passes over the rows.
    batch_size : int
        Rows in a mini-batch.
    optimizer : {"adam", "adamw", "sgd"} or callable
        Names take torch's fused implementation where the device has one.
    lr, weight_decay : float
        Arguments of the optimizer; a zero weight decay is not passed on.
    callbacks : sequence of skorch callbacks or None
        Cloned, so that the caller's stay as they are.
    device : str or torch.device
        Where to compute.
    precision : {"float32", "bfloat16"}
        Of the matrix products and convolutions of the steps.
    progress : bool
        Whether to show a bar.
    """

    network: nn.Module
    objective: nn.Module
    stopping: Stopping | None = None
    unit: float = 1.0
    n_epochs: int = 0
    batch_size: int
    optimizer: str | Callable
    lr: float
    weight_decay: float
    callbacks: Sequence | None
    device: str | torch.device
    precision: str
    progress: bool


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where training begins: anew, or where an earlier fit ended.

    Parameters
    ----------
    generator : torch.Generator
        Source of our own weights, of the shuffling and of the latent noise.
    module_seed, split_seed : int
        For the weights of a user's modules, and for the rows held out.
    n_epochs, n_samples_seen : int, default=0
        Epochs trained before, where the objective's schedules go on; rows seen before.
    unit : float, default=None
        That of the plan before; None takes it from the data.
    weights : dict, default=None
        State dict of the network; None draws them.
    optimizer : dict, default=None
        What the optimizer's state dict has as ``state``, copied when it is used; None for none.
    """

    generator: torch.Generator
    module_seed: int
    split_seed: int
    n_epochs: int = 0
    n_samples_seen: int = 0
    unit: float | None = None
    weights: dict | None = None
    optimizer: dict | None = None
