"""What the user touches: the parameters and the life of an estimator, from ``fit`` to pickle."""

from abc import abstractmethod
from contextlib import nullcontext
from math import prod

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skvae.base.hyperparameters import SharedParameters, is_positive_integer
from skvae.base.inference import Verbs, check_flat
from skvae.base.sklearn_callbacks import CallbackSupportMixin, watched_fit, with_callbacks
from skvae.base.validation import nothing_if_it_fails
from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from skvae.nn.networks import rescaled
from skvae.nn.perceptrons import PerceptronDecoder, PerceptronEncoder
from skvae.training.conclusion import attributes_with_weights
from skvae.training.fitting import train
from skvae.training.state import pack, unpack, user_module

__all__ = ["BaseAutoencoderTransformer"]


def _makes_whole_passes(estimator):
    """Say why an estimator with early stopping has no ``partial_fit``."""
    if isinstance(estimator.early_stopping, (bool, np.bool_)) and estimator.early_stopping:
        raise AttributeError(
            "partial_fit makes one pass over a chunk, which early stopping cannot judge. Got "
            "early_stopping=True instead. Set early_stopping=False, or use fit."
        )
    return True


class BaseAutoencoderTransformer(Verbs, CallbackSupportMixin, SharedParameters):
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
            module = user_module("encoder", self.encoder, n_features, n_outputs)
            return rescaled(module, before=self.input_scale)
        if self.image_shape is not None:
            return ConvolutionalEncoder(self._sides(n_features), n_outputs, self.architecture)
        return PerceptronEncoder(n_features, n_outputs, self._hidden_sizes(), self.activation)

    def _decoder(self, n_features):
        """Return the decoder module, ours or the user's."""
        if self.decoder is not None:
            module = user_module("decoder", self.decoder, self.n_components, n_features)
            return rescaled(module, after=1 / self.input_scale if self._decodes_rows() else 1.0)
        if self.image_shape is not None:
            return ConvolutionalDecoder(
                self.n_components, self._sides(n_features), self.architecture
            )
        sizes = self._hidden_sizes()[::-1]
        return PerceptronDecoder(self.n_components, n_features, sizes, self.activation)

    def _decodes_rows(self):
        """Return whether the decoder's output has the units of rows."""
        return True

    def _sides(self, n_features):
        """Return the height, the width and the channels of a row."""
        sides = tuple(self.image_shape)
        if len(sides) != 3 or not all(map(is_positive_integer, sides)):
            raise ValueError(
                f"image_shape must be (height, width, channels), integers of at least 1. Got "
                f"{self.image_shape!r} instead. Give all three."
            )
        if prod(sides) != n_features:
            raise ValueError(
                f"image_shape={sides} needs X with {prod(sides)} columns. Got {n_features} "
                f"instead. Give the shape of the images that the rows of X are."
            )
        return sides

    def _hidden_sizes(self):
        sizes = tuple(self.hidden_layer_sizes)
        if not all(map(is_positive_integer, sizes)):
            raise ValueError(
                f"hidden_layer_sizes must hold integers of at least 1. Got {sizes} instead."
            )
        return sizes

    @with_callbacks
    def fit(self, X, y=None, *, X_val=None):
        """Train on X.

        There is no ``sample_weight``: under mini-batches an integer weight does not equal a
        repeated row. Repeat the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two, of any numeric dtype. A memory map stays on the disk, a
            sparse matrix sparse: batches are converted one by one.
        y : ignored
            Present for pipelines; may be anything.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
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
        settings = {"n_epochs": self.max_epochs, "keep": self.warm_start}
        return self._train(X, X_val, resume=resume, task=watched_fit(self, X, y), **settings)

    @available_if(_makes_whole_passes)
    def partial_fit(self, X, y=None):
        """Make one pass over X, one chunk of data that do not come at once.

        The first call on an unfitted estimator draws the weights, and takes the scales of the
        network and the starting noise variance from its chunk, so let that be a typical
        one. Further calls go on with the state of the optimizer and of the random numbers
        (after a ``fit`` without ``warm_start``, which keeps neither, with new ones); callbacks
        begin anew at every call. Each call counts as an epoch (``n_iter_``) whatever its rows,
        and as those rows in ``n_samples_seen_``. k calls with the same X are ``fit`` with
        ``max_epochs=k``, but for callbacks, and for the N of a
        :class:`~skvae.BetaTCVAETransformer`: the rows seen so far, unless ``n_samples`` tells
        it. A learned noise variance is exact for the last chunk.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, at least two.
        y : ignored
            Present for pipelines; may be anything.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As ``fit`` does. An estimator that was fitted stays as it was.
        AttributeError
            With ``early_stopping=True``, under which there is no ``partial_fit``.
        """
        resume = hasattr(self, "net_")
        n_seen = self.n_samples_seen_ if resume else 0
        return self._train(X, resume=resume, n_epochs=1, n_seen=n_seen, keep=True)

    def load_weights(self, weights, X):
        """Take weights that were trained elsewhere, on several processes say.

        ``net_.module_`` is what to train a copy of, and ``net_.criterion_`` what it minimises.
        A learned noise variance, and the autoencoder's density of codes to sample from, are set
        on X. ``history_`` and ``n_iter_`` remain those of the training here; ``net_`` is a new
        one, without callbacks, and further training begins with a new optimizer.

        Parameters
        ----------
        weights : dict of {str: tensor or ndarray}
            The state dict of such a copy, on any device.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows that it was trained on, or many of them; at least two.

        Returns
        -------
        self : object
            The estimator with these weights.

        Raises
        ------
        ValueError
            If the weights are those of another network, or not all finite. The estimator stays
            as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from skvae import VAETransformer
        >>> X = load_iris().data
        >>> long = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
        >>> short = VAETransformer(2, max_epochs=1, random_state=0).fit(X)
        >>> short.load_weights(long.net_.module_.state_dict(), X).n_iter_
        1
        >>> np.allclose(short.transform(X), long.transform(X))
        True
        """
        check_is_fitted(self)
        X = self._training_rows(X, reset=False)
        vars(self).update(attributes_with_weights(self, weights, X))
        return self

    def _train(self, X, X_val=None, *, resume, **settings):
        """Train, and take the fitted attributes; on failure leave none, or those of before."""
        with nullcontext() if resume else nothing_if_it_fails(self):
            self._validate_params()
            X = self._training_rows(X, reset=not resume)
            if X_val is not None:
                X_val = self._check_validation(X_val)
            fitted = train(self, X, X_val, resume=resume, **settings)
        vars(self).update(fitted)
        return self

    def _training_rows(self, X, reset):
        """Return X as a valid array of at least two rows."""
        check_flat(X)
        return validate_data(
            self, X, accept_sparse="csr", dtype="numeric", reset=reset, ensure_min_samples=2
        )

    def _check_validation(self, X_val):
        """Return the validation rows as an array."""
        if not self.early_stopping:
            raise ValueError(
                "X_val is for early stopping. Got X_val with early_stopping=False instead. "
                "Set early_stopping=True, or leave X_val out."
            )
        check_flat(X_val, name="X_val")
        return self._training_rows(X_val, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def __getstate__(self):
        return pack(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(unpack(type(self), state))
