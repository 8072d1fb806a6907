"""What an optimizer gets from a fit, and its state, which a training that goes on takes over."""

import functools

import pytest
import torch
from skorch import NeuralNet
from torch import nn

from skvae import VAETransformer
from skvae.training.optimizers import OPTIMIZERS, load_optimizer_state, optimizer_state


def trained(optimizer, n_steps):
    """Return a net of one layer after so many steps, and the function that makes one more."""
    torch.manual_seed(0)
    net = NeuralNet(nn.Linear(3, 2), nn.MSELoss, optimizer=optimizer, lr=0.1).initialize()

    def step():
        net.optimizer_.zero_grad()
        net.module_(torch.eye(3)).square().sum().backward()
        net.optimizer_.step()

    for _ in range(n_steps):
        step()
    return net, step


@pytest.mark.parametrize("as_arrays", [False, True])
@pytest.mark.parametrize("name", [*OPTIMIZERS, "Adagrad"])
def test_a_net_with_the_weights_and_the_state_of_another_goes_on_as_that_does(name, as_arrays):
    optimizer = OPTIMIZERS.get(name) or getattr(torch.optim, name)
    first, step_first = trained(optimizer, n_steps=3)
    second, step_second = trained(optimizer, n_steps=0)
    state = optimizer_state(first) if as_arrays else first.optimizer_.state_dict()["state"]
    second.module_.load_state_dict(first.module_.state_dict())
    load_optimizer_state(second, state)
    step_first()
    step_second()
    weights = zip(first.module_.parameters(), second.module_.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


@pytest.mark.parametrize("as_arrays", [False, True])
def test_steps_leave_the_state_alone_that_they_began_from(as_arrays):
    first, _ = trained(OPTIMIZERS["adam"], n_steps=1)
    second, step = trained(OPTIMIZERS["adam"], n_steps=0)
    load_optimizer_state(
        second, optimizer_state(first) if as_arrays else first.optimizer_.state_dict()["state"]
    )
    step()
    steps = [[float(s["step"]) for s in net.optimizer_.state.values()] for net in (first, second)]
    assert steps == [[1.0, 1.0], [2.0, 2.0]]
    before, after = (net.optimizer_.state[net.module_.weight] for net in (first, second))
    assert before["exp_avg"].data_ptr() != after["exp_avg"].data_ptr()
    assert not torch.equal(before["exp_avg"], after["exp_avg"])


def test_a_callable_optimizer_gets_the_parameters_and_lr(table):
    optimizer = functools.partial(torch.optim.SGD, momentum=0.9)
    fitted = VAETransformer(2, max_epochs=1, lr=1e-4, optimizer=optimizer).fit(table)
    group = fitted.net_.optimizer_.param_groups[0]
    assert group["momentum"] == 0.9
    assert group["lr"] == 1e-4


def test_adam_is_fused_and_weight_decay_is_passed_on(table):
    fitted = VAETransformer(2, max_epochs=1, weight_decay=0.1, optimizer="adamw").fit(table)
    group = fitted.net_.optimizer_.param_groups[0]
    assert isinstance(fitted.net_.optimizer_, torch.optim.AdamW)
    assert group["fused"]
    assert group["weight_decay"] == 0.1
