"""Fits that end before a step, in the place of kill -9, and what they end as when called again."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from skvae.training import checkpoints
from skvae.training.steps import Steps

__all__ = ["always_written", "assert_same", "is_killed", "resumed_in_every_epoch"]

STEPS_OF_AN_EPOCH = 3  # of the fits of these tests at most
MOST_EPOCHS = 10  # of all fits


class Killed(Exception):
    """In the place of kill -9."""


def always_written(monkeypatch):
    """Write a checkpoint after every epoch."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "LEAST_SHARE", 0)


@contextmanager
def killed_at(step):
    """Raise before the step of that number, counted from 0, of all fits in the block."""
    move, left = Steps.move, step

    def counted(steps):
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        move(steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "move", counted)
        yield


def is_killed(fit, step):
    """Return whether a fit comes to a step, before which it is killed."""
    with killed_at(step):
        try:
            fit()
        except Killed:
            return True
    return False


def assert_same(one, other, X):
    """Assert that two fits have left the same, bit for bit."""
    for module in ("module_", "criterion_"):
        states = [getattr(fit.net_, module).state_dict() for fit in (one, other)]
        assert states[0].keys() == states[1].keys()
        for name in states[0]:
            assert torch.equal(states[0][name], states[1][name]), name
    histories = [
        [
            {name: value for name, value in epoch.items() if name != "batches"}
            for epoch in fit.net_.history
        ]
        for fit in (one, other)
    ]
    assert histories[0] == histories[1]
    assert one.history_.keys() == other.history_.keys()
    for name, values in one.history_.items():
        np.testing.assert_array_equal(values, other.history_[name])
    np.testing.assert_array_equal(one.transform(X), other.transform(X))
    np.testing.assert_array_equal(one.sample(3, random_state=0), other.sample(3, random_state=0))
    assert one.n_iter_ == other.n_iter_
    assert one.n_samples_seen_ == other.n_samples_seen_


def resumed_in_every_epoch(fit, trained=lambda fitted: fitted):
    """Return what a fit ends as that is killed in the middle of each epoch but its first.

    What it has ``trained`` is the estimator itself, or one that it holds.
    """
    n_kills = 0
    while is_killed(fit, STEPS_OF_AN_EPOCH + 1):
        n_kills += 1
        assert n_kills < MOST_EPOCHS, "an epoch in every call"
    resumed = fit()
    assert n_kills >= max(1, trained(resumed).n_iter_ - 2)
    return resumed
