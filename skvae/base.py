"""What the user touches: the parameters, the verbs, and the life of a fitted estimator."""

import warnings
from abc import ABCMeta, abstractmethod
from dataclasses import KW_ONLY
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted, validate_data

from skvae._version import __version__
from skvae.batches import in_chunks, working_dtype
from skvae.fitting import (
    build_network,
    inference_modules,
    load_optimizer_state,
    make_estimator_net,
    optimizer_state,
    train,
    user_module,
)
from skvae.hyperparameters import hyperparameters
from skvae.networks import ACTIVATIONS, PerceptronDecoder, PerceptronEncoder
from skvae.training import OPTIMIZERS

__all__ = ["BaseAutoencoderTransformer"]

NON_NEGATIVE = [Interval(Real, 0, None, closed="left")]
POSITIVE = [Interval(Real, 0, None, closed="neither")]
POSITIVE_INTEGER = [Interval(Integral, 1, None, closed="left")]


@hyperparameters
class BaseAutoencoderTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta
):
    """What the autoencoders share: ``fit`` from two hooks, and the verbs.

    A final class says what is computed (``_network``) and what is minimised
    (``_objective``); ``fit`` joins the two in a skorch net.
    """

    n_components: int = 10
    _: KW_ONLY
    hidden_layer_sizes: tuple = (128, 64)
    activation: str = "relu"
    encoder: object = None
    decoder: object = None
    max_epochs: int = 100
    batch_size: int = 256
    lr: float = 1e-3
    optimizer: object = "adam"
    weight_decay: float = 0.0
    callbacks: list = None
    device: str = "cpu"
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-4
    warm_start: bool = False
    verbose: int = 0
    random_state: object = None

    _parameter_constraints = {
        "n_components": POSITIVE_INTEGER,
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS)), callable],
        "encoder": [callable, None],
        "decoder": [callable, None],
        "max_epochs": POSITIVE_INTEGER,
        "batch_size": POSITIVE_INTEGER,
        "lr": POSITIVE,
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "weight_decay": NON_NEGATIVE,
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": POSITIVE_INTEGER,
        "tol": NON_NEGATIVE,
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

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

    def _check_support(self, minimum, maximum):
        """Refuse data that the likelihood gives no density."""

    def _column_scale(self, statistics):
        """Return the scale of every column that the network works in."""
        shared = np.sqrt(statistics.variance.mean())
        return np.full_like(statistics.mean, shared if shared > 0 else 1.0)

    def _start(self, network, X, rows, statistics, generator):
        """Set what training begins with besides the weights."""

    def _conclude(self, network, batches):
        """Set what follows from the trained weights; return further fitted attributes."""
        return {}

    def _encoder(self, n_features, n_outputs):
        """Return the encoder module, ours or the user's."""
        if self.encoder is not None:
            return user_module("encoder", self.encoder, n_features, n_outputs)
        sizes = tuple(self.hidden_layer_sizes)
        return PerceptronEncoder(n_features, n_outputs, sizes, self.activation)

    def _decoder(self, n_features):
        """Return the decoder module, ours or the user's."""
        if self.decoder is not None:
            return user_module("decoder", self.decoder, self.n_components, n_features)
        sizes = tuple(self.hidden_layer_sizes)[::-1]
        return PerceptronDecoder(self.n_components, n_features, sizes, self.activation)

    @_fit_context(prefer_skip_nested_validation=True)
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
            If X has fewer than two rows, NaN or infinite entries, or values outside the
            likelihood's support; if ``X_val`` comes without ``early_stopping``; if
            the loss does not stay finite. The estimator is then unfitted (after a warm
            start: as it was).
        """
        resume = self.warm_start and hasattr(self, "net_")
        if not resume:
            self._forget()
        try:
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
        width = max(self.n_features_in_, *(len(w) for w in network.parameters()))
        device = next(network.parameters()).device
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
        validate_parameter_constraints(
            {"n_samples": POSITIVE_INTEGER}, {"n_samples": n_samples}, "sample"
        )
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
        """Return parameters, fitted configuration, and the weights as arrays."""
        state = {**super().__getstate__(), "_skvae_version": __version__}
        if "net_" in state:
            net = state.pop("net_")
            del state["_modules_"]
            state["_weights_"] = {
                name: value.cpu().numpy() for name, value in net.module_.state_dict().items()
            }
            if "_generator_state_" in state:
                state["_optimizer_state_"] = optimizer_state(net)
        return state

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_skvae_version", None)
        if version != __version__:
            warnings.warn(
                f"{type(self).__name__} was pickled by skvae {version} and is read by "
                f"{__version__}. Fit it again where results differ.",
                UserWarning,
                stacklevel=2,
            )
        weights = state.pop("_weights_", None)
        optimizer = state.pop("_optimizer_state_", None)
        super().__setstate__(state)
        if weights is not None:
            fitted = type(self)(**self._fitted_params_)
            network = build_network(fitted, self.n_features_in_)
            network.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
            self._modules_ = inference_modules(network)
            self.net_ = make_estimator_net(fitted, network, self._n_samples_)
            for epoch in range(self.n_iter_):
                self.net_.history.new_epoch()
                for name, values in self.history_.items():
                    self.net_.history.record(name, float(values[epoch]))
            if optimizer is not None:
                load_optimizer_state(self.net_, optimizer)


def _reconstruction(network, x):
    return network.decode(network.code(x)).mean


def _squared_error(network, x):
    return (_reconstruction(network, x) - x).square()
