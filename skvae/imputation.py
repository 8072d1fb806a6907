"""Imputation of missing values by a variational autoencoder, as a step of a Pipeline."""

from dataclasses import KW_ONLY
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.impute import MissingIndicator
from sklearn.utils.validation import check_is_fitted

from skvae._typing import Estimator, MatrixLike, Seed
from skvae.base.documentation import DocumentationLinks
from skvae.base.hyperparameters import POSITIVE_INTEGER, hyperparameters, one_of
from skvae.base.pipelines import to_go_on
from skvae.base.sklearn_bases import BaseEstimator, TransformerMixin
from skvae.base.states import fitted_as_a_whole, of_one_state
from skvae.base.validation import FittedColumns, dense, names_of_features, valid_rows
from skvae.nn.layout import COUNTS
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.vae import VAETransformer

__all__ = ["VAEImputer"]

# Chosen by benchmarks/tables.py on half of its tables.
FOR_FILLING = {
    "missing": "mask",
    "noise_variance": "per-feature",
    "n_components": 5,
    "batch_size": 64,
    "lr": 3e-3,
    "optimizer": "adamw",
    "weight_decay": 0.5,
}


class FittedImputer(FittedColumns):
    """The attributes that an imputer has after ``fit``."""

    estimator_: Any
    indicator_: MissingIndicator | None
    _empty_: np.ndarray


@hyperparameters
class VAEImputer(DocumentationLinks, TransformerMixin, FittedImputer, BaseEstimator):
    """Impute missing values by a variational autoencoder, from the observed values of the row.

    A missing number or count becomes its conditional mean. A missing category becomes the most
    probable level.

    Parameters
    ----------
    estimator : estimator, default=None
        A variational autoencoder with ``missing="mask"``. Its ``likelihood`` gives the kinds of
        the columns. None: a :class:`VAETransformer` with one noise variance for each column, and
        with settings for imputation (see Notes).
    likelihood : str or list of (kind, columns), default="gaussian"
        The kinds of the columns, as in :class:`VAETransformer`. Only used if ``estimator`` is
        None.
    n_importance : int, default=100
        Number of codes drawn for each row, as in ``estimator.impute``.
    add_indicator : bool, default=False
        Whether to add a column of zeros and ones for every column with missing values in ``fit``.
    keep_empty_features : bool, default=False
        Whether to keep a column without any value in ``fit``, filled with zeros. If False, such a
        column is dropped.
    random_state : int, RandomState instance or None, default=None
        Seeds the estimator if its own ``random_state`` is None.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone of the estimator.
    indicator_ : MissingIndicator or None
        The transformer that adds the columns of ``add_indicator``.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if X has names.

    See Also
    --------
    VAETransformer.impute : Can also draw values, for multiple imputation.

    Notes
    -----
    The default model has ``n_components=5``, ``batch_size=64``, ``lr=0.003`` and
    ``optimizer="adamw"`` with ``weight_decay=0.5``. Compared with the defaults of
    :class:`VAETransformer`, it makes more and larger steps, which small tables need. The weight
    decay removes patterns that only few rows support. With few codes, a column must be predicted
    from the other columns, and the importance weights stay even.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAEImputer
    >>> X = load_iris().data
    >>> X[::3, 2] = np.nan
    >>> VAEImputer(random_state=0, add_indicator=True).fit_transform(X).shape
    (150, 5)
    """

    estimator: Estimator | None = None
    _: KW_ONLY
    likelihood: str | list | tuple = "gaussian"
    n_importance: int = 100
    add_indicator: bool = False
    keep_empty_features: bool = False
    random_state: Seed = None

    _parameter_constraints = {
        "estimator": [None, object],
        "likelihood": [*one_of(*LIKELIHOODS, *COUNTS), list, tuple],
        "n_importance": POSITIVE_INTEGER,
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "random_state": ["random_state"],
    }

    def fit(
        self,
        X: MatrixLike,
        y: Any = None,
        *,
        X_val: MatrixLike | None = None,
        checkpoint: str | PathLike[str] | None = None,
    ) -> Self:
        """Fit the estimator to X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows. NaN marks a missing value.
        y : ignored
            Present for pipelines.
        X_val : {array-like, sparse matrix} of shape (n_validation, n_features), default=None
            Rows that the estimator's early stopping watches.
        checkpoint : str or path-like, default=None
            A file in which the state of the fit is saved, as in :meth:`VAETransformer.fit`. If the
            fit was killed, the same call continues from the file, with the same result bit by bit.

        Returns
        -------
        self : object
            The fitted imputer. If the fit fails, the imputer is unfitted.

        Raises
        ------
        ValueError
            If ``estimator`` has no method ``impute``, or does not accept X, or if both
            ``estimator`` and ``likelihood`` are given, or if ``X_val`` is given without early
            stopping.
        SavingError
            A ``ValueError``. If the checkpoint is of another fit, damaged or another kind of file.
        """
        options = {"X_val": X_val, "checkpoint": checkpoint}
        with fitted_as_a_whole(self) as fresh:
            fresh._learn(X, {name: one for name, one in options.items() if one is not None})
        return self

    def _learn(self, X, options):
        """Set the fitted attributes."""
        self._validate_params()
        rows = self._rows(X, reset=True)
        estimator = self.estimator
        if estimator is None:
            estimator = VAETransformer(likelihood=self.likelihood, **FOR_FILLING)
        elif self.likelihood != "gaussian":
            raise ValueError(
                f"likelihood= is a setting of the default estimator only. Got {self.likelihood!r} "
                f"together with {estimator!r} instead. Set it in the estimator."
            )
        elif not hasattr(estimator, "impute"):
            raise ValueError(
                f"The estimator of a VAEImputer must have a method impute. Got {estimator!r} "
                f"instead. Give a variational autoencoder with missing='mask'."
            )
        estimator = to_go_on(estimator, self.random_state, options.get("checkpoint"))
        self.estimator_ = estimator.fit(X, **options)
        self._empty_ = np.isnan(rows).all(axis=0)
        self.indicator_ = None
        if self.add_indicator:
            self.indicator_ = MissingIndicator(error_on_new=False).fit(rows)

    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return X with its missing values filled in. Observed values are not changed.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows with the columns of the training data. NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            In the dtype of X (float32 for one-byte types, float64 for other integers).
        """
        check_is_fitted(self)
        rows = self._rows(X, reset=False)
        filled = self.estimator_.impute(X, n_importance=self.n_importance)
        filled[:, self._empty_] = 0.0
        if not self.keep_empty_features:
            filled = filled[:, ~self._empty_]
        if self.indicator_ is not None:
            filled = np.hstack((filled, self.indicator_.transform(rows).astype(filled.dtype)))
        return filled

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X. If X had names in ``fit``, they must be the same.

        Returns
        -------
        ndarray of str objects
            Of shape (n_features_out,).
        """
        check_is_fitted(self)
        names = _names_of(self, input_features)
        kept = names if self.keep_empty_features else names[~self._empty_]
        if self.indicator_ is not None:
            kept = np.concatenate((kept, self.indicator_.get_feature_names_out(names)))
        return kept

    def _rows(self, X, reset):
        """Return X as a valid array. Integers of a frame with missing values become floats."""
        return dense(valid_rows(self, X, reset=reset, holes=True, fewest=2 if reset else 1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _names_of(fitted, given):
    """Return the names from ``fit``, or the given names if their number is right."""
    if given is None:
        return names_of_features(fitted)
    names = getattr(fitted, "feature_names_in_", None)
    given = np.asarray(given, dtype=object)
    if names is not None and not np.array_equal(given, names):
        raise ValueError(
            "input_features is not equal to feature_names_in_. Got other names instead. Leave it "
            "out."
        )
    if len(given) != fitted.n_features_in_:
        raise ValueError(
            f"input_features should have length equal to number of features "
            f"({fitted.n_features_in_}), got {len(given)}"
        )
    return given


# scikit-learn has wrapped ``transform`` for ``set_output``, which asks for the columns' names.
# This second wrapper makes both use the same state.
VAEImputer.transform = of_one_state(VAEImputer.transform)  # type: ignore[method-assign]
