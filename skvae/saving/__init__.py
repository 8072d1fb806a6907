"""Save and load fitted estimators without pickles; files are checked when they are read."""

from skvae.files.errors import SavingError
from skvae.saving.files import load, save

__all__ = ["SavingError", "load", "save"]
