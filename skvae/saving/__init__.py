"""Fitted estimators in files: without pickles, written whole, checked when read."""

from skvae.files.errors import SavingError
from skvae.saving.files import load, save

__all__ = ["SavingError", "load", "save"]
