"""The deterministic autoencoder."""

import numpy as np
import torch

from skvae._typing import MatrixLike
from skvae.base.building import make_decoder, make_encoder
from skvae.base.hyperparameters import hyperparameters
from skvae.base.principal import components_of_rows
from skvae.base.states import of_one_state
from skvae.base.transformer import BaseAutoencoderTransformer
from skvae.nn.networks import AutoencoderNetwork
from skvae.nn.objectives import SquaredError
from skvae.nn.observation_models import GaussianObservation

__all__ = ["AutoencoderTransformer"]


class GaussianCodes:
    """Draw codes from a Gaussian that was fitted to the codes of the training rows."""

    code_mean_: np.ndarray
    code_covariance_: np.ndarray

    def _latent_draws(self, n_samples, rng):
        variances, directions = np.linalg.eigh(self.code_covariance_)
        factor = directions * np.sqrt(np.maximum(variances, 0.0))
        return self.code_mean_ + rng.standard_normal((n_samples, len(factor))) @ factor.T


@hyperparameters
class AutoencoderTransformer(GaussianCodes, BaseAutoencoderTransformer):
    r"""Autoencoder: it compresses each row to a code, and reconstructs the row from the code.

    It minimises the squared error, averaged over rows and features,

    .. math:: \frac{1}{d} \|x - g(f(x))\|^2

    With ``hidden_layer_sizes=()`` it is a PCA from the start, whose codes have variance 1.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    code_mean_ : ndarray of shape (n_components,)
        Mean of the training codes.
    code_covariance_ : ndarray of shape (n_components, n_components)
        Covariance of the training codes. ``sample`` draws codes from the Gaussian with this mean
        and this covariance.
    %(attributes)s

    See Also
    --------
    VAETransformer : Has a prior on the codes, and so a density of the data.

    References
    ----------
    .. [1] D. H. Ballard (1987), Modular learning in neural networks, AAAI.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import AutoencoderTransformer
    >>> X = load_iris().data
    >>> autoencoder = AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (150, 2)
    >>> autoencoder.reconstruction_error(X).shape
    (150,)
    """

    def _network(self, n_features):
        return AutoencoderNetwork(
            make_encoder(self, n_features, self.n_components),
            make_decoder(self, n_features),
            GaussianObservation(n_features, learned=False),
            self.n_components,
        )

    def _start(self, network, rows, statistics, generator):
        if network.has_linear_path and not self.hidden_layer_sizes:
            scale = self._column_scale(statistics)
            X, training = rows.X, rows.training
            components = components_of_rows(
                X, training, self.n_components, scale, generator, noise=False
            )
            network.start_at(components)

    def _objective(self, n_samples):
        return SquaredError()

    def _tolerance(self, n_features):
        return self.tol / self.input_scale**2

    def _loss_unit(self, statistics):
        return self._column_scale(statistics)[0] ** 2

    @torch.no_grad()
    def _conclude(self, network, batches):
        # The codes of all rows are never held at once: their sums are taken batch by batch. One
        # code is subtracted first, so that the difference below loses few digits.
        shift, total, products = None, 0.0, 0.0
        with np.errstate(all="ignore"):  # infinities of a diverged fit raise an error later
            for x in batches:
                codes = network.code(x).cpu().numpy().astype(np.float64)
                shift = codes[0].copy() if shift is None else shift
                codes -= shift
                total = total + codes.sum(0)
                products = products + codes.T @ codes
            mean = total / batches.n_samples
            covariance = products / batches.n_samples - np.outer(mean, mean)
        return {"code_mean_": shift + mean, "code_covariance_": covariance}

    @of_one_state
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return minus the mean squared error of the reconstruction, row by row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            In squared units of X; higher is more normal.
        """
        return -self.reconstruction_error(X).astype(np.float64, copy=False)
