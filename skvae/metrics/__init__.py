"""Scores of codes: how much information they hold, how it is distributed, and what moves them."""

from skvae.metrics.dci import dci_score
from skvae.metrics.decomposition import (
    KLDecomposition,
    gaussian_total_correlation,
    kl_decomposition,
)
from skvae.metrics.details import DetailedScore
from skvae.metrics.explicitness import explicitness_score
from skvae.metrics.gaps import modularity_score, mutual_information_gap
from skvae.metrics.infomec import infomec_score
from skvae.metrics.interventions import beta_vae_score, factor_vae_score
from skvae.metrics.latents import LatentSummary, active_units, latent_loadings, latent_summary
from skvae.metrics.report import DisentanglementReport, disentanglement_report
from skvae.metrics.sap import sap_score
from skvae.metrics.udr import udr_score

__all__ = [
    "DetailedScore",
    "DisentanglementReport",
    "KLDecomposition",
    "LatentSummary",
    "active_units",
    "beta_vae_score",
    "dci_score",
    "disentanglement_report",
    "explicitness_score",
    "factor_vae_score",
    "gaussian_total_correlation",
    "infomec_score",
    "kl_decomposition",
    "latent_loadings",
    "latent_summary",
    "modularity_score",
    "mutual_information_gap",
    "sap_score",
    "udr_score",
]
