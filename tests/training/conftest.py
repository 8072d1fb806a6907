"""Fixtures for the tests of training."""

import pytest

from skvae.training import steps


@pytest.fixture
def made(monkeypatch):
    """The list of training steps that the fits of a test make."""
    found, plain = [], steps.step_of

    def step_of(*arguments):
        found.append(plain(*arguments))
        return found[-1]

    monkeypatch.setattr(steps, "step_of", step_of)
    return found
