"""Densities, networks and objectives in torch, without scikit-learn.

The names exported here are public: use them to write your own models.
"""

from skvae.nn.aggregate import log_aggregate_posterior
from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from skvae.nn.distributions import Gaussian, kl_to_standard_normal
from skvae.nn.objectives import (
    BetaObjective,
    CapacityObjective,
    Objective,
    TotalCorrelationObjective,
)

__all__ = [
    "BetaObjective",
    "CapacityObjective",
    "ConvolutionalDecoder",
    "ConvolutionalEncoder",
    "Gaussian",
    "Objective",
    "TotalCorrelationObjective",
    "kl_to_standard_normal",
    "log_aggregate_posterior",
]
