"""The methods of a fitted autoencoder. They compute in chunks and in the dtype of X."""

from abc import ABC, abstractmethod
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike, Seed
from skvae.base.frames import rows_in_frames
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.base.interpolation import PATHS
from skvae.base.reconstruction import code, mean_squared_error, reconstruction, squared_error
from skvae.base.sklearn_bases import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from skvae.base.states import of_one_state
from skvae.base.twins import InferenceModules
from skvae.base.validation import (
    FittedColumns,
    as_rows,
    dense,
    valid_numbers,
    valid_rows,
    without_nan,
)
from skvae.training.batches import chunk_length, in_chunks, tensor_chunks, working_dtype
from skvae.training.net import AutoencoderNet
from skvae.training.threads import in_threads_for

__all__ = ["InferenceMixin"]

LEAST_WIDTH = 256  # a row counts as at least so wide, which limits the rows of an inference chunk


class InferenceMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin, FittedColumns, ABC):
    """The methods of a fitted autoencoder. They do not change its attributes."""

    net_: AutoencoderNet
    history_: dict[str, np.ndarray]
    n_iter_: int
    n_samples_seen_: int
    _modules_: InferenceModules
    _fitted_params_: dict[str, Any]
    _dtype_: np.dtype

    @abstractmethod
    def _latent_draws(self, n_samples, rng):
        """Return random codes from the prior of the model, or from its fitted density of codes."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def _rows(self, X):
        """Return X as a valid array with the columns of the training data."""
        check_is_fitted(self)
        return valid_rows(self, X, reset=False, holes=self._has_mask())

    def _has_mask(self):
        """Return whether the fitted model accepts rows with missing values."""
        return self._fitted_params_.get("missing") == "mask"

    def _codes(self, X, method):
        """Return X as a valid array of codes."""
        check_is_fitted(self)
        X = valid_numbers(partial(check_array, dtype="numeric", input_name="X"), X)
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"The codes passed to {type(self).__name__}.{method} must have "
                f"n_components={self._n_features_out} columns. Got {X.shape[1]} instead."
            )
        return X

    def _never(self):
        """Return a boolean array: the columns that have no observed value in training."""
        never = self._modules_[np.dtype(np.float32)].observation.layout.never
        return never.cpu().numpy()

    def _inference(self, X):
        """Return the network for the dtype of X, and the options that split X into chunks."""
        dtype = working_dtype(X.dtype)
        network = self._modules_[dtype]
        width = max(self.n_features_in_, LEAST_WIDTH, network.width)
        return network, {"width": width, "dtype": dtype, "device": self._fitted_params_["device"]}

    def _beside_rows(self, tensor, X):
        """Return a tensor on the device of the network and in its dtype for X."""
        network, _ = self._inference(X)
        return tensor.to(next(network.parameters()))

    def _apply(self, function, X, n_outputs, *, repeated=False, unobserved=None):
        """Return ``function(network, rows)`` for all rows, computed in the dtype of X.

        ``repeated`` says whether each row passes through the decoder many times. ``unobserved``
        is a function that returns where the result may be NaN, or None if it must not be NaN.
        """
        network, chunks = self._inference(X)

        def compute():
            result = in_chunks(lambda x: function(network, x), X, n_outputs, **chunks)
            return without_nan(result, unobserved)

        if X.shape[0] == 1 and not repeated:  # torch computes a matrix-vector product in one thread
            return compute()
        n_at_a_time = min(chunk_length(**chunks), X.shape[0])
        return in_threads_for(n_at_a_time * network.n_weights, compute)

    def _chunks(self, X):
        """Yield pairs (network, chunk of rows), for functions that need gradients by the rows."""
        network, chunks = self._inference(X)
        for x in tensor_chunks(X, **chunks):
            yield network, x

    @property
    def _n_features_out(self):
        return self._modules_[np.dtype(np.float32)].n_components

    @of_one_state
    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return the codes of X. They are deterministic: of a VAE, the means of the posterior.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Codes, in the dtype of X (float32 for one-byte types, float64 for other integers).
        """
        X = self._rows(X)
        return self._apply(code, X, self._n_features_out)

    @of_one_state
    @rows_in_frames
    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return the mean of p(x|z) for codes, in the units of the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the dtype of the codes. If ``set_output`` asks for it, a DataFrame whose columns
            have the names of the training data, or x0, x1, ..., with the index of the codes.
        """
        X = self._codes(X, "inverse_transform")
        return self._apply(lambda network, z: network.decode(z).mean, X, self.n_features_in_)

    @of_one_state
    @rows_in_frames
    def reconstruct(self, X: MatrixLike) -> np.ndarray:
        """Return the reconstruction of X: ``inverse_transform(transform(X))`` in one pass.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows, in the dtype of X. If ``set_output`` asks for it, a DataFrame with the index of X.
        """
        return self._apply(reconstruction, self._rows(X), self.n_features_in_)

    @of_one_state
    def reconstruction_error(self, X: MatrixLike, *, per_feature: bool = False) -> np.ndarray:
        r"""Return the mean squared error of the reconstruction, one value per row.

        .. math:: \frac{1}{d} \|x - g(f(x))\|^2

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.
        per_feature : bool, default=False
            Whether to return the squared error of every entry instead.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_features)
            In squared units of X and in the dtype of X. A higher error is more anomalous.
        """
        X = self._rows(X)
        if per_feature:
            holes = (lambda: np.isnan(dense(X)) | self._never()) if self._has_mask() else None
            return self._apply(squared_error, X, self.n_features_in_, unobserved=holes)
        return self._apply(mean_squared_error, X, None)

    @abstractmethod
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return one score per row, (n_samples,) float64. A higher score is more normal."""

    @of_one_state
    def score(self, X: MatrixLike, y: Any = None) -> float:
        """Return the mean of ``score_samples(X)``.

        The score does not depend on the weights of the penalties, so a search can compare them.
        For the VAEs it is the evidence lower bound at beta 1. It selects models that generalise,
        and is highest near beta = 1, since training then maximises it. It says nothing about
        disentanglement: use a metric of the latents for that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data.
        y : ignored
            Present for pipelines.

        Returns
        -------
        float
            In nats for the VAEs. For the autoencoder, in squared units of X, and negative.
        """
        return float(self.score_samples(X).mean())

    @of_one_state
    def sample(
        self, n_samples: int = 1, *, random_state: Seed = None, latent: Any = None
    ) -> np.ndarray:
        """Draw random codes, and return the mean of p(x|z) for each.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws. None gives different draws at every call.
        latent : None, "standard-normal" or a fitted density, default=None
            The distribution of the codes. None: the prior N(0, I) of the model. The autoencoder
            has no prior, and uses a Gaussian fitted to its training codes. "standard-normal":
            N(0, I) for all models. A density is any object with ``sample(n)``, such as a
            ``GaussianMixture`` fitted to codes. If its ``sample`` takes no ``random_state``, its
            own seed determines the draws, and ``random_state`` only their order.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Rows, in the units of the training data. If ``set_output`` asks for it, a DataFrame.
        """
        codes = self._draw_codes(n_samples, check_random_state(random_state), latent)
        return self.inverse_transform(codes)

    def _draw_codes(self, n_samples, rng, latent):
        """Return ``n_samples`` valid random codes, in the dtype in which they are decoded."""
        check_is_fitted(self)
        check_integer("n_samples", n_samples, "sample")
        if latent is None:
            codes = self._latent_draws(n_samples, rng)
        elif hasattr(latent, "sample"):
            takes_seed = "random_state" in signature(latent.sample).parameters
            codes = latent.sample(n_samples, **({"random_state": rng} if takes_seed else {}))
            codes = codes[0] if isinstance(codes, tuple) else codes
        elif isinstance(latent, str) and latent == "standard-normal":
            codes = rng.standard_normal((n_samples, self._n_features_out))
        else:
            raise ValueError(
                f"latent must be None, 'standard-normal' or a density with a sample method. "
                f"Got {latent!r} instead."
            )
        codes = self._codes(codes, "sample")
        if len(codes) != n_samples:
            raise ValueError(
                f"latent.sample(n) must return n codes. Got {len(codes)} for n={n_samples} "
                f"instead. Pass a density that draws as many as it is asked for."
            )
        # A mixture returns its draws sorted by component.
        codes = rng.permutation(codes) if hasattr(latent, "sample") else codes
        return codes.astype(self._dtype_, copy=False)

    @of_one_state
    def interpolate(
        self, x0: ArrayLike, x1: ArrayLike, n: int = 10, *, path: str = "line"
    ) -> np.ndarray:
        r"""Decode codes on the path between the codes of two rows.

        Let :math:`z_0` and :math:`z_1` be the codes of the two rows, and let t go from 0 to 1. The
        path "line" is :math:`(1 - t) z_0 + t z_1`. With many dimensions, the middle of a line is
        closer to the origin than draws from the prior are. The path "sphere" avoids this: it turns
        the direction at a constant rate, and changes the distance from the origin linearly.

        Parameters
        ----------
        x0, x1 : array-like of shape (n_features,) or (1, n_features)
            The two rows.
        n : int, default=10
            Number of rows to return, at least 2. Both ends are included.
        path : {"line", "sphere"}, default="line"
            The path through the latent space.

        Returns
        -------
        ndarray of shape (n, n_features)
            Rows from the reconstruction of ``x0`` to that of ``x1``. If ``set_output`` asks for
            it, a DataFrame.

        References
        ----------
        White (2016), Sampling generative networks (the sphere).

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skvae import AutoencoderTransformer
        >>> X = load_iris().data
        >>> autoencoder = AutoencoderTransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> autoencoder.interpolate(X[0], X[100], 5).shape
        (5, 4)
        >>> framed = autoencoder.set_output(transform="pandas").interpolate(X[0], X[100], 5)
        >>> list(framed.columns)
        ['x0', 'x1', 'x2', 'x3']
        """
        check_is_fitted(self)
        check_integer("n", n, "interpolate", least=2)
        check_argument("path", path, one_of(*PATHS), "interpolate")
        n_components = self._n_features_out
        z0, z1 = (self._apply(code, self._rows(as_rows(x)), n_components)[0] for x in (x0, x1))
        steps = np.linspace(0, 1, n, dtype=z0.dtype)[:, None]
        return self.inverse_transform(PATHS[path](z0, z1, steps))


# Again, around scikit-learn's wrapper for ``set_output``, which asks for the names of the codes.
InferenceMixin.transform = of_one_state(InferenceMixin.transform)  # type: ignore[method-assign]
