"""The methods of a fitted autoencoder. They compute in chunks and in the dtype of X."""

from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike
from skvae.base.frames import rows_in_frames
from skvae.base.reconstruction import code, mean_squared_error, reconstruction, squared_error
from skvae.base.sklearn_bases import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from skvae.base.states import of_one_state
from skvae.base.twins import InferenceModules
from skvae.base.validation import (
    FittedColumns,
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


# Again, around scikit-learn's wrapper for ``set_output``, which asks for the names of the codes.
InferenceMixin.transform = of_one_state(InferenceMixin.transform)  # type: ignore[method-assign]
