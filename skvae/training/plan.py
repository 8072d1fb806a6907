"""The plan and the start of a fit: all that training needs besides the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

__all__ = ["Plan", "Start", "Stopping"]


class Stopping(NamedTuple):
    """The settings of early stopping.

    Parameters
    ----------
    objective : Objective
        The objective on batches of the validation rows.
    n_epochs : int
        Number of epochs without improvement after which training stops.
    tolerance : float
        The smallest decrease of the objective that counts as an improvement.
    """

    objective: nn.Module
    n_epochs: int
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a fit: the network, the objective, its unit, and how to train.

    Parameters
    ----------
    network : BaseNetwork
        The network with its first weights, scaled by the data. Training changes it in place.
    objective : Objective
        The objective to minimise on batches of the training rows, with its schedules.
    stopping : Stopping, default=None
        Early stopping.
    unit : float, default=1.0
        Unit by which the loss of the optimizer is divided. For a squared error it is the variance
        of X, so that a fit does not depend on the units of X.
    n_epochs : int, default=0
        Largest number of passes over the rows.
    variance : ndarray of shape (n_features,), default=None
        Variance of every column over the training rows.
    batch_size : int
        Number of rows in a mini-batch.
    optimizer : {"adam", "adamw", "sgd"} or callable
        The optimizer. A name uses the fused implementation of torch if the device has one.
    lr, weight_decay : float
        Arguments of the optimizer. A weight decay of zero is not passed.
    callbacks : sequence of skorch callbacks or None
        The callbacks. They are cloned, so that the caller's callbacks do not change.
    device : str or torch.device
        The device of training.
    precision : {"float32", "bfloat16"}
        Precision of the matrix products and convolutions in training steps.
    progress : bool
        Whether to show a progress bar.
    """

    network: nn.Module
    objective: nn.Module
    stopping: Stopping | None = None
    unit: float = 1.0
    n_epochs: int = 0
    variance: np.ndarray | None = None
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
    """The state from which training starts: a new one, or that at the end of an earlier fit.

    Parameters
    ----------
    generator : torch.Generator
        Source of the weights of built-in modules, of the shuffling and of the latent noise.
    module_seed, split_seed : int
        Seeds of the weights of a user's modules, and of the choice of validation rows.
    n_epochs, n_samples_seen : int, default=0
        Number of epochs trained before, at which the schedules of the objective continue, and
        number of rows seen before.
    unit : float, default=None
        The unit of the earlier plan. None: it is computed from the data.
    weights : dict, default=None
        State dict of the network. None: new weights are drawn.
    optimizer : dict, default=None
        The entry ``state`` of the optimizer's state dict, which is copied at its use. None: the
        optimizer starts without state.
    """

    generator: torch.Generator
    module_seed: int
    split_seed: int
    n_epochs: int = 0
    n_samples_seen: int = 0
    unit: float | None = None
    weights: dict | None = None
    optimizer: dict | None = None
