"""What the variational autoencoders share: the likelihood and its noise variance."""

from abc import abstractmethod
from dataclasses import KW_ONLY

import numpy as np
import torch

from skvae._warnings import warn
from skvae.base.building import make_decoder, make_encoder
from skvae.base.cautions import holds_the_variance, posteriors_of_some_rows, warn_of_collapse
from skvae.base.hyperparameters import (
    NON_NEGATIVE,
    NON_NEGATIVE_INTEGER,
    POSITIVE,
    POSITIVE_INTEGER,
    hyperparameters,
    one_of,
)
from skvae.base.principal import components_of_rows
from skvae.base.probabilities import ProbabilityMixin, check_support
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.networks import VariationalNetwork
from skvae.nn.objectives import Objective
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.schedules import Warmup

__all__ = ["BaseVAETransformer", "held_noise_variance"]

VARIANCE_FLOOR = 1e-6  # of the training variance
CONSTANT_COLUMN_FLOOR = 1e-12
# A learned variance begins no lower than this share of the training variance: where a few
# directions hold nearly all of it, a PCA leaves next to nothing to divide the first errors by.
LEAST_START = 0.01
FAR = 4.0  # times: a standard deviation twice or half as large


@hyperparameters
class BaseVAETransformer(ProbabilityMixin, BaseAutoencoderTransformer):
    """An autoencoder transformer with a prior N(0, I), q(z|x), and a density p(x|z)."""

    _: KW_ONLY
    likelihood: str = "gaussian"
    noise_variance: float | str = "learned"
    kl_warmup_epochs: int = 0
    kl_warmup_start: float = 0.0
    kl_cycles: int = 1
    free_bits: float = 0.0

    _parameter_constraints = {
        **BaseAutoencoderTransformer._parameter_constraints,
        "likelihood": one_of(*LIKELIHOODS),
        "noise_variance": [*one_of("learned", "per-feature", "pca"), *POSITIVE],
        "kl_warmup_epochs": NON_NEGATIVE_INTEGER,
        "kl_warmup_start": NON_NEGATIVE,
        "kl_cycles": POSITIVE_INTEGER,
        "free_bits": NON_NEGATIVE,
    }

    @abstractmethod
    def _objective(self, n_samples: int) -> Objective:
        """Return the objective for batches drawn from ``n_samples`` rows."""

    def _observation(self, n_features):
        """Return p(x|z) around the decoder's output."""
        if self.likelihood != "gaussian":
            return Observation(LIKELIHOODS[self.likelihood], self.input_scale)
        return GaussianObservation(
            n_features,
            per_feature=self.noise_variance == "per-feature",
            learned=self.noise_variance in ("learned", "per-feature"),
            beta=self._divergence_weight(),
        )

    def _divergence_weight(self):
        """Return what the divergence weighs in the objective."""
        return 1.0

    def _decodes_rows(self):
        return self.likelihood == "gaussian"

    def _network(self, n_features):
        return VariationalNetwork(
            make_encoder(self, n_features, 2 * self.n_components),
            make_decoder(self, n_features),
            self._observation(n_features),
            self.n_components,
        )

    def _schedule(self, objective):
        for name, least in (("kl_cycles", 1), ("kl_warmup_start", 0.0)):
            value = getattr(self, name)
            if value > least and self.kl_warmup_epochs == 0:
                raise ValueError(
                    f"{name} is of the warm-up, and needs kl_warmup_epochs >= 1. Got "
                    f"{name}={value} with kl_warmup_epochs=0 instead. Set both, or neither."
                )
        objective.warmup = Warmup(self.kl_warmup_epochs, self.kl_cycles, self.kl_warmup_start)
        objective.free_bits = self.free_bits

    def _tolerance(self, n_features):
        return self.tol * n_features

    def _check_support(self, statistics):
        check_support(vars(self), statistics.minimum.min(), statistics.maximum.max())

    def _column_scale(self, statistics):
        if self.likelihood == "gaussian" and self.noise_variance == "per-feature":
            return np.sqrt(statistics.variance)
        return super()._column_scale(statistics)

    def _start(self, network, rows, statistics, generator):
        if self.likelihood != "gaussian":
            return
        scale = self._column_scale(statistics)
        unit, variance = scale**2, statistics.variance
        if self.noise_variance != "per-feature":
            self._warn_of_dominant_column(variance)
            unit, variance = unit.mean(), variance.mean()
        components = None
        if network.has_linear_path or isinstance(self.noise_variance, str):
            X, training = rows.X, rows.training
            components = components_of_rows(X, training, self.n_components, scale, generator)
        start = self._start_noise(network, components, unit, variance, len(rows.training))
        if network.has_linear_path and len(components.variances):
            known = np.atleast_1d(unit) > 0  # a constant column has no unit
            noise_variance = np.mean(np.atleast_1d(start)[known] / np.atleast_1d(unit)[known])
            network.start_at(components, max(self._first_weight() * noise_variance, VARIANCE_FLOOR))

    def _resume(self, network):
        if isinstance(network.observation, GaussianObservation):
            network.observation.weigh(self._divergence_weight())

    def _first_weight(self):
        """Return the divergence's weight at the first step, or after a rise from less."""
        # Weights that fall to beta from above begin with closed codes.
        first = self.kl_warmup_start if self.kl_warmup_epochs else 1.0
        return self._divergence_weight() * max(first, 1.0)

    def _start_noise(self, network, components, unit, variance, n_samples):
        """Set the noise variance that training begins with, and return it.

        ``unit`` is the square of what the components' rows were divided by, ``variance`` that of
        the training rows; numbers, or one for each column.
        """
        observation = network.observation
        floor = np.where(variance > 0, VARIANCE_FLOOR * variance, CONSTANT_COLUMN_FLOOR)
        if not isinstance(self.noise_variance, str):
            start, floor = np.float64(self.noise_variance) / self.input_scale**2, np.float64(0)
        elif self.noise_variance == "pca":
            start = unit * held_noise_variance(components, n_samples)
        else:
            shared = self.noise_variance == "learned"
            prior = unit * (components.noise_variance() if shared else components.left).numpy()
            # So few rows leave directions unknown, and their variance is not noise.
            if n_samples - 2 >= min(self.n_components, len(components.left) - 1):
                observation.expect(torch.as_tensor(prior), n_samples)
            start = variance
            if network.has_linear_path:
                start = np.maximum(prior, LEAST_START * variance)
        observation.start(torch.as_tensor(start), torch.as_tensor(floor))
        return start

    def _warn_of_dominant_column(self, variance):
        column = holds_the_variance(variance)
        if column is None:
            return
        names = getattr(self, "feature_names_in_", None)
        name = f"{column}" if names is None else f"{names[column]!r}"
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
        observation = network.observation
        if not isinstance(observation, GaussianObservation):
            return {}
        if observation.learned:
            observation.learn(network.expected_residual(batches))
        variance = torch.exp(2 * observation.log_scale.double()).cpu().numpy()
        if self.noise_variance == "pca" and not collapsed:
            self._warn_of_held_variance(float(variance), network, batches)
        return {"noise_variance_": variance if variance.ndim else float(variance)}

    def _caution(self, run):
        if self.noise_variance == "per-feature":
            super()._caution(run)
        else:
            remedy = "Scale X, or use noise_variance='per-feature'."
            self._warn_of_hidden_columns(run, remedy=remedy, dominated=False)

    def _warn_of_held_variance(self, held, network, batches):
        """Warn if a PCA's noise variance says nothing of what the network leaves."""
        residual = float(network.expected_residual(batches))
        residual = max(residual, float(network.observation.floor))
        if held / FAR <= residual <= held * FAR:
            return
        warn(
            f"A held noise variance should be near what the network leaves of the rows. Got "
            f"{held:.2g} from the PCA and {residual:.2g} left instead: what beta means, and the "
            f"score, follow from the first. Use noise_variance='learned', or train for longer."
        )


def held_noise_variance(components, n_samples):
    """Return the noise variance of a PCA that leaves at least half of the directions.

    As scikit-learn's it is of the unbiased covariance.
    """
    half = min(len(components.left) // 2, (n_samples - 1) // 2)
    n_directions = min(half, len(components.variances))
    return float(components.noise_variance(n_directions)) * n_samples / (n_samples - 1)
