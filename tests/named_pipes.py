"""What a test with named pipes asks of the system."""

import os

import pytest

has_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
