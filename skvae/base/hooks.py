"""The hooks by which an estimator class describes its model to ``fit``."""

from abc import abstractmethod

import numpy as np

from skvae.base.cautions import (
    errors_of_some_rows,
    warn_if_it_ran_away,
    warn_of_hidden_columns,
)
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
        """Warn if the model has not learned the data, or a part; return whether it ran away."""
        network = run.net.module_
        # New ones start at the means of the columns or near a PCA. So a larger error is no slow
        # start. A warm start begins with the means of the rows of an earlier fit.
        is_new = run.start.weights is None
        starts_well = is_new and network.is_built_in and self._begins_near_linear()
        may_hide = self._decodes_rows() and self.image_shape is None
        found = errors_of_some_rows(network, run.batches) if starts_well or may_hide else None
        if found is None:
            return False
        error, variance = found
        # Rows far from the others may be missing among some rows, or be too many of them. So may
        # rows of one kind, if kinds take turns.
        of_rows = np.fmax(variance, run.plan.variance)
        numbers, alike = self._columns_of_numbers(), self._columns_are_alike()
        if starts_well and warn_if_it_ran_away(error[numbers], of_rows[numbers], alike=alike):
            return True
        if may_hide:
            names = getattr(self, "feature_names_in_", None)
            warn_of_hidden_columns(error, variance, names, **self._advice_on_hidden_columns())
        return False

    def _columns_of_numbers(self):
        """Return an index of the columns with a squared error in the objective."""
        return slice(None)

    def _columns_are_alike(self):
        """Return whether the objective adds up the squared errors of all columns in one unit."""
        return True

    def _advice_on_hidden_columns(self):
        """Return the options of :func:`~skvae.base.cautions.warn_of_hidden_columns`."""
        return {"remedy": "Scale X.", "dominated": True}

    def _decodes_rows(self):
        """Return whether the output of the decoder has the units of the rows."""
        return True

    def _begins_near_linear(self):
        """Return whether the built-in networks start near a linear map, or at random weights.

        With a squared error, a start near a linear map needs fewer steps. For logits it is worse:
        codes that start near zero together become active for several factors at a time.
        """
        return self._decodes_rows()
