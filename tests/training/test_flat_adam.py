"""Adam on one tensor of all weights: it moves them as torch's does, and lets go of them."""

import pytest
import torch
from skorch.callbacks import Callback
from steps_by_autograd import make, unit_rows
from torch import nn

from skvae import VAETransformer
from skvae.training.flat_adam import FlatAdam
from skvae.training.optimizers import Adam


def test_a_fit_leaves_weights_and_states_in_memory_of_their_own():
    fitted = make(VAETransformer, warm_start=True).fit(unit_rows())
    optimizer = fitted.net_.optimizer_
    assert type(optimizer) is Adam
    tensors = [*fitted.net_.module_.parameters()]
    tensors += [value for state in optimizer.state.values() for value in state.values()]
    assert len({tensor.untyped_storage().data_ptr() for tensor in tensors}) == len(tensors)
    assert {float(state["step"]) for state in optimizer.state.values()} == {6.0}
    assert all(weight.grad is None for weight in fitted.net_.module_.parameters())


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
        for network in (ours, theirs):
            network.zero_grad()
            network(x).square().sum().backward()
        assert flat.collect()
        flat.step()
        optimizer.step()
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


class Counting(Callback):
    """Reads the counts of steps after every epoch."""

    def on_epoch_end(self, net, **kwargs):
        counts = {float(state["step"]) for state in net.optimizer_.state.values()}
        assert counts == {3.0 * len(net.history)}


def test_callbacks_of_epochs_find_the_counts_of_steps():
    make(VAETransformer, callbacks=[Counting()]).fit(unit_rows())


def test_weights_in_training_have_no_memory_in_common_with_what_is_no_weight(tmp_path):
    class Saving(Callback):
        def on_epoch_end(self, net, **kwargs):
            torch.save(net.module_.state_dict(), tmp_path / "weights.pt")

    fitted = make(VAETransformer, callbacks=[Saving()], hidden_layer_sizes=(300,)).fit(unit_rows())
    state = fitted.net_.module_.state_dict()
    torch.save({name: value.clone() for name, value in state.items()}, tmp_path / "alone.pt")
    sizes = [(tmp_path / f"{name}.pt").stat().st_size for name in ("weights", "alone")]
    assert sizes[0] < 1.1 * sizes[1]


class Interrupting(Callback):
    """Interrupts a fit as Ctrl-C does, and keeps the net."""

    found = []  # of the clone that a fit makes

    def on_epoch_begin(self, net, **kwargs):
        self.found.append(net)
        if len(self.found) == 2:
            raise KeyboardInterrupt


def test_so_does_one_that_is_interrupted():
    Interrupting.found.clear()
    with pytest.raises(KeyboardInterrupt):
        make(VAETransformer, callbacks=[Interrupting()]).fit(unit_rows())
    weights = [*Interrupting.found[0].module_.parameters()]
    assert len({weight.untyped_storage().data_ptr() for weight in weights}) == len(weights)
