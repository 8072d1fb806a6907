"""What a final class says of its model, and what it leaves as it is."""

from abc import abstractmethod

import numpy as np

from skvae.base.cautions import warn_of_hidden_columns
from skvae.nn.objectives import Objective

__all__ = ["ModelHooks"]


class ModelHooks:
    """What ``fit`` asks an autoencoder when it makes a plan, and at the end of a training."""

    @abstractmethod
    def _network(self, n_features):
        """Return the network, its own weights not yet drawn."""

    @abstractmethod
    def _objective(self, n_samples: int) -> Objective:
        """Return the objective for batches drawn from ``n_samples`` rows."""

    @abstractmethod
    def _tolerance(self, n_features):
        """Return ``tol`` in the units of the objective."""

    _parts_ = None  # the columns of every likelihood, where there are several
    _takes_holes = False  # whether NaN stands for what was not observed

    def _take_columns(self, X, rows, reset):
        """Look up the columns of X, as given, that parameters name; ``rows`` are those of X."""

    def _check_support(self, statistics, X, rows):
        """Refuse data that the likelihood gives no density."""

    def _measured(self, statistics):
        """Return the statistics of what has a unit."""
        return statistics

    def _statistics_of_inputs(self, network, rows, statistics):
        """Return the statistics of what the encoder reads, and other means for the decoder."""
        return statistics, None

    def _column_scale(self, statistics):
        """Return the scale of every column that the network works in."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _loss_unit(self, statistics):
        """Return what the optimizer's loss is divided by."""
        return 1.0

    def _schedule(self, objective):
        """Give an objective what changes its penalties over the epochs."""

    def _start(self, network, rows, statistics, generator):
        """Set what training begins with besides the weights."""

    def _resume(self, network):
        """Set what a parameter that was changed since changes in a network trained so far."""

    def _conclude(self, network, batches):
        """Set what follows from the trained weights; return further fitted attributes."""
        return {}

    def _caution(self, run):
        """Warn of what a whole fit has left undone."""
        self._warn_of_hidden_columns(run, remedy="Scale X.", dominated=True)

    def _warn_of_hidden_columns(self, run, **options):
        if self._decodes_rows() and self.image_shape is None:
            names = getattr(self, "feature_names_in_", None)
            warn_of_hidden_columns(run.net.module_, run.batches, names, **options)

    def _decodes_rows(self):
        """Return whether the decoder's output has the units of rows."""
        return True

    def _begins_near_linear(self):
        """Return whether our networks begin near a linear map, or at random weights.

        Under a squared error the former learn in fewer steps. Logits are another matter: codes
        that begin together near zero open by several factors at a time.
        """
        return self._decodes_rows()
