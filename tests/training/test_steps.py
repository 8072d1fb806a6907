"""Steps: layer by layer, written out or not, they are what autograd makes of the whole."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import torch
from steps_by_autograd import (
    DESCENT,
    OBJECTIVES,
    assert_alike,
    by_autograd,
    make,
    unit_rows,
    weights_of,
)
from torch import nn

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.nn.objectives import BetaObjective
from skvae.nn.perceptrons import ACTIVATIONS
from skvae.training.optimizers import OPTIMIZERS
from skvae.training.steps import LayerStep

COLUMNS = {
    "numbers": [("gaussian", [0, 1])],
    "binary": [("bernoulli", 2)],
    "continuous": [("continuous-bernoulli", 3)],
    "codes": [("categorical", 4)],
    "block": [("categorical", [5, 6, 7])],
    "poisson": [("poisson", 8)],
    "dispersed": [("negative-binomial", [9, 10])],
}
MIXED = {
    **{f"{name} alone": (VAETransformer, {"likelihood": COLUMNS[name]}) for name in COLUMNS},
    "mixed": (VAETransformer, {}),
    "mixed, per feature": (VAETransformer, {"noise_variance": "per-feature"}),
    "mixed, held": (VAETransformer, {"noise_variance": 0.3}),
    "mixed, pca": (VAETransformer, {"noise_variance": "pca"}),
    "mixed, beta": (BetaVAETransformer, {"beta": 5.0}),
    "mixed, tc": (BetaTCVAETransformer, {"beta": 4.0, "alpha": 0.5, "gamma": 2.0}),
}


NETWORKS = {
    "two layers": {"hidden_layer_sizes": (6, 5)},
    "one layer": {"hidden_layer_sizes": (6,)},
    "linear": {"hidden_layer_sizes": ()},
}


def mixed_rows(n_rows=150):
    """Return rows with columns of every kind."""
    rng = np.random.default_rng(0)
    unit, latent = unit_rows(n_rows), rng.normal(size=(n_rows, 3))
    return np.column_stack(
        [
            3.0 * unit[:, :2],
            unit[:, 2] > rng.random(n_rows),
            unit[:, 3],
            2.0 + np.digitize(latent[:, 0], [-1.0, 0.0, 1.5]),
            np.eye(3)[latent.argmax(1)],
            rng.poisson(np.exp(latent[:, :1])),
            rng.negative_binomial(2, 0.3, (n_rows, 2)),
        ]
    ).astype(np.float32)


def mixed(name):
    """Return the estimator, its options, and rows of their columns, for a name of ``MIXED``."""
    Estimator, options = MIXED[name]
    pairs = options.get("likelihood", [pair for of_kind in COLUMNS.values() for pair in of_kind])
    places = sorted(np.hstack([columns for _, columns in pairs]))
    pairs = [(kind, np.searchsorted(places, np.atleast_1d(which))) for kind, which in pairs]
    return Estimator, {**options, "likelihood": pairs}, mixed_rows()[:, places]


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_objective_is_what_autograd_makes_of_it(name, network, made, monkeypatch):
    Estimator, options = OBJECTIVES[name]
    options = {**options, **NETWORKS[network], **DESCENT}
    X = unit_rows()
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, True)}
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("network", ["one layer", "linear"])
def test_so_are_columns_of_every_kind(name, network, made, monkeypatch):
    Estimator, options, X = mixed(name)
    options = {**options, **NETWORKS[network], **DESCENT}
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, True)}
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("network", ["one layer", "linear"])
def test_so_are_rows_with_holes(name, network, made, monkeypatch):
    Estimator, options, X = mixed(name)
    variables = [np.atleast_1d(columns) for _, columns in options["likelihood"]]
    rng = np.random.default_rng(1)
    for columns in variables:
        holes = rng.random(len(X)) < 0.3
        X[np.ix_(holes, columns)] = np.nan
    options = {**options, **NETWORKS[network], **DESCENT, "missing": "mask"}
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, True)}
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, functools.partial(nn.LeakyReLU, 0.3)])
@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_every_activation_is_what_autograd_makes_of_it(Estimator, activation, made, monkeypatch):
    X = unit_rows()
    options = {"activation": activation, "hidden_layer_sizes": (6, 5)}
    fitted = make(Estimator, **options).fit(X)
    assert all(step.overwrites for step in made)
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 74, 75, 149, 1000])
def test_so_is_every_shape_of_batches(batch_size, monkeypatch):
    X, options = unit_rows(), {"batch_size": batch_size, "max_epochs": 1, "lr": 1e-4}
    fitted = make(VAETransformer, **options).fit(X)
    assert_alike(fitted, by_autograd(monkeypatch, make(VAETransformer, **options), X), X)


class Zeroing(torch.optim.SGD):
    """Lets go of the gradients when it has followed them."""

    def step(self):
        super().step()
        self.zero_grad()


class Remembering(torch.optim.SGD):
    """Follows the gradients of the step before."""

    def step(self):
        now = [weight.grad for weight in self.param_groups[0]["params"]]
        for weight, before in zip(
            self.param_groups[0]["params"], vars(self).get("before", now), strict=True
        ):
            weight.grad = before
        self.before = now
        super().step()


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.RMSprop, Zeroing, Remembering])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_so_is_every_optimizer(optimizer, weight_decay, monkeypatch):
    X = unit_rows()
    options = {"optimizer": optimizer, "weight_decay": weight_decay, "lr": 1e-4}
    fitted = make(VAETransformer, **options).fit(X)
    assert_alike(fitted, by_autograd(monkeypatch, make(VAETransformer, **options), X), X)


def test_a_step_without_weights_in_encoder_or_decoder_is_one_too():
    def nothing(n_inputs, n_outputs):
        return nn.Identity()

    fitted = AutoencoderTransformer(
        6, encoder=nothing, decoder=nn.Linear, max_epochs=2, random_state=0
    ).fit(unit_rows())
    np.testing.assert_array_equal(fitted.transform(unit_rows()), unit_rows())
    assert np.diff(fitted.history_["train_loss"]) < 0


def test_warm_starts_add_up_to_one_fit_bit_for_bit():
    X = unit_rows()
    whole = make(VAETransformer, max_epochs=4).fit(X)
    pieces = make(VAETransformer, max_epochs=1, warm_start=True)
    for _ in range(4):
        pieces.fit(X)
    for name, value in weights_of(pieces).items():
        np.testing.assert_array_equal(value, weights_of(whole)[name], err_msg=name)


def test_fits_are_alike_bit_for_bit():
    X = unit_rows()
    once, again = (make(BetaTCVAETransformer).fit(X).transform(X) for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, BetaTCVAETransformer])
def test_the_default_dtype_changes_no_bit(Estimator):
    X, default = unit_rows(), torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        codes = make(Estimator).fit(X).transform(X)
    finally:
        torch.set_default_dtype(default)
    np.testing.assert_array_equal(codes, make(Estimator).fit(X).transform(X))


class Fading(BetaObjective):
    """An objective that after half an epoch has one term less."""

    def penalties(self, posterior, z):
        penalties = super().penalties(posterior, z)
        return penalties if self.epoch > 0.5 else {**penalties, "early": penalties["kl"]}


def test_an_objective_of_ones_own_may_have_terms_at_times(monkeypatch):
    monkeypatch.setattr(VAETransformer, "_objective", lambda self, n_samples: Fading())
    fitted = make(VAETransformer, max_epochs=1).fit(unit_rows())
    assert list(fitted.history_) == ["train_loss", "reconstruction", "kl", "early"]
    assert 0 < fitted.history_["early"] < fitted.history_["kl"]


@pytest.mark.parametrize("options", ["", "optimizer='sgd'", "warm_start=True"])
def test_no_fit_and_no_pickle_imports_the_compiler(options):
    code = (
        "import pickle, sys, numpy as np\n"
        "from skvae import VAETransformer\n"
        "X = np.random.default_rng(0).normal(size=(50, 4))\n"
        f"vae = VAETransformer(2, max_epochs=1, {options}).fit(X)\n"
        "pickle.loads(pickle.dumps(vae)).transform(X)\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == str("sgd" in options), result.stderr
