"""What the user touches: the parameters and the life of an estimator, from ``fit`` to pickle."""

from abc import abstractmethod
from numbers import Integral

import numpy as np
from sklearn.utils.validation import validate_data

from skvae.fitting import train
from skvae.hyperparameters import SharedParameters
from skvae.networks import PerceptronDecoder, PerceptronEncoder
from skvae.state import pack, unpack, user_module
from skvae.verbs import Verbs

__all__ = ["BaseAutoencoderTransformer"]


class BaseAutoencoderTransformer(Verbs, SharedParameters):
    """What the autoencoders share: ``fit`` from two hooks, the verbs, the pickle.

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

    def _check_support(self, statistics):
        """Refuse data that the likelihood gives no density."""

    def _column_scale(self, statistics):
        """Return the scale of every column that the network works in."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _loss_unit(self, statistics):
        """Return what the optimizer's loss is divided by."""
        return 1.0

    def _schedule(self, objective):
        """Give an objective what changes its penalties over the epochs."""

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(type(self), state))
