"""What the variational autoencoders share: the likelihood and its noise variance."""

from abc import abstractmethod
from dataclasses import KW_ONLY

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from skvae._warnings import warn
from skvae.base.building import make_decoder, make_encoder
from skvae.base.hyperparameters import (
    NON_NEGATIVE,
    NON_NEGATIVE_INTEGER,
    POSITIVE,
    POSITIVE_INTEGER,
    hyperparameters,
    one_of,
)
from skvae.base.probabilities import ProbabilityMixin, check_support
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.nn.distributions import active_dimensions, kl_per_dimension
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.networks import VariationalNetwork
from skvae.nn.objectives import Objective
from skvae.nn.observation_models import GaussianObservation, Observation
from skvae.nn.schedules import Warmup
from skvae.training.batches import dense_rows, in_chunks, working_dtype

__all__ = ["BaseVAETransformer", "pca_noise_variance"]

VARIANCE_FLOOR = 1e-6  # of the training variance
CONSTANT_COLUMN_FLOOR = 1e-12
PCA_ROWS = 10_000
PCA_ENTRIES = 2**24  # of wide rows fewer are taken, for the memory that the PCA needs
LEAST_PCA_ROWS = 1_000
COLLAPSE_ROWS = 1_000
COLLAPSED_DIVERGENCE = 0.1  # nats: what a dimension of a collapsed posterior stays below
DOMINANT_SHARE = 0.9


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
        )

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
        variance = statistics.variance
        if self.noise_variance != "per-feature":
            self._warn_of_dominant_column(variance)
            variance = variance.mean()
        floor = np.where(variance > 0, VARIANCE_FLOOR * variance, CONSTANT_COLUMN_FLOOR)
        if self.noise_variance == "pca" and variance > 0:
            variance = self._pca_noise_variance(rows.X, rows.training, generator)
        if not isinstance(self.noise_variance, str):
            variance = np.float64(self.noise_variance) / self.input_scale**2
            floor = np.float64(0)
        network.observation.start(torch.as_tensor(variance), torch.as_tensor(floor))

    def _warn_of_dominant_column(self, variance):
        column = int(np.argmax(variance))
        share = variance[column] / max(variance.sum(), np.finfo(np.float64).tiny)
        if len(variance) > 1 and share > DOMINANT_SHARE:
            names = getattr(self, "feature_names_in_", None)
            name = f"{column}" if names is None else f"{names[column]!r}"
            warn(
                f"Column {name} holds {int(100 * share)}% of the variance of X, so one noise "
                f"variance shared by all columns hides the others. Scale X, or use "
                f"noise_variance='per-feature'.",
            )

    def _pca_noise_variance(self, X, rows, generator):
        """Return the noise variance of a PCA of some of the rows."""
        most = min(PCA_ROWS, max(LEAST_PCA_ROWS, PCA_ENTRIES // X.shape[1]))
        if len(rows) > most:
            rows = rows[torch.randperm(len(rows), generator=generator)[:most].numpy()]
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        X = dense_rows(X, rows).astype(working_dtype(X.dtype), copy=False)
        return pca_noise_variance(X, self.n_components, seed)

    def _conclude(self, network, batches):
        self._warn_of_collapse(network, batches)
        observation = network.observation
        if not isinstance(observation, GaussianObservation):
            return {}
        if observation.learned:
            observation.hold(network.expected_residual(batches))
        variance = torch.exp(2 * observation.log_scale.double()).cpu().numpy()
        return {"noise_variance_": variance if variance.ndim else float(variance)}

    def _warn_of_collapse(self, network, batches):
        """Warn if the posteriors of some rows, spread over all, are the prior to within little."""
        rows = batches.rows[:: -(-batches.n_samples // COLLAPSE_ROWS)]
        X = dense_rows(batches.X, rows)
        width = max(network.width, X.shape[1])
        dtype = np.dtype(np.float32)

        def both(x):
            posterior = network.encode(x)
            return torch.cat((posterior.mean, kl_per_dimension(posterior)), -1)

        result = in_chunks(both, X, 2 * self.n_components, width, dtype, batches.device)
        if not np.isfinite(result).all() or (X[:1] == X).all():
            return  # diverged, which fit refuses, or nothing to tell
        codes, divergences = np.hsplit(result, 2)
        if active_dimensions(codes).any() or (divergences.mean(0) > COLLAPSED_DIVERGENCE).any():
            return
        remedies = ["a smaller beta"] if hasattr(self, "beta") else []
        remedies += ["a smaller noise_variance"] if self.likelihood == "gaussian" else []
        warn(
            f"The codes must vary over the rows. Got a variance of at most "
            f"{codes.var(axis=0).max():.2g} in all {self.n_components} dimensions instead: the "
            f"posterior collapsed to the prior. Use {', '.join([*remedies, 'kl_warmup_epochs'])} "
            f"or free_bits.",
            ConvergenceWarning,
        )


def pca_noise_variance(X, n_components, random_state):
    r"""Return the noise variance of a PCA of X that leaves at least half of the directions.

    .. math:: \sigma^2 = \frac{1}{d - q} \sum_{j > q} \lambda_j

    over all d columns, those directions included that fewer rows than columns leave without
    variance (M. E. Tipping and C. M. Bishop, 1999, Probabilistic principal component analysis).
    scikit-learn divides by min(n, d) - q.
    """
    n_samples, n_features = X.shape
    n_components = min(n_components, n_features // 2, (n_samples - 1) // 2)
    if n_components == 0:
        return X.var(dtype=np.float64)
    # Centred in float64: of float32 data far from 0 the PCA's own centring leaves noise.
    X = (X - X.mean(0, dtype=np.float64)).astype(X.dtype, copy=False)
    pca = PCA(n_components, random_state=random_state).fit(X)
    n_directions = min(n_samples, n_features) - n_components
    return np.float64(pca.noise_variance_) * (n_directions / (n_features - n_components))
