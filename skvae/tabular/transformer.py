"""One estimator for tables: an encoder, and a variational autoencoder of its codes."""

from dataclasses import KW_ONLY
from os import PathLike
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skvae._frames import is_pandas
from skvae._typing import Depends, Estimator, MatrixLike, Seed
from skvae.base.documentation import DocumentationLinks
from skvae.base.hyperparameters import hyperparameters
from skvae.base.sklearn_bases import BaseEstimator, TransformerMixin, only_if
from skvae.base.states import fitted_as_a_whole, of_one_state
from skvae.base.validation import FittedColumns
from skvae.tabular.encoder import TableEncoder
from skvae.tabular.estimators import continued, fit_options, knows_of_holes, model_of_codes
from skvae.tabular.filling import holes_filled

__all__ = ["TableTransformer"]


class FittedTransformer(FittedColumns):
    """The attributes of a fitted transformer."""

    pipeline_: Pipeline


@hyperparameters
class TableTransformer(DocumentationLinks, TransformerMixin, FittedTransformer, BaseEstimator):
    """Features, scores, imputed values and new rows of tables, by a variational autoencoder.

    ``fit`` fits a :class:`TableEncoder`, and then an autoencoder to its codes. It sets the
    ``likelihood`` of the autoencoder to the kinds of these codes. In a search, each fold fits both,
    so folds may have different levels. Scorers, metrics, displays, ``sample_frame`` and
    ``skvae.save`` take this estimator like a Pipeline.

    Parameters
    ----------
    estimator : estimator, default=None
        A variational autoencoder. Its ``likelihood`` must be the default, because ``fit`` sets it.
        None: a :class:`~skvae.VAETransformer` with ``missing="mask"`` and one noise variance for
        each number. With ``warm_start=True``, a further ``fit`` continues from its weights.
    encoder : TableEncoder, default=None
        None: a default encoder. If the estimator has ``missing="mask"``, it has ``missing="keep"``.
    random_state : int, RandomState instance or None, default=None
        Seeds the estimator if its own ``random_state`` is None.

    Attributes
    ----------
    pipeline_ : Pipeline
        The fitted steps "encoder" and "estimator".
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are str.

    See Also
    --------
    TableEncoder : The codes of a table, for other models.
    skvae.AutoencoderOutlierDetector : Takes this estimator as its ``transformer``.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae import VAETransformer
    >>> from skvae.tabular import TableTransformer
    >>> frame = pd.DataFrame({"size": range(40), "kind": ["small"] * 20 + ["large"] * 20})
    >>> table = TableTransformer(VAETransformer(1, missing="mask", max_epochs=50, random_state=0))
    >>> table.fit_transform(frame).shape
    (40, 1)
    >>> table.impute(pd.DataFrame({"size": [3, 35], "kind": [None, "large"]}))
       size   kind
    0     3  small
    1    35  large
    >>> table.sample(3, random_state=0).dtypes.equals(frame.dtypes)
    True
    """

    estimator: Estimator | None = None
    _: KW_ONLY
    encoder: TableEncoder | None = None
    random_state: Seed = None

    _parameter_constraints = {
        "estimator": [None, object],
        "encoder": [None, TableEncoder],
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
        """Fit the encoder, and then the autoencoder to its codes.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with at least two rows.
        y : ignored
            Present for pipelines.
        X_val : table of shape (n_validation, n_features), default=None
            The validation rows of early stopping.
        checkpoint : str or path-like, default=None
            A file from which a killed fit continues, as in :meth:`skvae.VAETransformer.fit`.

        Returns
        -------
        self : object
            The fitted transformer. If the fit fails, the transformer is unfitted.

        Raises
        ------
        ValueError
            If ``estimator`` has no ``likelihood``, or not the default; if it or the encoder does
            not accept X; if a warm start has other codes.
        TypeError
            If ``estimator`` is no estimator, or if the encoder cannot encode a column.
        SavingError
            A ``ValueError``. If the checkpoint is of another fit, damaged or another kind of file.
        """
        before = self.pipeline_[-1] if hasattr(self, "pipeline_") else None
        with fitted_as_a_whole(self) as fresh:
            fresh._learn(X, X_val, checkpoint, before)
        return self

    def _learn(self, X, X_val, checkpoint, before):
        """Set the fitted attributes."""
        self._validate_params()
        estimator = model_of_codes(self.estimator, self.random_state, checkpoint)
        encoder = self.encoder
        if encoder is None:
            encoder = TableEncoder(missing="indicator" if estimator.missing is None else "keep")
        encoder = clone(encoder)
        codes = encoder.fit_transform(X)
        self.n_features_in_ = encoder.n_features_in_
        if hasattr(encoder, "feature_names_in_"):
            self.feature_names_in_ = encoder.feature_names_in_
        estimator = continued(estimator.set_params(likelihood=encoder.likelihoods_), before)
        estimator.fit(codes, **fit_options(encoder, X, X_val, checkpoint))
        self.pipeline_ = Pipeline([("encoder", encoder), ("estimator", estimator)])

    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return the features of rows: the means of q(z|x).

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with the columns of the training data.

        Returns
        -------
        ndarray of shape (n_samples, n_components), float64
            The features.
        """
        check_is_fitted(self)
        return np.asarray(self.pipeline_.transform(X))

    @of_one_state
    def inverse_transform(self, X: MatrixLike) -> Depends:
        """Return the table that features are decoded to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Features.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            Rows in the type, columns and dtypes of the training data, with the index of X, if any.
        """
        check_is_fitted(self)
        table = self.pipeline_.inverse_transform(X)
        if is_pandas(table) and is_pandas(X):  # the codes may be an array without an index
            table.index = X.index
        return table

    @of_one_state
    def sample(
        self,
        n_samples: int = 1,
        *,
        random_state: Seed = None,
        latent: Any = None,
        observation_noise: bool = True,
    ) -> Depends:
        """Draw rows from the model.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            With None, every call draws different rows.
        latent : None, "standard-normal" or a fitted density, default=None
            The distribution of the features, as in :meth:`skvae.VAETransformer.sample`.
        observation_noise : bool, default=True
            Whether to draw rows from p(x|z). If False, they are its means, and vary less.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            Rows in the type, columns and dtypes of the training data.
        """
        check_is_fitted(self)
        encoder, estimator = self.pipeline_
        rows = estimator.sample(
            n_samples,
            random_state=random_state,
            latent=latent,
            observation_noise=observation_noise,
        )
        return encoder.inverse_transform(rows)

    @only_if(knows_of_holes)
    @of_one_state
    def impute(
        self,
        X: MatrixLike,
        *,
        n_draws: int | None = None,
        n_importance: int = 100,
        random_state: Seed = None,
    ) -> Depends:
        """Return X with its missing values filled in. Other cells are not changed.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with the columns of the training data.
        n_draws : int, default=None
            Number of tables filled with random draws, for multiple imputation. None: one table,
            filled with the means of numbers and the most probable levels.
        n_importance : int, default=100
            Number of codes drawn from q(z|x) for every row.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        table, or list of n_draws tables
            Tables like X. A column without any value in ``fit`` is not filled.

        See Also
        --------
        skvae.VAETransformer.impute : The formula.
        """
        check_is_fitted(self)
        encoder, estimator = self.pipeline_
        filled = estimator.impute(
            np.asarray(encoder.transform(X)),
            n_draws=n_draws,
            n_importance=n_importance,
            random_state=random_state,
        )
        if n_draws is None:
            return holes_filled(X, encoder.inverse_transform(filled))
        return [holes_filled(X, encoder.inverse_transform(codes)) for codes in filled]

    @of_one_state
    def score_samples(self, X: MatrixLike) -> np.ndarray:
        """Return the lower bound of the log-density of each row, in nats; higher is more normal.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with the columns of the training data.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            The density is that of the codes, not of X in its own units.
        """
        check_is_fitted(self)
        return self.pipeline_.score_samples(X)

    def score(self, X: MatrixLike, y: Any = None) -> float:
        """Return the mean of ``score_samples``.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with the columns of the training data.
        y : ignored
            Present for searches.

        Returns
        -------
        float
            In nats. Compare it only between models whose encoders have the same settings.
        """
        return float(self.score_samples(X).mean())

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features : ignored
            Present for Pipelines.

        Returns
        -------
        ndarray of str
            Of shape (n_components,).
        """
        check_is_fitted(self)
        return self.pipeline_[-1].get_feature_names_out()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags


# This wraps scikit-learn's wrapper for ``set_output``, so that both use the same state.
TableTransformer.transform = of_one_state(  # type: ignore[method-assign]
    TableTransformer.transform
)
