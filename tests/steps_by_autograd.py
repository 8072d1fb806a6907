"""Fits by autograd alone, which those by written derivatives have to equal."""

import numpy as np

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.training import steps
from skvae.training.flat_adam import FlatAdam
from skvae.training.steps import WholeStep

ROUNDING = 1e-5  # of a code's standard deviation, after two epochs in float32
HALF = {"input_scale": 0.5}
OBJECTIVES = {
    "ae": (AutoencoderTransformer, {}),
    "vae": (VAETransformer, {}),
    "held variance": (VAETransformer, {"noise_variance": 0.3}),
    "variance per feature": (VAETransformer, {"noise_variance": "per-feature"}),
    "variance of a PCA": (VAETransformer, {"noise_variance": "pca"}),
    "bernoulli": (VAETransformer, {"likelihood": "bernoulli"}),
    "scaled bernoulli": (VAETransformer, {"likelihood": "bernoulli", **HALF}),
    "continuous": (VAETransformer, {"likelihood": "continuous-bernoulli"}),
    "scaled continuous": (VAETransformer, {"likelihood": "continuous-bernoulli", **HALF}),
    "free bits": (VAETransformer, {"free_bits": 0.7}),
    "beta": (BetaVAETransformer, {"beta": 5.0}),
    "rising beta": (BetaVAETransformer, {"beta": 5.0, "kl_warmup_epochs": 2}),
    "falling beta": (BetaVAETransformer, {"kl_warmup_epochs": 2, "kl_warmup_start": 8.0}),
    "capacity": (BetaVAETransformer, {"beta": 5.0, "capacity": 2.0, "capacity_epochs": 1}),
    "capacity above": (BetaVAETransformer, {"beta": 0.5, "capacity": 20.0, "capacity_epochs": 1}),
    "tc": (BetaTCVAETransformer, {"beta": 4.0, "alpha": 0.5, "gamma": 2.0}),
    "tc, stratified": (BetaTCVAETransformer, {"beta": 4.0, "tc_sampling": "mss"}),
    "tc, free bits": (BetaTCVAETransformer, {"beta": 4.0, "free_bits": 0.7}),
    "tc, rising": (BetaTCVAETransformer, {"beta": 4.0, "alpha": 2.0, "kl_warmup_epochs": 2}),
}
# Adam divides by the size of a gradient: where there is next to none it makes steps of rounding.
DESCENT = {"optimizer": "sgd", "lr": 0.01}


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
