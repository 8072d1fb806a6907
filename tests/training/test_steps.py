"""Steps: layer by layer, written out or not, they are what autograd makes of the whole."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import torch
from skorch.callbacks import (
    Callback,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)
from torch import nn

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.perceptrons import ACTIVATIONS
from skvae.training import steps
from skvae.training.flat_adam import FlatAdam
from skvae.training.optimizers import OPTIMIZERS, Adam
from skvae.training.steps import LayerStep, WholeStep

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


def unit_rows(n_rows=150):
    """Return rows on [0, 1] of six columns, the last of which is constant."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(n_rows, 2))
    X = 1 / (1 + np.exp(-latent @ rng.normal(size=(2, 6)) - 0.3 * rng.normal(size=(n_rows, 6))))
    X[:, 5] = 0.25
    return X.astype(np.float32)


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


@pytest.fixture
def made(monkeypatch):
    """The steps that a fit has made."""
    found, plain = [], steps.step_of

    def step_of(*arguments):
        found.append(plain(*arguments))
        return found[-1]

    monkeypatch.setattr(steps, "step_of", step_of)
    return found


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


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.RMSprop])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_so_is_every_optimizer(optimizer, weight_decay, monkeypatch):
    X = unit_rows()
    options = {"optimizer": optimizer, "weight_decay": weight_decay, "lr": 1e-4}
    fitted = make(VAETransformer, **options).fit(X)
    assert_alike(fitted, by_autograd(monkeypatch, make(VAETransformer, **options), X), X)


def images(n_inputs, n_outputs):
    return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(n_inputs, n_outputs), nn.Tanh())


OTHERS = {
    "encoder": {"encoder": nn.Linear},
    "decoder that works in place": {"decoder": images},
    "both": {"encoder": images, "decoder": nn.Linear},
    "activation": {"activation": nn.Softplus},
    "elu that falls": {"activation": functools.partial(nn.ELU, -0.5)},
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kind", ["ae", "vae", "tc"])
def test_other_layers_are_left_to_autograd(name, kind, made, monkeypatch):
    Estimator, options = OBJECTIVES[kind]
    options = {**options, **OTHERS[name]}
    X = unit_rows()
    fitted = make(Estimator, **options).fit(X)
    assert {(type(step), step.overwrites) for step in made} == {(LayerStep, False)}
    assert_alike(fitted, by_autograd(monkeypatch, make(Estimator, **options), X), X)


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


# ------------------------------------------------------------------ callbacks


class Listener(Callback):
    """Hears of batches."""

    def on_batch_end(self, net, loss, y_pred, **kwargs):
        assert y_pred.shape[1] == 6
        assert not y_pred.requires_grad
        self.heard_ = getattr(self, "heard_", 0) + 1


class Adding(Callback):
    """Puts other gradients in the place of those of a step."""

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, weight in named_parameters:
            weight.grad = weight.grad + 0.1


class Hooking(Callback):
    """Waits for the calls of a part of the network."""

    def __init__(self, part):
        self.part = part

    def on_train_begin(self, net, **kwargs):
        part = functools.reduce(getattr, self.part.split("."), net.module_)
        part.register_forward_hook(lambda *arguments: setattr(net, "called_", True))


class Reloading(Callback):
    """Gives the network weights in another memory, and the optimizer another state."""

    def on_epoch_end(self, net, **kwargs):
        for weight in net.module_.parameters():
            weight.data = weight.data.clone()
        net.optimizer_.load_state_dict(net.optimizer_.state_dict())


CALLBACKS = {
    "clipping": [GradientNormClipping(0.1)],
    "other gradients": [Adding()],
    "a learning rate that falls": [LRScheduler(policy="StepLR", step_size=1, gamma=0.1)],
    "frozen weights": [Freezer("encoder.*")],
    "weights that move": [Reloading()],
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_what_callbacks_change_is_changed(name, monkeypatch):
    X, options = unit_rows(), {"callbacks": CALLBACKS[name], "lr": 1e-2, "max_epochs": 3}
    fitted = make(VAETransformer, **options).fit(X)
    assert_alike(fitted, by_autograd(monkeypatch, make(VAETransformer, **options), X), X)
    plain = make(VAETransformer, lr=1e-2, max_epochs=3).fit(X)
    same = np.allclose(plain.transform(X), fitted.transform(X), rtol=1e-4)
    assert same == (name == "weights that move")


@pytest.mark.parametrize("callback", [Listener(), EpochScoring("r2", name="r2")])
def test_callbacks_that_change_nothing_change_no_bit(callback):
    X = unit_rows()
    fitted = make(VAETransformer, callbacks=[callback]).fit(X)
    np.testing.assert_array_equal(fitted.transform(X), make(VAETransformer).fit(X).transform(X))


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("encoder.layers.0", LayerStep),
        ("decoder", LayerStep),
        ("", WholeStep),
    ],
)
def test_what_waits_for_a_module_is_called(part, kind, made):
    hooking = Hooking(part) if part else HookingWhole()
    fitted = make(VAETransformer, callbacks=[hooking]).fit(unit_rows())
    assert fitted.net_.called_
    assert {(type(step), step.overwrites) for step in made} == {(kind, False)}


class HookingWhole(Callback):
    """Waits for the calls of the network."""

    def on_train_begin(self, net, **kwargs):
        net.module_.register_forward_hook(lambda *arguments: setattr(net, "called_", True))


# ------------------------------------------------------------------ one tensor of all weights


def test_a_fit_leaves_weights_and_states_in_memory_of_their_own():
    fitted = make(VAETransformer, warm_start=True).fit(unit_rows())
    optimizer = fitted.net_.optimizer_
    assert type(optimizer) is Adam
    tensors = [*fitted.net_.module_.parameters()]
    tensors += [value for state in optimizer.state.values() for value in state.values()]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)
    assert {float(state["step"]) for state in optimizer.state.values()} == {6.0}
    assert all(weight.grad is None for weight in fitted.net_.module_.parameters())


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


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_flat_optimizer_moves_weights_as_torch_does(channels_last):
    def layers():
        torch.manual_seed(0)
        convolution = nn.Conv2d(3, 4, 3)
        if channels_last:
            convolution = convolution.to(memory_format=torch.channels_last)
        return nn.Sequential(convolution, nn.Flatten(), nn.Linear(4, 2))

    x = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    ours, theirs = layers(), layers()
    options = {"lr": 0.01, "weight_decay": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "maximize": True}
    optimizer = torch.optim.Adam(theirs.parameters(), **options)
    flat = FlatAdam(Adam(ours.parameters(), **options))
    for _ in range(5):
        for network, clear, step in (
            (ours, flat.clear, flat.step), (theirs, optimizer.zero_grad, optimizer.step)
        ):  # fmt: skip
            clear()
            network(x).square().sum().backward()
            step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other)
        assert one.stride() == other.stride()


def test_weights_that_did_not_begin_together_are_not_taken():
    network = nn.Linear(2, 2)
    optimizer = Adam(network.parameters())
    assert FlatAdam.takes(optimizer)
    network.bias.requires_grad_(False)
    assert not FlatAdam.takes(optimizer)
    network(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    network.bias.requires_grad_(True)
    assert not FlatAdam.takes(optimizer)
    assert not FlatAdam.takes(torch.optim.Adam(network.parameters()))
    groups = [{"params": [network.weight]}, {"params": [network.bias]}]
    assert not FlatAdam.takes(Adam(groups))


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
