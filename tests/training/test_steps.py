"""Steps: layer by layer, written out or not, they are what autograd makes of the whole."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import torch
from steps_by_autograd import assert_alike, by_autograd, make, unit_rows, weights_of
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.likelihoods import LIKELIHOODS, Bernoulli
from skvae.nn.objectives import BetaObjective
from skvae.nn.perceptrons import ACTIVATIONS, PerceptronDecoder
from skvae.nn.written_layers import has_written_layers
from skvae.training.optimizers import OPTIMIZERS
from skvae.training.steps import LayerStep, WholeStep

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
# Adam divides by the size of a gradient: where there is next to none it makes steps of rounding.
DESCENT = {"optimizer": "sgd", "lr": 0.01}
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


# ------------------------------------------------------------------ the law


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


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, BetaTCVAETransformer])
def test_the_default_dtype_changes_no_bit(Estimator):
    X, default = unit_rows(), torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        codes = make(Estimator).fit(X).transform(X)
    finally:
        torch.set_default_dtype(default)
    np.testing.assert_array_equal(codes, make(Estimator).fit(X).transform(X))


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


# ------------------------------------------------------------------ imports


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
