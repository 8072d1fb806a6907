"""Messages, quoted whole."""

import re


def exactly(text):
    """Return the pattern of exactly this text."""
    return f"^{re.escape(text)}$"
