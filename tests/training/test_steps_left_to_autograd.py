"""Steps of layers, likelihoods and precisions that are not written out are left to autograd."""

import functools

import numpy as np
import pytest
import torch
from steps_by_autograd import DESCENT, OBJECTIVES, assert_alike, by_autograd, make, unit_rows
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

from skvae import VAETransformer
from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.likelihoods import LIKELIHOODS, Bernoulli
from skvae.nn.perceptrons import PerceptronDecoder
from skvae.nn.written_layers import has_written_layers
from skvae.training.steps import LayerStep, WholeStep


def images(n_inputs, n_outputs):
    return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(n_inputs, n_outputs), nn.Tanh())


class Constant(nn.Module):
    """Returns what does not follow from its input."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.output = nn.Parameter(torch.zeros(n_outputs))

    def forward(self, x):
        return self.output.expand(len(x), -1)


class Transposed(nn.Module):
    """Returns columns, of a weight with gaps in memory."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.weight = nn.Parameter((0.3 * torch.randn(n_outputs, 9))[:, :n_inputs])

    def forward(self, x):
        return (self.weight @ x.T).T


class Sparing(nn.Module):
    """Two layers: one half of them is never used, or only at every second step."""

    def __init__(self, n_inputs, n_outputs, *, ever):
        super().__init__()
        self.always, self.spare = nn.Linear(n_inputs, n_outputs), nn.Linear(n_inputs, n_outputs)
        self.ever = ever
        self.n_steps = 0

    def forward(self, x):
        self.n_steps += self.training
        both = self.ever and self.n_steps % 2 == 1
        return self.always(x) + self.spare(x) if both else self.always(x)


def sharing():
    """Return encoder and decoder, of which the latter decodes with what the former computed."""
    found = {}

    class Encoder(nn.Linear):
        def forward(self, x):
            weight = self.weight.tanh()
            found["weight"] = weight[:2].T
            return functional.linear(x, weight, self.bias)

    class Decoder(nn.Linear):
        def forward(self, z):
            return super().forward(z) + z @ found["weight"].T

    return {"encoder": Encoder, "decoder": Decoder}


class Narrow(nn.Linear):
    """An encoder that begins with log-scales below their range, where they have no derivative."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__(n_inputs, n_outputs)
        nn.init.constant_(self.bias[2:], -20.0)


OTHERS = {
    "encoder": {"encoder": nn.Linear},
    "decoder that works in place": {"decoder": images},
    "log-scales out of range": {"encoder": Narrow},
    "both": {"encoder": images, "decoder": nn.Linear},
    "both, one of which needs the other": sharing(),
    "decoder that ignores its input": {"decoder": Constant},
    "both of other layouts": {"encoder": Transposed, "decoder": Transposed},
    "weights never used": {"encoder": functools.partial(Sparing, ever=False), "weight_decay": 0.5},
    "weights not always used": {"encoder": functools.partial(Sparing, ever=True), "lr": 0.01},
    "activation": {"activation": nn.Softplus},
    "elu that falls": {"activation": functools.partial(nn.ELU, -0.5)},
}


@pytest.mark.filterwarnings("ignore:The divergence must be below")  # of narrow posteriors
@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kind", ["ae", "vae", "tc"])
def test_other_layers_are_left_to_autograd(name, kind, made, monkeypatch):
    Estimator, options = OBJECTIVES[kind]
    options = {**options, **OTHERS[name]}
    X = unit_rows()
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, False)}
    # torch's fused Adam goes through memory in order, gaps or not.
    others = {} if name != "both of other layouts" else {"optimizer": torch.optim.Adam}
    theirs = make(Estimator, **{**options, **others})
    assert_alike(fitted, by_autograd(monkeypatch, theirs, X), X)


def test_products_in_half_precision_are_left_to_autograd(made, monkeypatch):
    X, options = unit_rows(), {"precision": "bfloat16", **DESCENT}
    fitted = make(VAETransformer, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, False)}
    assert_alike(fitted, by_autograd(monkeypatch, make(VAETransformer, **options), X), X)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["ae", "vae", "tc"])
def test_so_are_convolutions(kind, architecture, made, monkeypatch):
    Estimator, options = OBJECTIVES[kind]
    X = np.random.default_rng(0).random((40, 64), dtype=np.float32)
    options = {**options, "image_shape": (8, 8, 1), "architecture": architecture, **DESCENT}
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, False)}
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


def other_shortcut(decoder):
    decoder.shortcut = nn.Linear(2, 5, bias=False)


def other_weight(decoder):
    parametrize.register_parametrization(decoder.output, "weight", nn.Tanh())


@pytest.mark.parametrize("change", [other_shortcut, other_weight])
def test_layers_that_are_no_longer_ours_are_left_to_autograd(change):
    decoder = PerceptronDecoder(2, 5, (3,), "relu")
    assert has_written_layers(decoder)
    change(decoder)
    assert not has_written_layers(decoder)


def test_a_fit_within_the_callers_autocast_is_left_to_autograd(made):
    X = unit_rows() + 100
    with torch.autocast("cpu", dtype=torch.bfloat16):
        reconstructed = make(VAETransformer).fit(X).inverse_transform(np.zeros((1, 2), "float32"))
    assert {type(step) for step in made} == {WholeStep}
    np.testing.assert_allclose(reconstructed[0], X.mean(0), atol=0.3)  # bfloat16 has 100 or 100.5


class Sharp(Bernoulli):
    """A likelihood of other derivatives: of twice the logits."""

    @property
    def doubled(self):
        return Bernoulli(2 * self.logits)

    def log_prob(self, x):
        return self.doubled.log_prob(x)

    @property
    def mean(self):
        return self.doubled.mean


def test_a_further_likelihood_is_left_to_autograd(made, monkeypatch):
    monkeypatch.setitem(LIKELIHOODS, "bernoulli", Sharp)
    make(VAETransformer, likelihood="bernoulli").fit(unit_rows())
    assert {type(step) for step in made} == {WholeStep}
