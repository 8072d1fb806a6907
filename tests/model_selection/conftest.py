"""Fixtures for the tests of selection."""

import pytest
from curves import SMALL

from skvae import BetaVAETransformer


@pytest.fixture
def vae():
    return BetaVAETransformer(3, max_epochs=4, **SMALL)
