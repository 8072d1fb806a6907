"""The noise variance of a variational autoencoder: its start, its end, and warnings about it."""

import numpy as np
import torch

from skvae._warnings import warn
from skvae.base.cautions import holds_the_variance, posteriors_of_some_rows, warn_of_collapse
from skvae.base.mixtures import columns_in_order, dispersions, of_arrays
from skvae.base.principal import components_of_rows
from skvae.nn.mixed_observation import MixedObservation
from skvae.nn.observation_models import GaussianObservation

__all__ = ["VARIANCE_FLOOR", "NoiseVarianceMixin", "held_noise_variance"]

VARIANCE_FLOOR = 1e-6  # times the training variance
CONSTANT_COLUMN_FLOOR = 1e-12
# A learned noise variance starts at this share of the training variance or above. If a few
# directions hold nearly all of the variance, a PCA leaves almost nothing, and the first errors,
# divided by it, would be huge.
LEAST_START = 0.01
FAR = 4.0  # factor between two variances: their standard deviations differ by a factor of 2


class NoiseVarianceMixin:
    """The hooks of a variational autoencoder that start and conclude its noise variance."""

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
