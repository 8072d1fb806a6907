"""The methods of a fitted autoencoder: what it answers, in chunks and in the dtype of X."""

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

LEAST_WIDTH = 256  # that a row is taken to have inside a network; it bounds an inference chunk


class InferenceMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin, FittedColumns, ABC):
    """The methods of a fitted autoencoder. They change none of its attributes."""

    net_: AutoencoderNet
    history_: dict[str, np.ndarray]
    n_iter_: int
    n_samples_seen_: int
    _modules_: InferenceModules
    _fitted_params_: dict[str, Any]
    _dtype_: np.dtype

    @abstractmethod
    def _latent_draws(self, n_samples, rng):
        """Return codes drawn from the model's own latent density."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def _rows(self, X):
        """Return X as a valid array of the training data's columns."""
        check_is_fitted(self)
        return valid_rows(self, X, reset=False, holes=self._has_mask())

    def _has_mask(self):
        """Return whether the fitted model takes rows with holes."""
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
        """Return which columns training observed nothing of."""
        never = self._modules_[np.dtype(np.float32)].observation.layout.never
        return never.cpu().numpy()

    def _inference(self, X):
        """Return the network for the dtype of X, and how its rows are cut into tensors."""
        dtype = working_dtype(X.dtype)
        network = self._modules_[dtype]
        width = max(self.n_features_in_, LEAST_WIDTH, network.width)
        return network, {"width": width, "dtype": dtype, "device": self._fitted_params_["device"]}

    def _beside_rows(self, tensor, X):
        """Return a tensor where the rows of X are computed with, in their dtype: sent once."""
        network, _ = self._inference(X)
        return tensor.to(next(network.parameters()))

    def _apply(self, function, X, n_outputs, *, repeated=False, unobserved=None):
        """Return ``function(network, rows)`` of all rows, computed in the dtype of X.

        ``repeated`` is whether a row goes through the decoder many times, as many rows do.
        ``unobserved`` returns where the result may be NaN; None: nowhere.
        """
        network, chunks = self._inference(X)

        def compute():
            result = in_chunks(lambda x: function(network, x), X, n_outputs, **chunks)
            return without_nan(result, unobserved)

        if X.shape[0] == 1 and not repeated:  # torch does not part a matrix times one vector
            return compute()
        n_at_a_time = min(chunk_length(**chunks), X.shape[0])
        return in_threads_for(n_at_a_time * network.n_weights, compute)

    def _chunks(self, X):
        """Yield (network, rows) of all rows in the dtype of X, for what needs gradients by x."""
        network, chunks = self._inference(X)
        for x in tensor_chunks(X, **chunks):
            yield network, x

    @property
    def _n_features_out(self):
        return self._modules_[np.dtype(np.float32)].n_components

    @of_one_state
    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return the codes of X: deterministic, for a VAE the posterior's means.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            In the dtype of X (float32 for one-byte types, float64 for other integers).
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
            In the dtype of the codes. Where ``set_output`` asks for frames: a DataFrame whose
            columns have the names fitted, or x0, x1, ..., with the index of the codes.
        """
        X = self._codes(X, "inverse_transform")
        return self._apply(lambda network, z: network.decode(z).mean, X, self.n_features_in_)

    @of_one_state
    @rows_in_frames
    def reconstruct(self, X: MatrixLike) -> np.ndarray:
        """Return ``inverse_transform(transform(X))``, in one pass.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the dtype of X. A DataFrame where ``set_output`` asks for one, with the index of X.
        """
        return self._apply(reconstruction, self._rows(X), self.n_features_in_)

    @of_one_state
    def reconstruction_error(self, X: MatrixLike, *, per_feature: bool = False) -> np.ndarray:
        r"""Return the mean squared error of the reconstruction, row by row.

        .. math:: \frac{1}{d} \|x - g(f(x))\|^2

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.
        per_feature : bool, default=False
            Whether to return the squared error of every entry instead.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_features)
            In squared units of X, in the dtype of X. Higher is more anomalous.
        """
        X = self._rows(X)
        if per_feature:
            holes = (lambda: np.isnan(dense(X)) | self._never()) if self._has_mask() else None
            return self._apply(squared_error, X, self.n_features_in_, unobserved=holes)
        return self._apply(mean_squared_error, X, None)

    @abstractmethod
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return how normal each row is, (n_samples,) float64; higher is more normal."""

    @of_one_state
    def score(self, X: MatrixLike, y: Any = None) -> float:
        """Return the mean of ``score_samples(X)``.

        It never holds the weights of the penalties, so it compares models over a search.
        For the VAEs it is the evidence lower bound at beta 1: it selects what generalises
        (it peaks near beta = 1, which trains for it), and says nothing about disentanglement,
        which takes a metric of the latents.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.
        y : ignored
            Present for pipelines.

        Returns
        -------
        float
            In nats for the VAEs; minus squared units of X for the autoencoder.
        """
        return float(self.score_samples(X).mean())

    @of_one_state
    def sample(
        self, n_samples: int = 1, *, random_state: Seed = None, latent: Any = None
    ) -> np.ndarray:
        """Draw codes, and return the means of p(x|z) for them.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None draws afresh at every call.
        latent : None, "standard-normal" or a fitted density, default=None
            Where the codes come from. None: the model's prior N(0, I), or for the
            autoencoder, which has none, a Gaussian fitted to its training codes.
            "standard-normal": N(0, I) for either. A density is anything with ``sample(n)``,
            such as a ``GaussianMixture`` fitted to codes; where that takes no seed, its own
            decides what is drawn, and ``random_state`` the order.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of the training data. A DataFrame where ``set_output`` asks for one.
        """
        codes = self._draw_codes(n_samples, check_random_state(random_state), latent)
        return self.inverse_transform(codes)

    def _draw_codes(self, n_samples, rng, latent):
        """Return codes for ``sample``, valid, as many as asked, in the dtype to decode them in."""
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
        r"""Decode codes on the way from one row's code to another's.

        With :math:`z_0` and :math:`z_1` the codes of the two rows and t from 0 to 1, a line is
        :math:`(1 - t) z_0 + t z_1`. Halfway between two distant codes it comes closer to the
        origin than draws from a prior of many dimensions do; a sphere turns the direction
        at a constant rate, and moves the distance from the origin linearly.

        Parameters
        ----------
        x0, x1 : array-like of shape (n_features,) or (1, n_features)
            The two rows.
        n : int, default=10
            Number of steps, both ends included; at least 2.
        path : {"line", "sphere"}, default="line"
            The way through the latent space.

        Returns
        -------
        ndarray of shape (n, n_features)
            From the reconstruction of ``x0`` to that of ``x1``. A DataFrame where ``set_output``
            asks for one.

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


# Once more, around what scikit-learn put around it: ``set_output`` asks for the codes' names.
InferenceMixin.transform = of_one_state(InferenceMixin.transform)  # type: ignore[method-assign]
