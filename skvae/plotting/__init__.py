"""Displays of fitted models, with scikit-learn's ``from_estimator``, ``plot`` and ``axes_``."""

from skvae.plotting.beta_curves import BetaCurveDisplay
from skvae.plotting.errors import ReconstructionErrorDisplay
from skvae.plotting.latent_space import LatentSpaceDisplay
from skvae.plotting.reconstructions import ReconstructionDisplay
from skvae.plotting.samples import SampleDisplay
from skvae.plotting.summaries import LatentSummaryDisplay
from skvae.plotting.training import TrainingCurveDisplay
from skvae.plotting.traversals import LatentTraversalDisplay

__all__ = [
    "BetaCurveDisplay",
    "LatentSpaceDisplay",
    "LatentSummaryDisplay",
    "LatentTraversalDisplay",
    "ReconstructionDisplay",
    "ReconstructionErrorDisplay",
    "SampleDisplay",
    "TrainingCurveDisplay",
]
