"""What the user touches: the parameters, the verbs, and the life of a fitted estimator."""

from abc import ABCMeta, abstractmethod
from numbers import Integral

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skvae.batches import in_chunks, working_dtype
from skvae.fitting import train
from skvae.hyperparameters import SharedParameters, check_positive_integer
from skvae.networks import PerceptronDecoder, PerceptronEncoder
from skvae.state import pack, unpack, user_module

__all__ = ["BaseAutoencoderTransformer"]

LEAST_WIDTH = 256  # that a row is taken to have inside a network; it bounds an inference chunk


class BaseAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SharedParameters, metaclass=ABCMeta
):
    """What the autoencoders share: ``fit`` from two hooks, and the verbs.

    A final class says what is computed (``_network``) and what is minimised
    (``_objective``); ``fit`` joins the two in a skorch net.
    """

    @abstractmethod
    def _network(self, n_features):
        """Return the network, its own weights not yet drawn."""

    @abstractmethod
    def _objective(self, n_samples):
        """Return the objective for batches drawn from ``n_samples`` rows."""

    @abstractmethod
    def _tolerance(self, n_features):
        """Return ``tol`` in the units of the objective."""

    @abstractmethod
    def _latent_draws(self, n_samples, rng):
        """Return codes drawn from the model's own latent density."""

    def _check_support(self, statistics):
        """Refuse data that the likelihood gives no density."""

    def _column_scale(self, statistics):
        """Return the scale of every column that the network works in."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _loss_unit(self, statistics):
        """Return what the optimizer's loss is divided by."""
        return 1.0

    def _start(self, network, X, rows, statistics, generator):
        """Set what training begins with besides the weights."""

    def _conclude(self, network, batches):
        """Set what follows from the trained weights; return further fitted attributes."""
        return {}

    def _encoder(self, n_features, n_outputs):
        """Return the encoder module, ours or the user's."""
        if self.encoder is not None:
            return user_module("encoder", self.encoder, n_features, n_outputs)
        return PerceptronEncoder(n_features, n_outputs, self._hidden_sizes(), self.activation)

    def _decoder(self, n_features):
        """Return the decoder module, ours or the user's."""
        if self.decoder is not None:
            return user_module("decoder", self.decoder, self.n_components, n_features)
        sizes = self._hidden_sizes()[::-1]
        return PerceptronDecoder(self.n_components, n_features, sizes, self.activation)

    def _hidden_sizes(self):
        sizes = tuple(self.hidden_layer_sizes)
        if not all(isinstance(size, Integral) and size > 0 for size in sizes):
            raise ValueError(
                f"hidden_layer_sizes must hold integers of at least 1. Got {sizes} instead."
            )
        return sizes

    def fit(self, X, y=None, *, X_val=None):
        """Train on X.

        There is no ``sample_weight``: under mini-batches an integer weight does not equal a
        repeated row. Repeat the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype.
        y : ignored
            Present for pipelines; may be anything.
        X_val : array-like of shape (n_validation, n_features), default=None
            The rows that early stopping watches, at least two; None holds out
            ``validation_fraction`` of X.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range; if X has fewer than two rows, NaN or infinite
            entries, or values outside the likelihood's support; if ``X_val`` comes
            without ``early_stopping``; if the loss does not stay finite. The estimator is
            then unfitted (after a warm start: as it was).
        """
        resume = self.warm_start and hasattr(self, "net_")
        if not resume:
            self._forget()
        try:
            self._validate_params()
            X = validate_data(self, X, dtype="numeric", reset=not resume, ensure_min_samples=2)
            if X_val is not None:
                X_val = self._check_validation(X_val)
            fitted = train(self, X, X_val, resume)
        except BaseException:
            if not resume:
                self._forget()
            raise
        vars(self).update(fitted)
        return self

    def _check_validation(self, X_val):
        """Return the validation rows as an array."""
        if not self.early_stopping:
            raise ValueError(
                "X_val is for early stopping. Got X_val with early_stopping=False instead. "
                "Set early_stopping=True, or leave X_val out."
            )
        return validate_data(self, X_val, dtype="numeric", reset=False, ensure_min_samples=2)

    def _forget(self):
        """Remove everything that an earlier fit left."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def _rows(self, X):
        """Return X as a valid array of the training data's columns."""
        check_is_fitted(self)
        return validate_data(self, X, dtype="numeric", reset=False)

    def _codes(self, X, method):
        """Return X as a valid array of codes."""
        check_is_fitted(self)
        X = check_array(X, dtype="numeric", input_name="X")
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"The codes passed to {type(self).__name__}.{method} must have "
                f"n_components={self._n_features_out} columns. Got {X.shape[1]} instead."
            )
        return X

    def _apply(self, function, X, n_outputs):
        """Return ``function(network, rows)`` of all rows, computed in the dtype of X."""
        dtype = working_dtype(X.dtype)
        network = self._modules_[dtype]
        widths = [len(weight) for weight in network.parameters() if weight.ndim]
        width = max(self.n_features_in_, LEAST_WIDTH, *widths)
        device = self._fitted_params_["device"]
        return in_chunks(lambda x: function(network, x), X, n_outputs, width, dtype, device)

    @property
    def _n_features_out(self):
        return self._modules_[np.dtype(np.float32)].n_components

    def transform(self, X):
        """Return the codes of X: deterministic, for a VAE the posterior's means.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            In the dtype of X (float32 for one-byte types, float64 for other integers).
        """
        X = self._rows(X)
        return self._apply(lambda network, x: network.code(x), X, self._n_features_out)

    def inverse_transform(self, X):
        """Return the mean of p(x|z) for codes, in the units of the training data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Codes.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the dtype of the codes.
        """
        X = self._codes(X, "inverse_transform")
        return self._apply(lambda network, z: network.decode(z).mean, X, self.n_features_in_)

    def reconstruct(self, X):
        """Return ``inverse_transform(transform(X))``, in one pass.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the dtype of X.
        """
        return self._apply(_reconstruction, self._rows(X), self.n_features_in_)

    def reconstruction_error(self, X, *, per_feature=False):
        r"""Return the mean squared error of the reconstruction, row by row.

        .. math:: \frac{1}{d} \|x - g(f(x))\|^2

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
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
            return self._apply(_squared_error, X, self.n_features_in_)
        return self._apply(lambda network, x: _squared_error(network, x).mean(-1), X, None)

    @abstractmethod
    def score_samples(self, X):
        """Return how normal each row is, (n_samples,) float64; higher is more normal."""

    def score(self, X, y=None):
        """Return the mean of ``score_samples(X)``.

        It never holds the weights of the penalties, so it compares models over a search.
        For the VAEs it is the evidence lower bound at beta 1: it selects what generalises
        (at a fixed noise variance it peaks at beta = 1 by construction), and says nothing
        about disentanglement, which takes a metric of the latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows like those fitted.
        y : ignored
            Present for pipelines.

        Returns
        -------
        float
            In nats for the VAEs; minus squared units of X for the autoencoder.
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, *, random_state=None, latent=None):
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
            such as a ``GaussianMixture`` fitted to codes; its own seed then rules.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of the training data.
        """
        check_is_fitted(self)
        check_positive_integer("n_samples", n_samples, "sample")
        rng = check_random_state(random_state)
        if latent is None:
            codes = self._latent_draws(n_samples, rng)
        elif hasattr(latent, "sample"):
            codes = latent.sample(n_samples)
            codes = codes[0] if isinstance(codes, tuple) else codes
        elif isinstance(latent, str) and latent == "standard-normal":
            codes = rng.standard_normal((n_samples, self._n_features_out))
        else:
            raise ValueError(
                f"latent must be None, 'standard-normal' or a density with a sample method. "
                f"Got {latent!r} instead."
            )
        return self.inverse_transform(self._codes(codes, "sample")).astype(self._dtype_, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(type(self), state))


def _reconstruction(network, x):
    return network.decode(network.code(x)).mean


def _squared_error(network, x):
    return (_reconstruction(network, x) - x).square()
