"""Steps and what callbacks make of network and optimizer: all of it counts, at any time."""

import functools

import numpy as np
import pytest
from skorch.callbacks import (
    Callback,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)
from steps_by_autograd import assert_alike, by_autograd, make, unit_rows

from skvae import VAETransformer
from skvae.training.steps import LayerStep, WholeStep


class Listener(Callback):
    """Hears of batches."""

    def on_batch_end(self, net, loss, y_pred, **kwargs):
        assert y_pred.shape[1] == 6
        assert not y_pred.requires_grad
        self.heard_ = getattr(self, "heard_", 0) + 1
        states = net.optimizer_.state.values()
        assert {float(state["step"]) for state in states} == {self.heard_}


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


class At(Callback):
    """Gets the hook that a test is about."""


def once(change):
    """Return what does a change at its second call, and nothing at others."""
    calls = []

    def changed(net):
        calls.append(net)
        if len(calls) == 2:
            change(net)

    return changed


def weights(net, part="module_"):
    return [*functools.reduce(getattr, part.split("."), net).parameters()]


def reload(net):
    move_weights(net)
    net.optimizer_.load_state_dict(net.optimizer_.state_dict())


def move_weights(net):
    for weight in weights(net):
        weight.data = weight.data.clone()


def copy_group(net):
    (group,) = net.optimizer_.param_groups
    net.optimizer_.param_groups[0] = {**group, "lr": 0.1}


def freeze(net):
    net.module_.encoder.requires_grad_(False)


def drop_gradients(net):
    for weight in weights(net, "module_.encoder"):
        weight.grad = None


def regroup(net):
    (group,) = net.optimizer_.param_groups
    net.optimizer_.add_param_group({"params": [group["params"].pop()], "lr": 0.1})


def replace_group(net):
    (group,) = net.optimizer_.param_groups
    group["params"] = group["params"][2:]


def hook_weights(net):
    for weight in weights(net):
        weight.register_hook(lambda gradient: gradient + 0.1)


def hook_gradients(net):
    def double(weight):
        weight.grad.mul_(2).add_(0.1)

    for weight in weights(net):
        weight.register_post_accumulate_grad_hook(double)


def hook_decoder(net):
    net.module_.decoder.register_forward_hook(lambda module, inputs, output: output + 0.01)


def replace_forward(net):
    decoder = net.module_.decoder
    decoder.forward = lambda z: type(decoder).forward(decoder, z) + 0.01


def hook_steps(net):
    def shrink(*arguments):
        for weight in weights(net):
            weight.data.mul_(0.9)

    net.optimizer_.register_step_post_hook(shrink)


def add_gradients(net):
    """Add the gradients of the step before."""
    now = [weight.grad for weight in weights(net)]
    for weight, before in zip(weights(net), vars(net).get("before_", now), strict=True):
        weight.grad = weight.grad + before
    vars(net)["before_"] = now


CHANGES = {
    "batches reload": ("on_batch_end", lambda: reload),
    "steps reload": ("on_grad_computed", lambda: reload),
    "a batch's gradients let go": (
        "on_batch_begin",
        lambda: lambda net: net.optimizer_.zero_grad(),
    ),
    "an epoch's gradients let go": ("on_epoch_end", lambda: lambda net: net.optimizer_.zero_grad()),
    "frozen at an epoch": ("on_epoch_begin", lambda: once(freeze)),
    "frozen at a batch": ("on_batch_begin", lambda: once(freeze)),
    "frozen before a step": ("on_grad_computed", lambda: once(freeze)),
    "no gradients": ("on_grad_computed", lambda: drop_gradients),
    "gradients kept": ("on_grad_computed", lambda: add_gradients),
    "another group": ("on_epoch_begin", lambda: once(regroup)),
    "weights in other memory": ("on_epoch_end", lambda: move_weights),
    "a copied group": ("on_epoch_begin", lambda: once(copy_group)),
    "other weights": ("on_epoch_begin", lambda: once(replace_group)),
    "another group at a batch": ("on_batch_end", lambda: once(regroup)),
    "states forgotten": ("on_epoch_end", lambda: lambda net: net.optimizer_.state.clear()),
    "hooks of weights": ("on_batch_begin", lambda: once(hook_weights)),
    "hooks of gradients": ("on_train_begin", lambda: hook_gradients),
    "hooks of a module": ("on_batch_end", lambda: once(hook_decoder)),
    "another forward": ("on_epoch_begin", lambda: once(replace_forward)),
    "hooks of steps": ("on_epoch_begin", lambda: once(hook_steps)),
    "evaluation mode": ("on_batch_begin", lambda: lambda net: net.module_.eval()),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_so_is_what_they_change_at_any_time(name, optimizer, monkeypatch):
    X, (hook, make_change) = unit_rows(), CHANGES[name]

    def estimator():
        monkeypatch.setattr(At, hook, lambda self, net, **kwargs: change(net), raising=False)
        change = make_change()
        options = {"callbacks": [At()], "lr": 1e-2, "max_epochs": 4, "optimizer": optimizer}
        return make(VAETransformer, **options)

    fitted = estimator().fit(X)
    assert_alike(fitted, by_autograd(monkeypatch, estimator(), X), X)


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
