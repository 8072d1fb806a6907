"""Choosing a model: which beta keeps which direction of the data."""

from skvae.model_selection.spectrum import suggest_beta

__all__ = ["suggest_beta"]
