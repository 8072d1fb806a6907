"""Choosing a model: what to select by, and what each beta keeps of the data."""

from skvae.model_selection.curve import BetaCurve, beta_curve
from skvae.model_selection.scorers import latent_scorer
from skvae.model_selection.spectrum import suggest_beta

__all__ = ["BetaCurve", "beta_curve", "latent_scorer", "suggest_beta"]
