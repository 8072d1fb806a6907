"""The base class of the variational autoencoders: the likelihood, the network, the warm-up."""

from abc import abstractmethod
from dataclasses import KW_ONLY

import numpy as np
import torch

from skvae.base.building import make_decoder, make_encoder
from skvae.base.columns import are_alike, check_ends, check_values, parts_of, with_levels
from skvae.base.holes import ImputationMixin
from skvae.base.hyperparameters import (
    NON_NEGATIVE,
    NON_NEGATIVE_INTEGER,
    POSITIVE,
    POSITIVE_INTEGER,
    hyperparameters,
    one_of,
)
from skvae.base.mixtures import (
    columns_of_kind,
    input_scales,
    start_counts_and_categories,
    statistics_of_inputs,
)
from skvae.base.noise import NoiseVarianceMixin
from skvae.base.supports import check_support
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.nn.layout import COUNTS, ColumnLayout
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.mixed_observation import MixedObservation
from skvae.nn.networks import VariationalNetwork
from skvae.nn.objectives import Objective
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.schedules import Warmup

__all__ = ["BaseVAETransformer"]


@hyperparameters
class BaseVAETransformer(NoiseVarianceMixin, ImputationMixin, BaseAutoencoderTransformer):
    """The base class of the variational autoencoders, with prior N(0, I), q(z|x) and p(x|z)."""

    _: KW_ONLY
    likelihood: str | list | tuple = "gaussian"
    noise_variance: float | str = "learned"
    missing: str | None = None
    kl_warmup_epochs: int = 0
    kl_warmup_start: float = 0.0
    kl_cycles: int = 1
    free_bits: float = 0.0

    _parameter_constraints = {
        **BaseAutoencoderTransformer._parameter_constraints,
        "likelihood": [*one_of(*LIKELIHOODS, *COUNTS), list, tuple],
        "noise_variance": [*one_of("learned", "per-feature", "pca"), *POSITIVE],
        "missing": [*one_of("mask"), None],
        "kl_warmup_epochs": NON_NEGATIVE_INTEGER,
        "kl_warmup_start": NON_NEGATIVE,
        "kl_cycles": POSITIVE_INTEGER,
        "free_bits": NON_NEGATIVE,
    }

    @abstractmethod
    def _objective(self, n_samples: int) -> Objective:
        """Return the objective for batches drawn from ``n_samples`` rows."""

    def _observation(self, n_features):
        """Return the observation model, which makes p(x|z) of the decoder's output."""
        options = {
            "per_feature": self.noise_variance == "per-feature",
            "learned": self.noise_variance in ("learned", "per-feature"),
            "beta": self._divergence_weight(),
        }
        if self._parts_ is not None:
            return MixedObservation(self._layout(), **options)
        if self.likelihood != "gaussian":
            return Observation(LIKELIHOODS[self.likelihood], self.input_scale)
        return GaussianObservation(n_features, **options)

    def _layout(self):
        return ColumnLayout(self._parts_, takes_holes=self._takes_holes)

    @property
    def _takes_holes(self):
        return self.missing is not None

    def _divergence_weight(self):
        """Return the weight of the divergence in the objective."""
        return 1.0

    def _decodes_rows(self):
        return self._parts_ is None and self.likelihood == "gaussian"

    def _begins_near_linear(self):
        if self._parts_ is None:
            return self._decodes_rows()
        return any(part.kind == "gaussian" for part in self._parts_)

    def _take_columns(self, X, rows, reset):
        if are_alike(self.likelihood, self.missing):
            return
        for name, default in (("input_scale", 1.0), ("image_shape", None)):
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name} cannot be used with counts, with columns of several kinds or with "
                    f"missing values. Got {name}={getattr(self, name)} with "
                    f"likelihood={self.likelihood!r} and missing={self.missing!r} instead. Leave "
                    f"it at {default}."
                )
        names = getattr(self, "feature_names_in_", None)
        parts = parts_of(self.likelihood, X, names, rows.shape[1])
        if reset:
            self._parts_ = with_levels(parts, rows)
        elif parts != [part._replace(levels=()) for part in self._parts_]:
            raise ValueError(
                f"Further training needs the kinds of columns with which the network was built. "
                f"Got likelihood={self.likelihood!r} instead. Set it back, or call fit with "
                f"warm_start=False."
            )

    def _network(self, n_features):
        observation = self._observation(n_features)
        if isinstance(observation, MixedObservation):
            n_features = observation.layout.n_columns
        return VariationalNetwork(
            make_encoder(self, n_features, 2 * self.n_components),
            make_decoder(self, n_features),
            observation,
            self.n_components,
        )

    def _schedule(self, objective):
        for name, least in (("kl_cycles", 1), ("kl_warmup_start", 0.0)):
            value = getattr(self, name)
            if value > least and self.kl_warmup_epochs == 0:
                raise ValueError(
                    f"{name} is a setting of the warm-up, and needs kl_warmup_epochs >= 1. Got "
                    f"{name}={value} with kl_warmup_epochs=0 instead. Set both, or neither."
                )
        objective.warmup = Warmup(self.kl_warmup_epochs, self.kl_cycles, self.kl_warmup_start)
        objective.free_bits = self.free_bits

    def _tolerance(self, n_features):
        return self.tol * n_features

    def _check_support(self, statistics, X, rows):
        if self._parts_ is None:
            check_support(vars(self), statistics.minimum.min(), statistics.maximum.max())
            return
        names = getattr(self, "feature_names_in_", None)
        check_ends(self._parts_, statistics.minimum, statistics.maximum, names)
        check_values(self._parts_, X, rows, names)

    def _measured(self, statistics):
        if self._parts_ is None:
            return statistics
        numbers = columns_of_kind(self._parts_, "gaussian")
        return statistics._replace(variance=statistics.variance * numbers)

    def _statistics_of_inputs(self, network, rows, statistics):
        if self._parts_ is None:
            return statistics, None
        read, expanded = statistics_of_inputs(network, rows, holes=self._takes_holes)
        start_counts_and_categories(network.observation, expanded, len(rows.training))
        if self._takes_holes:
            never = ~np.isfinite(statistics.minimum)
            network.observation.layout.never.copy_(torch.from_numpy(never))
        return read, torch.from_numpy(expanded.mean)

    def _column_scale(self, statistics):
        per_feature = self.noise_variance == "per-feature"
        if self._parts_ is not None:
            return input_scales(self._layout(), statistics.variance, per_feature=per_feature)
        if self.likelihood == "gaussian" and per_feature:
            return np.sqrt(statistics.variance)
        return super()._column_scale(statistics)

    def _resume(self, network):
        if hasattr(network.observation, "weigh"):
            network.observation.weigh(self._divergence_weight())

    def _columns_of_numbers(self):
        if self._parts_ is None:
            return super()._columns_of_numbers()
        return columns_of_kind(self._parts_, "gaussian")

    def _columns_are_alike(self):
        return self._parts_ is None and self.noise_variance != "per-feature"

    def _advice_on_hidden_columns(self):
        if self.noise_variance == "per-feature":
            return super()._advice_on_hidden_columns()
        # A dominant column has its own warning.
        remedy = "Scale X, or use noise_variance='per-feature'."
        return {"remedy": remedy, "dominated": False}
