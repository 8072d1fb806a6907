"""Model selection: scores to select models by, and what a model keeps at each beta."""

from skvae.model_selection.code_scorers import downstream_scorer, latent_scorer
from skvae.model_selection.curve import BetaCurve, beta_curve
from skvae.model_selection.ranking import UnsupervisedRanking, rank_unsupervised
from skvae.model_selection.scorers import (
    active_units_scorer,
    elbo_scorer,
    log_likelihood_scorer,
    reconstruction_scorer,
    total_correlation_scorer,
)
from skvae.model_selection.spectrum import suggest_beta

__all__ = [
    "BetaCurve",
    "UnsupervisedRanking",
    "active_units_scorer",
    "beta_curve",
    "downstream_scorer",
    "elbo_scorer",
    "latent_scorer",
    "log_likelihood_scorer",
    "rank_unsupervised",
    "reconstruction_scorer",
    "suggest_beta",
    "total_correlation_scorer",
]
