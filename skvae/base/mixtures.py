"""The statistics with which training starts if the columns are of several kinds."""

import math

import numpy as np
import torch

from skvae.nn.layout import COUNTS
from skvae.training.statistics import column_statistics

__all__ = [
    "columns_in_order",
    "columns_of_kind",
    "dispersions",
    "input_scales",
    "of_arrays",
    "start_counts_and_categories",
    "statistics_of_inputs",
]


def of_arrays(function):
    """Return a function of arrays that applies a function of tensors."""
    return lambda X: function(torch.from_numpy(np.ascontiguousarray(X))).numpy()


def statistics_of_inputs(network, rows, *, holes):
    """Return the statistics of the encoder's input, and of the columns of the likelihood.

    Parameters
    ----------
    network : BaseNetwork
        A network with a layout of the columns.
    rows : Rows
        The training rows.
    holes : bool
        Whether NaN marks a missing value.
    """
    expand = network.observation.layout.expand
    expanded = column_statistics(rows.X, rows.training, expand=of_arrays(expand), holes=holes)
    if not any(kind in network.observation.layout.slices for kind in COUNTS):
        return expanded, expanded
    read = of_arrays(network.read)
    return column_statistics(rows.X, rows.training, expand=read, holes=holes), expanded


def input_scales(layout, variance, *, per_feature):
    """Return the scale by which every input column of the encoder is divided.

    Gaussian columns share one scale or have one scale each, like their noise variance. Counts have
    one scale each; the encoder reads their logarithms. Binary columns share one scale, and so do
    the one-hot blocks, so that a rare 1 does not become a large number.

    Parameters
    ----------
    layout : ColumnLayout
        Layout of the columns.
    variance : ndarray of shape (n_columns,)
        Variances of the encoder's input.
    per_feature : bool
        Whether each Gaussian column has its own scale.
    """
    scales = np.sqrt(variance)
    for kind, place in layout.slices.items():
        own = kind in COUNTS or (kind == "gaussian" and per_feature)
        if not own:
            n_variables = len(layout.blocks) if kind == "categorical" else len(scales[place])
            shared = np.sqrt(variance[place].sum() / n_variables)
            scales[place] = shared if shared > 0 else 1.0
    return scales


def columns_of_kind(parts, kind):
    """Return a boolean array (n_features,): the columns of X that are of a kind."""
    is_of_kind = np.zeros(sum(len(part.columns) for part in parts), bool)
    for part in parts:
        is_of_kind[list(part.columns)] = part.kind == kind
    return is_of_kind


def columns_in_order(layout, kind):
    """Return the indices that sort the network's columns of a kind into the order of X."""
    return np.argsort(layout.source[layout.slices[kind]].cpu().numpy())


def dispersions(observation):
    """Return the fitted attribute ``dispersion_`` in a dict, which is empty without dispersions."""
    counts = observation.model("negative-binomial")
    if counts is None:
        return {}
    values = counts.dispersion.double().cpu().numpy()
    return {"dispersion_": values[columns_in_order(observation.layout, "negative-binomial")]}


def start_counts_and_categories(observation, expanded, n_samples):
    """Set the first dispersions of counts, and the probability of an unknown level.

    Parameters
    ----------
    observation : MixedObservation
        The model, which is changed.
    expanded : ColumnStatistics
        Statistics of the columns of the likelihood.
    n_samples : int
        Number of training rows.
    """
    counts = observation.model("negative-binomial")
    if counts is not None:
        place = observation.layout.slices["negative-binomial"]
        counts.start(*map(torch.from_numpy, (expanded.mean[place], expanded.variance[place])))
    categories = observation.model("categorical")
    if categories is not None:
        categories.blocks.unseen.fill_(-math.log(n_samples + 1))
