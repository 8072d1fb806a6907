"""Where the training of columns of several kinds begins."""

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
    """Return a function of tensors as one of arrays."""
    return lambda X: function(torch.from_numpy(np.ascontiguousarray(X))).numpy()


def statistics_of_inputs(network, rows, *, holes):
    """Return the statistics of what an encoder reads, and of what the likelihood is of.

    Parameters
    ----------
    network : BaseNetwork
        With a layout of its columns.
    rows : Rows
        The training rows.
    holes : bool
        Whether NaN is what was not observed.
    """
    expand = network.observation.layout.expand
    expanded = column_statistics(rows.X, rows.training, expand=of_arrays(expand), holes=holes)
    if not any(kind in network.observation.layout.slices for kind in COUNTS):
        return expanded, expanded
    read = of_arrays(network.read)
    return column_statistics(rows.X, rows.training, expand=read, holes=holes), expanded


def input_scales(layout, variance, *, per_feature):
    """Return what every column that an encoder reads is divided by.

    Numbers have one unit or their own, as their noise variance has; counts, whose logarithms are
    read, their own. Binary columns, and the variables that are one-hot blocks, share one: a flag
    that is rarely raised is no larger a number where it is.

    Parameters
    ----------
    layout : ColumnLayout
        Of the columns.
    variance : ndarray of shape (n_columns,)
        Of what is read.
    per_feature : bool
        Whether numbers have their own units.
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
    """Return which columns of X are of a kind, (n_features,), bool."""
    is_of_kind = np.zeros(sum(len(part.columns) for part in parts), bool)
    for part in parts:
        is_of_kind[list(part.columns)] = part.kind == kind
    return is_of_kind


def columns_in_order(layout, kind):
    """Return where the columns of a kind, in the order of X, are in what is of that kind."""
    return np.argsort(layout.source[layout.slices[kind]].cpu().numpy())


def dispersions(observation):
    """Return the fitted attribute of counts whose dispersion was learned, if there are such."""
    counts = observation.model("negative-binomial")
    if counts is None:
        return {}
    values = counts.dispersion.double().cpu().numpy()
    return {"dispersion_": values[columns_in_order(observation.layout, "negative-binomial")]}


def start_counts_and_categories(observation, expanded, n_samples):
    """Set the dispersion that training begins with, and what a new level is as probable as.

    Parameters
    ----------
    observation : MixedObservation
        The model to set it in.
    expanded : ColumnStatistics
        Of what the likelihood is of.
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
