"""The methods of a model with a density: posterior, bounds on log p(x), random draws."""

from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from skvae._typing import Depends, MatrixLike, Seed
from skvae.base.columns import check_ends, column_ends
from skvae.base.frames import rows_in_frame
from skvae.base.hyperparameters import check_integer
from skvae.base.inference import InferenceMixin
from skvae.base.states import of_one_state
from skvae.nn.distributions import whitened_noise
from skvae.nn.likelihoods import LIKELIHOODS

__all__ = ["ROUNDING", "ProbabilityMixin", "check_support"]

# Number of float64 entries that are drawn at a time. The rows that belong to a seed depend on it.
DRAWN_ENTRIES = 2**21
BLOCK_ROWS = 2**14  # rows of a sparse matrix that are copied at a time to check their values
ROUNDING = 1e-6  # scaled data may exceed an interval by this: the precision of float32


class ProbabilityMixin(InferenceMixin):
    """The methods of a fitted variational autoencoder; its prior is N(0, I)."""

    noise_variance_: float | np.ndarray

    def _latent_draws(self, n_samples, rng):
        return rng.standard_normal((n_samples, self._n_features_out))

    @of_one_state
    def posterior(self, X: MatrixLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and the standard deviation of q(z|x).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.

        Returns
        -------
        mean, std : ndarray of shape (n_samples, n_components)
            In the dtype of X. ``mean`` equals ``transform(X)``.
        """
        X = self._rows(X)
        n_components = self._n_features_out

        def both(network, x):
            posterior = network.encode(x)
            return torch.cat((posterior.mean, posterior.scale), -1)

        result = self._apply(both, X, 2 * n_components)
        return result[:, :n_components], result[:, n_components:]

    @of_one_state
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        r"""Return the evidence lower bound of log p(x), one value per row, in nats.

        .. math:: E_{q(z|x)}[\log p(x|z)] - KL(q(z|x) \,\|\, p(z)) \le \log p(x)

        Beta is 1 here, whatever its value in training. The divergence is analytic. The expectation
        is a mean over fixed noise vectors, which are antithetic, whitened
        (:func:`skvae.nn.distributions.whitened_noise`) and the same for all rows. So the score of a
        row is deterministic and does not depend on the other rows. For a linear decoder it is
        exact.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Scores. A higher score is more normal. Do not compare scores of data with different
            scales, since a density has the units of 1 / X.

        Raises
        ------
        ValueError
            If a value of X is outside the support of the likelihood, where the density is not
            defined. A scaler that clips, such as ``MinMaxScaler(clip=True)``, keeps new rows in
            the support.
        """
        X = self._rows_of_density(X)
        noise = self._beside_rows(whitened_noise(self._n_features_out), X)
        elbo = self._inference(X)[0].elbo_function(noise, X.shape[0])
        scores = self._apply(lambda network, x: elbo(x), X, None, repeated=True)
        return scores.astype(np.float64, copy=False)

    @of_one_state
    def elbo_terms(self, X: MatrixLike) -> tuple[np.ndarray, np.ndarray]:
        r"""Return the terms of ``score_samples``: one for every entry of X, and the divergence.

        .. math:: \sum_j E_{q(z|x)}[\log p(x_j|z)] - KL(q(z|x) \,\|\, p(z))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.

        Returns
        -------
        log_prob : ndarray of shape (n_samples, n_features), float64
            The expected log-density of every entry, in nats.
        kl : ndarray of shape (n_samples,), float64
            The divergence of every row, in nats. ``log_prob.sum(axis=1) - kl`` equals
            ``score_samples(X)``.

        Raises
        ------
        ValueError
            If a value of X is outside the support of the likelihood.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> log_prob, kl = vae.elbo_terms(X)
        >>> np.allclose(log_prob.sum(axis=1) - kl, vae.score_samples(X))
        True
        """
        X = self._rows_of_density(X)
        noise = self._beside_rows(whitened_noise(self._n_features_out), X)
        terms = self._apply(
            lambda network, x: network.elbo_terms(x, noise),
            X,
            self.n_features_in_ + 1,
            repeated=True,
        ).astype(np.float64, copy=False)
        return terms[:, :-1], terms[:, -1]

    @of_one_state
    def log_likelihood(
        self,
        X: MatrixLike,
        *,
        n_importance: int = 100,
        random_state: Seed = None,
        return_ess: bool = False,
    ) -> Depends:
        r"""Return the importance-weighted lower bound of log p(x), one value per row, in nats.

        .. math:: \log \frac{1}{K} \sum_{k=1}^K \frac{p(x|z_k) \, p(z_k)}{q(z_k|x)}, \quad
                  z_k \sim q(z|x)

        The expectation of the bound is at most log p(x). It does not fall as K grows, and converges
        to log p(x). With K = 1, the bound is the evidence lower bound with one random z. The noise
        vectors of the :math:`z_k` are independent draws. They are the same for all rows, so the
        value of a row does not depend on the other rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.
        n_importance : int, default=100
            K, the number of draws. The time is proportional to it. The memory grows only by the K
            noise vectors.
        random_state : int, RandomState instance or None, default=None
            Seeds the noise. None gives different draws at every call.
        return_ess : bool, default=False
            Whether to return the effective sample size as well.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            The bound, in nats.
        ess : ndarray of shape (n_samples,), float64
            The effective sample size :math:`(\sum w)^2 / \sum w^2` of the K weights w, from 1 to K.
            If it is near 1, a single draw dominates, and the bound is loose. Only returned with
            ``return_ess=True``.

        Raises
        ------
        ValueError
            If a value of X is outside the support of the likelihood.

        References
        ----------
        Burda, Grosse & Salakhutdinov (2016), Importance weighted autoencoders, ICLR.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> bool(vae.log_likelihood(X, random_state=0).mean() > vae.score(X))
        True
        """
        X = self._rows_of_density(X)
        check_integer("n_importance", n_importance, "log_likelihood")
        rng = check_random_state(random_state)
        noise = torch.from_numpy(rng.standard_normal((n_importance, self._n_features_out)))
        noise = self._beside_rows(noise, X)

        def both(network, x):
            return torch.stack(network.importance(x, noise), -1)

        result = self._apply(both, X, 2, repeated=True).astype(np.float64, copy=False)
        return (result[:, 0], result[:, 1]) if return_ess else result[:, 0]

    @of_one_state
    def sample_posterior(self, X: MatrixLike, *, random_state: Seed = None) -> np.ndarray:
        """Return one random draw from q(z|x) for every row.

        The draws of many rows are a sample of the aggregate posterior. This is the distribution of
        the codes on which the decoder was trained. Fit a density to the draws, and use it in
        ``sample(latent=...)``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws. None gives different draws at every call.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes, in the dtype of X.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.mixture import GaussianMixture
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> codes = vae.sample_posterior(X, random_state=0)
        >>> vae.sample(3, latent=GaussianMixture(3, random_state=0).fit(codes)).shape
        (3, 4)
        """
        mean, std = self.posterior(X)
        noise = check_random_state(random_state).standard_normal(mean.shape)
        return mean + std * noise.astype(mean.dtype)

    @of_one_state
    def sample(
        self,
        n_samples: int = 1,
        *,
        random_state: Seed = None,
        latent: Any = None,
        observation_noise: bool = False,
    ) -> np.ndarray:
        """Draw random codes, and return the mean of p(x|z) for each, or a draw from p(x|z).

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws. None gives different draws at every call.
        latent : None, "standard-normal" or a fitted density, default=None
            The distribution of the codes. None and "standard-normal": the prior N(0, I). A density
            is any object with ``sample(n)``, such as a ``GaussianMixture`` fitted to
            ``sample_posterior(X)``. If its ``sample`` takes no ``random_state``, as that of a
            ``GaussianMixture``, its own seed determines the draws, and ``random_state`` only their
            order. The ``sample`` of a ``KernelDensity`` takes ``random_state``.
        observation_noise : bool, default=False
            Whether to return draws from p(x|z) instead of its mean. The mean is smoother than the
            rows of the data. With the noise, the rows are draws from the model.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows, in the units and the floating dtype of the training data. If ``set_output`` asks
            for it, a DataFrame.
        """
        if not observation_noise:
            return super().sample(n_samples, random_state=random_state, latent=latent)
        rng = check_random_state(random_state)
        codes = self._draw_codes(n_samples, rng, latent)
        generator = torch.Generator().manual_seed(rng.randint(2**31 - 1))
        network, chunks = self._inference(codes)
        n_locations = network.n_locations or self.n_features_in_
        locations = self._apply(lambda network, z: network.decoder(z), codes, n_locations)
        rows = np.empty((n_samples, self.n_features_in_), locations.dtype)
        n_at_a_time = max(1, DRAWN_ENTRIES // chunks["width"])
        for start in range(0, n_samples, n_at_a_time):
            some = slice(start, start + n_at_a_time)
            location = torch.from_numpy(locations[some]).to(chunks["device"], torch.float64)
            rows[some] = network.observation(location).draw(generator).cpu().numpy()
        return rows_in_frame(self, rows)

    def _rows_of_density(self, X):
        """Return X as a valid array, after a check that the likelihood's support contains it."""
        X, parts = self._rows(X), self._fitted_params_.get("_parts_")
        if parts is not None:
            check_ends(parts, *column_ends(X), getattr(self, "feature_names_in_", None))
        elif np.isfinite(LIKELIHOODS[self._fitted_params_["likelihood"]].support).any():
            ends = [(rows.min(), rows.max()) for rows in _blocks(X)]
            check_support(self._fitted_params_, *np.min(ends, 0)[:1], *np.max(ends, 0)[1:])
        return X


def _blocks(X):
    """Return X in blocks of rows. Blocks of a sparse matrix are copies, which SciPy may sort."""
    if not issparse(X):
        return [X]
    return (X[start : start + BLOCK_ROWS] for start in range(0, X.shape[0], BLOCK_ROWS))


def check_support(parameters, minimum, maximum):
    """Raise an error if values are outside the support of the likelihood in ``parameters``."""
    likelihood, scale = parameters["likelihood"], parameters["input_scale"]
    low, high = LIKELIHOODS[likelihood].support
    minimum, maximum = scale * float(minimum), scale * float(maximum)
    if minimum < low - ROUNDING or maximum > high + ROUNDING:
        scaled = "" if scale == 1 else " * input_scale"
        raise ValueError(
            f"The {likelihood!r} likelihood needs X{scaled} in [{low:g}, {high:g}]. Got values in "
            f"[{minimum:.8g}, {maximum:.8g}] instead. Scale X, new rows too, as "
            f"MinMaxScaler(clip=True) does, or use likelihood='gaussian'."
        )
