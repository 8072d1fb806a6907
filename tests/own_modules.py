"""Modules and estimators as a user writes them: what a file can name, and only names."""

from torch import nn

from skvae import VAETransformer
from skvae.base import BaseVAETransformer, hyperparameters
from skvae.nn import BetaObjective


def make_encoder(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, 5), nn.BatchNorm1d(5), nn.Linear(5, n_outputs))


def make_decoder(n_inputs, n_outputs):
    return nn.Linear(n_inputs, n_outputs)


def mean_score(transformer, X):
    return -abs(X - transformer.inverse_transform(transformer.transform(X))).mean(axis=1)


class Narrow(VAETransformer):
    """A subclass with a narrower constructor."""

    def __init__(self, n_components=2, *, random_state=None):
        super().__init__(n_components, random_state=random_state, max_epochs=2)


@hyperparameters
class OwnModel(BaseVAETransformer):
    """A model of the user's."""

    weight: float = 2.0

    _parameter_constraints = {**BaseVAETransformer._parameter_constraints, "weight": [float]}

    def _objective(self, n_samples):
        return BetaObjective(self.weight)


def all_columns(X):
    """Return the names of a frame's columns."""
    return list(X)
