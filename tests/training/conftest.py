"""What tests of training share."""

import pytest

from skvae.training import steps


@pytest.fixture
def made(monkeypatch):
    """The steps that a fit has made."""
    found, plain = [], steps.step_of

    def step_of(*arguments):
        found.append(plain(*arguments))
        return found[-1]

    monkeypatch.setattr(steps, "step_of", step_of)
    return found
