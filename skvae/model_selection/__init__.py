"""Choosing a model: what to select by, and which beta keeps which direction of the data."""

from skvae.model_selection.scorers import latent_scorer
from skvae.model_selection.spectrum import suggest_beta

__all__ = ["latent_scorer", "suggest_beta"]
