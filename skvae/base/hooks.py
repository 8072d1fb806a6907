"""The hooks by which an estimator class describes its model to ``fit``."""

from abc import abstractmethod

import numpy as np

from skvae.base.cautions import warn_of_hidden_columns
from skvae.nn.objectives import Objective

__all__ = ["ModelHooks"]


class ModelHooks:
    """The methods that ``fit`` calls when it plans a fit, and at the end of training.

    A subclass must define the abstract ones, and may override the others.
    """

    @abstractmethod
    def _network(self, n_features):
        """Return the network. The weights of the built-in modules are drawn later."""

    @abstractmethod
    def _objective(self, n_samples: int) -> Objective:
        """Return the objective for batches drawn from ``n_samples`` rows."""

    @abstractmethod
    def _tolerance(self, n_features):
        """Return ``tol`` in the units of the objective."""

    _parts_ = None  # the columns of every likelihood, if there are several
    _takes_holes = False  # whether NaN marks a missing value

    def _take_columns(self, X, rows, reset):
        """Find the columns of X that parameters name. ``rows`` is X as an array."""

    def _check_support(self, statistics, X, rows):
        """Raise an error if values are outside the support of the likelihood."""

    def _measured(self, statistics):
        """Return the statistics with variance 0 for columns that are no measured numbers."""
        return statistics

    def _statistics_of_inputs(self, network, rows, statistics):
        """Return the statistics of the encoder's input, and the means of the decoder's output.

        The means are None if they are those of the encoder's input.
        """
        return statistics, None

    def _column_scale(self, statistics):
        """Return the scale by which the network divides every column."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _loss_unit(self, statistics):
        """Return the unit by which the loss of the optimizer is divided."""
        return 1.0

    def _schedule(self, objective):
        """Set the warm-up and the free bits of an objective."""

    def _start(self, network, rows, statistics, generator):
        """Set the linear maps and the noise variance with which training starts."""

    def _resume(self, network):
        """Update a trained network for parameters that have changed since, before a warm start."""

    def _conclude(self, network, batches):
        """Set the noise variance and the like from the trained weights.

        Return further fitted attributes by name.
        """
        return {}

    def _caution(self, run):
        """Warn at the end of a fit if the model has not learned part of the data."""
        self._warn_of_hidden_columns(run, remedy="Scale X.", dominated=True)

    def _warn_of_hidden_columns(self, run, **options):
        if self._decodes_rows() and self.image_shape is None:
            names = getattr(self, "feature_names_in_", None)
            warn_of_hidden_columns(run.net.module_, run.batches, names, **options)

    def _decodes_rows(self):
        """Return whether the output of the decoder has the units of the rows."""
        return True

    def _begins_near_linear(self):
        """Return whether the built-in networks start near a linear map, or at random weights.

        With a squared error, a start near a linear map needs fewer steps. For logits it is worse:
        codes that start near zero together become active for several factors at a time.
        """
        return self._decodes_rows()
