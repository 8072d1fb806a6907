"""A table's encoder and a variational autoencoder that knows the kinds of its codes, as one."""

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
    """What ``fit`` sets besides."""

    pipeline_: Pipeline


@hyperparameters
class TableTransformer(DocumentationLinks, TransformerMixin, FittedTransformer, BaseEstimator):
    """Table to features, scores and filled holes, and back, by a variational autoencoder.

    A :class:`TableEncoder` and an autoencoder whose ``likelihood`` is that of the encoder's codes:
    ``fit`` takes the kinds from the encoder that it has just fitted. So it can be cloned and
    searched: where the rows of a fold have other levels, the codes and their kinds go together.

    Parameters
    ----------
    estimator : estimator, default=None
        A variational autoencoder, its ``likelihood`` left at the default. None: a
        :class:`~skvae.VAETransformer` with ``missing="mask"`` and a noise variance for each number.
        With ``warm_start=True`` a further ``fit`` goes on from its weights.
    encoder : TableEncoder, default=None
        None: one with ``missing="keep"`` where the estimator has ``missing="mask"``, else as it is
        by default.
    random_state : int, RandomState instance or None, default=None
        Seeds an estimator whose own ``random_state`` is None.

    Attributes
    ----------
    pipeline_ : Pipeline
        Of the steps "encoder" and "estimator", fitted.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, where all are str.

    See Also
    --------
    TableEncoder : The codes of a table, for other models.
    skvae.AutoencoderOutlierDetector : Takes it as its ``transformer``.

    Notes
    -----
    What takes a Pipeline takes it: scorers, metrics, displays, ``sample_frame``, ``skvae.save``.

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
        """Fit the encoder, then the autoencoder to its codes.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            At least two rows.
        y : ignored
            Present for pipelines.
        X_val : table of shape (n_validation, n_features), default=None
            What early stopping watches.
        checkpoint : str or path-like, default=None
            A file to go on from, and to write, as of :meth:`skvae.VAETransformer.fit`.

        Returns
        -------
        self : object
            The fitted transformer. A fit that fails leaves none of an earlier one.

        Raises
        ------
        ValueError
            If ``estimator`` has no ``likelihood``, or one that is set; if it or the encoder
            refuses X; a SavingError if the checkpoint is not of this fit.
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
            A table like that fitted.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Of float64.
        """
        check_is_fitted(self)
        return np.asarray(self.pipeline_.transform(X))

    @of_one_state
    def inverse_transform(self, X: MatrixLike) -> Depends:
        """Return the table that features decode to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Features.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            Of the type, columns and dtypes fitted, with the index of X if both are of pandas.
        """
        check_is_fitted(self)
        table = self.pipeline_.inverse_transform(X)
        if is_pandas(table) and is_pandas(X):  # between the two steps rows may be an array
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
            None draws afresh at every call.
        latent : None, "standard-normal" or a fitted density, default=None
            Where the codes come from, as in the estimator's ``sample``.
        observation_noise : bool, default=True
            Whether to draw from p(x|z), as rows of the data are; else a row is the mean of it,
            which has less variety.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            Of the type, columns and dtypes fitted.
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
        """Return a table with what is missing filled in; the other cells are those of X.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table like that fitted.
        n_draws : int, default=None
            How many tables to fill by draws, for multiple imputation. None: one, by the means of
            numbers and the most probable levels.
        n_importance : int, default=100
            Number of codes for every row.
        random_state : int, RandomState instance or None, default=None
            Seeds the draws.

        Returns
        -------
        table, or list of n_draws tables
            Like X. A column of which ``fit`` has seen no value stays as it is.

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
        """Return the bound of the log density of rows, in nats; higher is more normal.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table like that fitted.

        Returns
        -------
        ndarray of shape (n_samples,)
            Densities of the codes, not of X in its own units.
        """
        check_is_fitted(self)
        return self.pipeline_.score_samples(X)

    def score(self, X: MatrixLike, y: Any = None) -> float:
        """Return the mean of ``score_samples``.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table like that fitted.
        y : ignored
            Present for searches.

        Returns
        -------
        float
            In nats. It compares between encoders that were fitted alike.
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


# Around what scikit-learn put around it: ``set_output`` asks for the columns' names.
TableTransformer.transform = of_one_state(  # type: ignore[method-assign]
    TableTransformer.transform
)
