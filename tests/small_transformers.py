"""Every transformer, small, and what several test files ask of all."""

import copy
import pickle

import joblib
import pytest
import torch

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer

ESTIMATORS = [
    AutoencoderTransformer,
    VAETransformer,
    BetaVAETransformer,
    BetaTCVAETransformer,
]
every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)


def small(Estimator, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 2, "random_state": 0}
    return Estimator(**{**settings, **parameters})


class Doubler(torch.nn.Module):
    """A user's module: a linear map, computed in an odd way."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.linear = torch.nn.Linear(n_inputs, n_outputs)
        self.dropout = torch.nn.Dropout(0.1)
        self.gain = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.gain * self.linear(self.dropout(x))


def copies(fitted, folder):
    yield "pickle", pickle.loads(pickle.dumps(fitted))
    yield "deepcopy", copy.deepcopy(fitted)
    joblib.dump(fitted, folder / "fitted.joblib")
    yield "joblib", joblib.load(folder / "fitted.joblib")
    yield "mmap", joblib.load(folder / "fitted.joblib", mmap_mode="r")
