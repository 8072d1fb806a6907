import math

import torch

from skvae.training.stopping import Patience


def test_patience_waits_for_a_decrease_of_more_than_tol():
    module = torch.nn.Linear(1, 1)
    patience = Patience(n_epochs=2, tol=0.1)
    stops = [patience.exhausted(loss, module) for loss in (1.0, 0.95, 0.85, 0.8, 0.79)]
    assert stops == [False, False, False, False, True]


def test_patience_restores_the_best_weights_and_ignores_a_loss_that_is_not_a_number():
    module = torch.nn.Linear(1, 1)
    patience = Patience(n_epochs=2, tol=0.0)
    for loss, weight in ((1.0, 1.0), (0.5, 2.0), (math.nan, 3.0)):
        module.weight.data.fill_(weight)
        patience.exhausted(loss, module)
    patience.restore(module)
    assert module.weight.item() == 2.0


def test_patience_ignores_the_epochs_of_a_schedule_their_weights_too():
    module = torch.nn.Linear(1, 1)
    patience = Patience(n_epochs=1, tol=0.0, ignored=2)
    stops = []
    for loss, weight in ((0.1, 1.0), (0.1, 2.0), (0.9, 3.0), (0.95, 4.0)):
        module.weight.data.fill_(weight)
        stops.append(patience.exhausted(loss, module))
    assert stops == [False, False, False, True]
    patience.restore(module)
    assert module.weight.item() == 3.0


def test_patience_without_an_epoch_that_counts_leaves_the_weights():
    module = torch.nn.Linear(1, 1)
    patience = Patience(n_epochs=1, tol=0.0, ignored=2)
    patience.exhausted(0.1, module)
    module.weight.data.fill_(7.0)
    patience.restore(module)
    assert module.weight.item() == 7.0
