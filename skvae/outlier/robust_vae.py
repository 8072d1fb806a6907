"""What an outlier detector uses where it is given no transformer."""

from dataclasses import KW_ONLY
from math import ceil
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from skvae._typing import MatrixLike, Seed
from skvae.base.documentation import DocumentationLinks
from skvae.base.fitted import nothing_if_it_fails
from skvae.base.hyperparameters import (
    POSITIVE_INTEGER,
    PROPER_FRACTION,
    hyperparameters,
)
from skvae.base.sklearn_bases import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from skvae.base.validation import FittedColumns, valid_rows
from skvae.base.variational import CONSTANT_COLUMN_FLOOR, VARIANCE_FLOOR
from skvae.vae import VAETransformer

__all__ = ["RobustVAE"]

BATCH_SIZE = 256
WIDE = {"hidden_layer_sizes": (128,), "activation": "relu", "lr": 8e-3}
NARROW = {"hidden_layer_sizes": (32,), "activation": "relu", "lr": 1e-2}
UNTRIMMED_STEPS, TRIMMED_STEPS = 20, 40  # of the narrow model
DROPPED_BY_WIDE = 0.15  # over what the narrow model drops


class _FromRandomWeights(VAETransformer):
    """Begins at random weights: a PCA would begin at outliers, and count them as noise."""

    def _begins_near_linear(self):
        return False

    def _start(self, network, rows, statistics, generator):
        variance = torch.as_tensor(statistics.variance.mean())
        floor = (VARIANCE_FLOOR * variance).clamp(min=CONSTANT_COLUMN_FLOOR)
        network.observation.start(variance, floor)


@hyperparameters
class RobustVAE(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    FittedColumns,
    DocumentationLinks,
    BaseEstimator,
):
    r"""Two VAEs for tables that may hold outliers, trained without the least probable rows.

    Columns are standardised, and the score is a mean of lower bounds of their log p(x), the first
    counting five times,

    .. math:: \frac{1}{6} (5 \, \mathrm{ELBO}_{wide}(x) + \mathrm{ELBO}_{narrow}(x))

    The narrow model, of 32 hidden units, trains for a little on all rows, and then on those four
    fifths that it finds the most probable: it has neither the room nor the rows to learn outliers.
    The wide one, of 128, trains for longer, on all rows but the 3 % that the narrow one finds the
    least probable, and tells in detail what is usual. Both train for a number of steps, not of
    epochs: the more rows, the less often they are seen.

    Parameters
    ----------
    n_components : int, default=10
        Number of latent dimensions of each.
    n_steps : int, default=250
        Steps of 256 rows that train the wide model. The narrow one has 20, and then 40 more with
        the rows kept.
    trimmed_fraction : float, default=0.2
        Share of the rows that the narrow model drops; the wide one drops 0.15 of that.
    random_state : int, RandomState instance or None, default=None
        Seeds both.

    Attributes
    ----------
    scaler_ : StandardScaler
        Of the columns; sparse ones are scaled and not centred.
    wide_ : VAETransformer
        Fitted to all rows, scaled.
    narrow_ : VAETransformer
        Fitted to the rows kept, scaled.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, where X has them.

    See Also
    --------
    skvae.ReconstructionOutlierDetector : Uses it where no other transformer is given.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae.outlier import RobustVAE
    >>> X = load_iris().data
    >>> model = RobustVAE(2, n_steps=20, random_state=0).fit(X)
    >>> model.transform(X).shape, model.score_samples(X).shape
    ((150, 4), (150,))
    """

    n_components: int = 10
    _: KW_ONLY
    n_steps: int = 250
    trimmed_fraction: float = 0.2
    random_state: Seed = None

    _parameter_constraints = {
        "n_components": POSITIVE_INTEGER,
        "n_steps": POSITIVE_INTEGER,
        "trimmed_fraction": PROPER_FRACTION,
        "random_state": ["random_state"],
    }

    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Train both on X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows, at least two.
        y : ignored
            Present for pipelines.

        Returns
        -------
        self : object
            The fitted transformer. A fit that fails leaves none of an earlier one.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or a column's variance overflows.
        """
        with nothing_if_it_fails(self):
            self._validate_params()
            self._fit(self._rows(X, reset=True))
        return self

    def _fit(self, X: Any) -> None:
        self.scaler_ = StandardScaler(with_mean=not issparse(X)).fit(X)
        X = self._scaled(X)
        if not np.isfinite(X.data if issparse(X) else X).all():
            raise ValueError(
                "Every column of X must have a finite variance. Got one that overflows instead. "
                "Scale X."
            )
        rng = check_random_state(self.random_state)
        narrow = self._model(NARROW, UNTRIMMED_STEPS, X, rng, warm_start=True).fit(X)
        kept = _most_probable(narrow, X, self.trimmed_fraction)
        narrow.set_params(max_epochs=_epochs(TRIMMED_STEPS, kept)).fit(kept)
        kept = _most_probable(narrow, X, DROPPED_BY_WIDE * self.trimmed_fraction)
        wide = self._model(WIDE, self.n_steps, kept, rng).fit(kept)
        self.wide_, self.narrow_ = wide, narrow

    def _model(self, settings, n_steps, X, rng, **parameters) -> VAETransformer:
        return _FromRandomWeights(
            self.n_components,
            batch_size=BATCH_SIZE,
            max_epochs=_epochs(n_steps, X),
            random_state=rng.randint(2**31 - 1),
            **settings,
            **parameters,
        )

    def _rows(self, X, *, reset=False):
        return valid_rows(self, X, accept_sparse=True, reset=reset)

    def _scaled(self, X):
        """Return scaled rows, an array or sparse whatever ``set_output`` asks for."""
        X = self.scaler_.transform(X)
        return X if issparse(X) else np.asarray(X)

    @property
    def _n_features_out(self):
        return 2 * self.wide_._n_features_out

    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return the codes of both, the wide model's first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples, 2 * n_components)
            In the dtype of X.
        """
        X = self._scaled(self._rows(X))
        return np.hstack([np.asarray(model.transform(X)) for model in (self.wide_, self.narrow_)])

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return the mean of what the two decode, weighted as the scores are.

        Parameters
        ----------
        X : array-like of shape (n_samples, 2 * n_components)
            Codes of both.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of the training data.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype="numeric", input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"The codes passed to RobustVAE.inverse_transform must have {self._n_features_out} "
                f"columns, those of both models. Got {codes.shape[1]} instead."
            )
        wide, narrow = np.hsplit(codes, 2)
        wide, narrow = self.wide_.inverse_transform(wide), self.narrow_.inverse_transform(narrow)
        return self.scaler_.inverse_transform(_mean(wide, narrow))

    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return the weighted mean of the two lower bounds of log p(x), row by row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher is more normal.
        """
        X = self._scaled(self._rows(X))
        return _mean(self.wide_.score_samples(X), self.narrow_.score_samples(X))

    def elbo_terms(self, X: MatrixLike) -> tuple[np.ndarray, np.ndarray]:
        """Return what ``score_samples`` is made of: the weighted means of both models' terms.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows like those fitted.

        Returns
        -------
        log_prob : ndarray of shape (n_samples, n_features), float64
            The expected log-density of every entry, in nats.
        kl : ndarray of shape (n_samples,), float64
            In nats. ``log_prob.sum(axis=1) - kl`` is ``score_samples(X)``.
        """
        X = self._scaled(self._rows(X))
        of_both = zip(self.wide_.elbo_terms(X), self.narrow_.elbo_terms(X), strict=True)
        return tuple(_mean(wide, narrow) for wide, narrow in of_both)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "narrow_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _mean(wide, narrow):
    """Return the mean in which the wide model counts five times."""
    return (5 * wide + narrow) / 6


def _most_probable(model, X, dropped):
    """Return the rows of X, in order, less that share which the model finds the least probable."""
    n_kept = max(2, ceil((1 - dropped) * X.shape[0]))
    kept = np.argsort(-model.score_samples(X), kind="stable")[:n_kept]
    return X[np.sort(kept)]


def _epochs(n_steps, X):
    """Return the epochs that come to about so many steps."""
    return max(1, round(n_steps / ceil(X.shape[0] / BATCH_SIZE)))
