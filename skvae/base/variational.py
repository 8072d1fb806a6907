"""The base class of the variational autoencoders: the likelihood and its noise variance."""

from abc import abstractmethod
from dataclasses import KW_ONLY

import numpy as np
import torch

from skvae._warnings import warn
from skvae.base.building import make_decoder, make_encoder
from skvae.base.cautions import holds_the_variance, posteriors_of_some_rows, warn_of_collapse
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
    columns_in_order,
    columns_of_kind,
    dispersions,
    input_scales,
    of_arrays,
    start_counts_and_categories,
    statistics_of_inputs,
)
from skvae.base.principal import components_of_rows
from skvae.base.probabilities import check_support
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.nn.layout import COUNTS, ColumnLayout
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.mixed_observation import MixedObservation
from skvae.nn.networks import VariationalNetwork
from skvae.nn.objectives import Objective
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.schedules import Warmup

__all__ = ["BaseVAETransformer", "held_noise_variance"]

VARIANCE_FLOOR = 1e-6  # times the training variance
CONSTANT_COLUMN_FLOOR = 1e-12
# A learned noise variance starts at this share of the training variance or above. If a few
# directions hold nearly all of the variance, a PCA leaves almost nothing, and the first errors,
# divided by it, would be huge.
LEAST_START = 0.01
FAR = 4.0  # factor between two variances: their standard deviations differ by a factor of 2


@hyperparameters
class BaseVAETransformer(ImputationMixin, BaseAutoencoderTransformer):
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

    def _start(self, network, rows, statistics, generator):
        observation = gaussian_model(network.observation)
        if observation is None:
            return
        scale, place, sources = self._column_scale(statistics), None, None
        unit, variance = scale**2, statistics.variance
        if self._parts_ is not None:
            place = network.observation.layout.slices["gaussian"]
            sources = network.observation.layout.source[place]
            unit, variance = unit[place], variance[place]
        if self.noise_variance != "per-feature":
            self._warn_of_dominant_column(variance, sources)
            unit, variance = unit.mean(), variance.mean()
        components = None
        if network.has_linear_path or isinstance(self.noise_variance, str):
            X, training = rows.X, rows.training
            expand = None if place is None else of_arrays(network.read)
            components = components_of_rows(
                X, training, self.n_components, scale, generator, expand=expand
            )
        start = self._start_noise(network, components, unit, variance, len(rows.training), place)
        if network.has_linear_path and len(components.variances):
            known = np.atleast_1d(unit) > 0  # a constant column has no unit
            noise_variance = np.mean(np.atleast_1d(start)[known] / np.atleast_1d(unit)[known])
            network.start_at(components, max(self._first_weight() * noise_variance, VARIANCE_FLOOR))

    def _resume(self, network):
        if hasattr(network.observation, "weigh"):
            network.observation.weigh(self._divergence_weight())

    def _first_weight(self):
        """Return the largest weight of the divergence in the warm-up and after it."""
        # If the weight falls to beta from above, the codes start inactive.
        first = self.kl_warmup_start if self.kl_warmup_epochs else 1.0
        return self._divergence_weight() * max(first, 1.0)

    def _start_noise(self, network, components, unit, variance, n_samples, place):
        """Set the first noise variance of training, and return it.

        ``unit`` is the square of the scale by which the rows of the components were divided.
        ``variance`` is the variance of the training rows. Both are numbers, or arrays with one
        value per column. ``place`` selects the columns with a noise variance among those of the
        components. None selects all.
        """
        observation = gaussian_model(network.observation)
        floor = np.where(variance > 0, VARIANCE_FLOOR * variance, CONSTANT_COLUMN_FLOOR)
        if not isinstance(self.noise_variance, str):
            start, floor = np.float64(self.noise_variance) / self.input_scale**2, np.float64(0)
        elif self.noise_variance == "pca":
            start = unit * held_noise_variance(components, n_samples, place)
        else:
            shared = self.noise_variance == "learned"
            left = components.left if place is None else components.left[place]
            prior = unit * (components.noise_variance(place=place) if shared else left).numpy()
            # With fewer rows, some directions are unknown, and their variance is not noise.
            if n_samples - 2 >= min(self.n_components, len(components.left) - 1):
                observation.expect(torch.as_tensor(prior), n_samples)
            start = variance
            if network.has_linear_path:
                start = np.maximum(prior, LEAST_START * variance)
        observation.start(torch.as_tensor(start), torch.as_tensor(floor))
        return start

    def _warn_of_dominant_column(self, variance, sources):
        column = holds_the_variance(variance)
        if column is None:
            return
        names, source = getattr(self, "feature_names_in_", None), column
        if sources is not None:
            source = int(sources[column])
        name = f"{source}" if names is None else f"{names[source]!r}"
        warn(
            f"Column {name} holds {int(100 * variance[column] / variance.sum())}% of the variance "
            f"of X, so one noise variance shared by all columns hides the others. Scale X, or use "
            f"noise_variance='per-feature'.",
        )

    def _conclude(self, network, batches):
        found = posteriors_of_some_rows(network, batches)
        collapsed = found is None
        if found is not None:
            remedies = ["a smaller beta"] if hasattr(self, "beta") else []
            remedies += ["a smaller noise_variance"] if self.likelihood == "gaussian" else []
            collapsed = warn_of_collapse(*found, remedies)
        observation = gaussian_model(network.observation)
        if network.observation.learned:
            network.observation.learn(network.expected_residual(batches))
        fitted = {} if self._parts_ is None else dispersions(network.observation)
        if observation is None:
            return fitted
        variance = torch.exp(2 * observation.log_scale.double()).cpu().numpy()
        if self.noise_variance == "pca" and not collapsed:
            self._warn_of_held_variance(float(variance), network, batches)
        if variance.ndim and self._parts_ is not None:
            variance = variance[columns_in_order(network.observation.layout, "gaussian")]
        return {"noise_variance_": variance if variance.ndim else float(variance), **fitted}

    def _caution(self, run):
        if self.noise_variance == "per-feature":
            super()._caution(run)
        else:
            remedy = "Scale X, or use noise_variance='per-feature'."
            self._warn_of_hidden_columns(run, remedy=remedy, dominated=False)

    def _warn_of_held_variance(self, held, network, batches):
        """Warn if the noise variance of a PCA is far from the residual of the network."""
        residual = network.expected_residual(batches)
        if self._parts_ is not None:
            residual = network.observation.residual_of_numbers(residual)
        residual = max(float(residual), float(gaussian_model(network.observation).floor))
        if held / FAR <= residual <= held * FAR:
            return
        warn(
            f"A fixed noise variance should be near the residual of the network. Got {held:.2g} "
            f"from the PCA and a residual of {residual:.2g} instead: the score, and the effect of "
            f"beta, depend on the noise variance. Use noise_variance='learned', or train for "
            f"longer."
        )


def gaussian_model(observation):
    """Return the observation model of the Gaussian columns, or None."""
    if isinstance(observation, MixedObservation):
        return observation.model("gaussian")
    return observation if isinstance(observation, GaussianObservation) else None


def held_noise_variance(components, n_samples, place=None):
    """Return the noise variance of a PCA with at most half of the directions.

    It is computed from the unbiased covariance, as in scikit-learn. ``place`` selects the columns
    with a noise variance. None selects all.
    """
    half = min(len(components.left) // 2, (n_samples - 1) // 2)
    n_directions = min(half, len(components.variances))
    return float(components.noise_variance(n_directions, place)) * n_samples / (n_samples - 1)
