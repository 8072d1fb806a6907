"""Fits by autograd alone, which those by written derivatives have to equal."""

import numpy as np

from skvae.training import steps
from skvae.training.flat_adam import FlatAdam
from skvae.training.steps import WholeStep

ROUNDING = 1e-5  # of a code's standard deviation, after two epochs in float32


def unit_rows(n_rows=150):
    """Return rows on [0, 1] of six columns, the last of which is constant."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(n_rows, 2))
    X = 1 / (1 + np.exp(-latent @ rng.normal(size=(2, 6)) - 0.3 * rng.normal(size=(n_rows, 6))))
    X[:, 5] = 0.25
    return X.astype(np.float32)


def make(Estimator, **options):
    settings = {"max_epochs": 2, "batch_size": 64, "random_state": 0, "hidden_layer_sizes": (6,)}
    return Estimator(2, **{**settings, **options})


def by_autograd(monkeypatch, estimator, X):
    """Fit by autograd alone, and the optimizer's own steps."""
    with monkeypatch.context() as patch:
        patch.setattr(steps, "step_of", WholeStep)
        patch.setattr(FlatAdam, "takes", lambda optimizer: False)
        return estimator.fit(X)


def weights_of(fitted):
    return {name: value.numpy() for name, value in fitted.net_.module_.state_dict().items()}


def assert_alike(fitted, other, X):
    """Compare two fits to float rounding."""
    codes, others = fitted.transform(X), other.transform(X)
    np.testing.assert_allclose(codes, others, rtol=0, atol=ROUNDING * max(others.std(), 1e-3))
    assert list(fitted.history_) == list(other.history_)
    for name, values in other.history_.items():
        np.testing.assert_allclose(fitted.history_[name], values, rtol=2e-5, atol=2e-5)
    theirs = weights_of(other)
    for name, value in weights_of(fitted).items():
        np.testing.assert_allclose(value, theirs[name], rtol=1e-3, atol=1e-5, err_msg=name)
