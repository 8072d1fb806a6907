"""Encode a table as an array of floats, and decode it."""

from dataclasses import KW_ONLY
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import _check_feature_names_in, check_array, check_is_fitted

from skvae._frames import is_pandas
from skvae._typing import Depends, MatrixLike
from skvae.base.documentation import DocumentationLinks
from skvae.base.hyperparameters import (
    POSITIVE_INTEGER,
    POSITIVE_SHARE,
    SHARE_NOT_COUNT,
    hyperparameters,
    one_of,
)
from skvae.base.sklearn_bases import BaseEstimator, TransformerMixin
from skvae.base.states import fitted_as_a_whole
from skvae.base.validation import FittedColumns
from skvae.tabular.coding import decoded, encoded
from skvae.tabular.columns import fitted_column
from skvae.tabular.layout import code_names, layout_of, warn_of_many_levels, width_of
from skvae.tabular.monotone import MAPS
from skvae.tabular.reading import cells_of, columns_of, is_frame
from skvae.tabular.validation import finite, valid_table
from skvae.tabular.writing import frame_of

__all__ = ["TableEncoder"]


class FittedTable(FittedColumns):
    """The attributes of a fitted encoder."""

    likelihoods_: list[tuple[str, list[int]]]
    maps_: dict[str, str]
    rare_levels_: dict[str, list]
    spikes_: dict[str, list]
    _library_: str


@hyperparameters
class TableEncoder(DocumentationLinks, TransformerMixin, FittedTable, BaseEstimator):
    r"""Encode tables of numbers, categories, booleans and dates as floats, and decode them.

    ``inverse_transform(transform(X))`` is X, with the same columns, names, order and dtypes. Every
    row of real numbers is decoded to a valid row, so the output of a model becomes a table.

    - A number, date, time, duration or period becomes a number of mean 0 and variance 1, by a
      monotone map. It is decoded to a value in the range of its dtype. Integers and times are
      rounded.
    - If such a column has common values, a one-hot block is added: one column for each common
      value, and one for all others, which the number describes. It is decoded to the common value
      or to the number. If several columns of the block are positive, the result is a weighted mean.
    - A boolean becomes 0 or 1. A code above 0.5 is decoded as True.
    - Text, categories and enumerations become a one-hot block: one column for each level that is
      kept, one for rare levels, if there are any, and one for unknown levels. The largest code
      decides. Rare levels are decoded as the most frequent of them, unknown levels as missing.

    Parameters
    ----------
    numeric : {"auto", "standard", "asinh", "normal-scores"}, default="auto"
        The map of the numbers x of a column. "standard" is :math:`(x - m) / s`, with the mean m and
        the standard deviation s. "asinh" standardises :math:`\operatorname{asinh}((x - c) / u)`,
        where c is the median and u is the interquartile range divided by 1.349. It is linear near c
        and logarithmic far away. "normal-scores" is the normal quantile of the rank, linear between
        at most a thousand knots. It stays linear outside of the training range, so outliers remain
        outliers. "auto" takes the first of these maps after which the kurtosis is at most 6. If
        there is none, a map replaces an earlier one only if it at least halves the kurtosis.
    spike_share : float, default=1.0
        In (0, 1]. A number is common if at least this share of the rows have it, and at least ten
        rows. The same rule is then applied to the rows with other numbers, again and again. A
        constant column always has a common value. With 1, only constant columns have one.
    min_frequency : int or float, default=None
        A level with fewer rows, or a smaller share of the rows, is rare. Rare levels share one
        column. None: no level is rare for this reason.
    max_categories : int, default=100
        Maximum number of levels that are kept, the most frequent ones. If there are more, the
        others are rare, and ``fit`` warns. With 100, each of these has less than 1 % of the rows.
    missing : {"indicator", "keep"}, default="indicator"
        The codes of missing values, which are None, NaN, NaT and ``pandas.NA``. "indicator": a
        column with missing values in ``fit`` gets one more code, or its block one more column,
        which is 1 for missing values. A missing number or boolean itself is coded as the mean.
        "keep": all codes of a missing value are NaN. So is the number beside a common value.

    Attributes
    ----------
    likelihoods_ : list of (str, list of int)
        The kinds of the codes and their columns, as the ``likelihood`` of a VAE takes them:
        "gaussian" for all numbers, "bernoulli" for all booleans and indicators, and one
        "categorical" for each block.
    maps_ : dict of {str: str}
        The map of each column of numbers, unless all of its values are common.
    spikes_ : dict of {str: list}
        The common values of each column that has some, the most frequent value first.
    rare_levels_ : dict of {str: list}
        The rare levels of each column that has some, the most frequent level first.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are str.

    See Also
    --------
    sample_frame : Draws rows from a fitted pipeline, as a table.
    infer_likelihood : Proposes a likelihood for each column of numbers.
    sklearn.compose.ColumnTransformer : Any transformer for any column, without an inverse.

    Notes
    -----
    The error of a decoded number is at most :math:`10^{-12}` of the largest absolute training value
    of its column. Integers are exact if the training values span less than :math:`10^{11}`. Dates
    and times are rounded to the largest of day, hour, minute, second, ... of which all training
    values are multiples. They are exact if they span less than :math:`10^{11}` such units, for
    example milliseconds over three years. If all numbers of a column are below :math:`10^{-292}`
    in absolute value, they are decoded as 0. Python's Decimals get the largest number of decimal
    places in ``fit``. A column without negative numbers in ``fit`` gets none. Dates are in the
    years 1 to 9999. In pandas, times with a time zone begin in 1678, because pandas 2 crashes when
    it prints earlier ones.

    In polars, a missing value is decoded as NaN if all missing values in ``fit`` were NaN, and else
    as null. In a pandas column of Python objects, it is decoded as the first missing value of
    ``fit``. With "indicator", a value may be missing in a column without missing values in ``fit``.
    A number is then filled with the mean, or with the most frequent value if that is common, and
    ``transform`` warns. A level counts as unknown. In a column of numbers without any value, the
    codes are 0 and the indicator, or NaN. If the codes are a pandas DataFrame, the decoded rows
    have its index.

    The column of unknown levels is 0 in all training rows, so a row with an unknown level differs
    from them. With 0 in all columns, as in a ``OneHotEncoder``, it would be close to their mean.

    A column with common values, such as the zeros of capital gains, is modelled as a hurdle: spikes
    at :math:`v_1, \dots, v_k` with probabilities :math:`\pi_j(z)`, and a slab with the density f:

    .. math:: p(x \mid z) = \prod_j \pi_j(z)^{[x = v_j]}
        \left(\pi_0(z) f(x \mid z)\right)^{[x \ne v_1, \dots, v_k]}

    The masses of the spikes and the integral over all other values sum to one. An encoder with
    ``missing="keep"`` and a model with ``missing="mask"`` fit this density, because NaN removes f
    from rows with a spike. For other models, the number is 0 there, the mean of the slab. Then f
    counts in all rows, and its variance is too small. A constant column is a single spike. Another
    value in it is as improbable as an unknown level, and is decoded as the constant.

    ``TableVectorizer`` of skrub encodes more kinds of columns, but has no inverse.
    ``QuantileTransformer`` maps all values outside of the training range to its ends.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tabular import TableEncoder
    >>> frame = pd.DataFrame(
    ...     {
    ...         "age": [31, 55, 43],
    ...         "job": pd.Categorical(["nurse", "smith", "nurse"]),
    ...         "since": pd.to_datetime(["2020-01-01", "2021-06-30", None]),
    ...     }
    ... )
    >>> encoder = TableEncoder().set_output(transform="pandas")
    >>> encoder.fit_transform(frame).round(2)
        age  job_nurse  job_smith  job_unknown  since  since_missing
    0 -1.22        1.0        0.0          0.0   -1.0            0.0
    1  1.22        0.0        1.0          0.0    1.0            0.0
    2  0.00        1.0        0.0          0.0    0.0            1.0
    >>> encoder.inverse_transform(encoder.transform(frame)).equals(frame)
    True
    >>> encoder.inverse_transform([[0.1, 0.5, 0.7, 0.1, 0.3, 0.2]])
       age    job      since
    0   44  smith 2020-12-21
    >>> encoder.likelihoods_
    [('gaussian', [0, 4]), ('bernoulli', [5]), ('categorical', [1, 2, 3])]

    >>> gains = pd.DataFrame({"gain": [0.0] * 12 + list(range(1, 9)), "year": [2020] * 20})
    >>> encoder.set_params(missing="keep", spike_share=0.5).fit_transform(gains)[11:13].round(2)
        gain  gain_0.0  gain_other  year_2020  year_other
    11   NaN       1.0         0.0        1.0         0.0
    12 -1.53       0.0         1.0        1.0         0.0
    >>> encoder.inverse_transform([[0.0, 0.5, 0.5, 0.0, 1.0]])
       gain  year
    0  2.25  2020
    """

    _: KW_ONLY
    numeric: str = "auto"
    spike_share: float = 1.0
    min_frequency: int | float | None = None
    max_categories: int = 100
    missing: str = "indicator"

    _parameter_constraints = {
        "numeric": one_of("auto", *MAPS),
        "spike_share": POSITIVE_SHARE,
        "min_frequency": [*POSITIVE_INTEGER, *SHARE_NOT_COUNT, None],
        "max_categories": POSITIVE_INTEGER,
        "missing": one_of("indicator", "keep"),
    }

    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Learn the dtype of each column, and its map or its levels.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A DataFrame, or an array of numbers or booleans.
        y : ignored
            Present for pipelines.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            If a number is infinite, if X is empty, or if an array contains text.
        TypeError
            If a column has values of another kind, such as lists or complex numbers.
        """
        with fitted_as_a_whole(self) as fresh:
            fresh._learn(X)
        return self

    def _learn(self, X):
        """Set the fitted attributes."""
        self._validate_params()
        X = valid_table(self, X, reset=True, of_numbers=True)
        inputs = _check_feature_names_in(self).tolist()
        self._frame_names_ = X.columns if is_frame(X) else None
        names = list(X.columns) if is_frame(X) else inputs
        self._columns_ = [
            fitted_column(
                finite(cells_of(column, name), name),
                numeric=self.numeric,
                spike_share=self.spike_share,
                min_frequency=self.min_frequency,
                max_categories=self.max_categories,
                missing=self.missing,
            )
            for name, column in zip(names, columns_of(X), strict=True)
        ]
        self._names_ = names
        named = list(zip(inputs, self._columns_, strict=True))
        warn_of_many_levels(named, self.max_categories)
        vars(self).update(layout_of(named))

    def transform(self, X: MatrixLike) -> np.ndarray:
        """Return the codes of a table.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A table with the columns of ``fit``, in their order, and values of the same kinds.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out), float64
            The codes.

        Raises
        ------
        ValueError
            If X has other columns or another order, if a column has another kind of values than in
            ``fit``, or if a number is infinite.
        """
        check_is_fitted(self)
        X = valid_table(self, X, reset=False, of_numbers=self._library_ == "numpy")
        return encoded(X, self._columns_, self._names_)

    def inverse_transform(self, X: MatrixLike) -> Depends:
        """Return the table that codes are decoded to.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features_out)
            Codes. They may be any real numbers: every row is decoded to a valid row.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            A table with the type, columns and dtypes of the one fitted.

        Raises
        ------
        ValueError
            If X has another number of columns, or NaN where the dtype has no missing value.
        """
        check_is_fitted(self)
        index = X.index if is_pandas(X) else None
        codes = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"inverse_transform needs the {self._n_features_out} columns that transform "
                f"returns. Got {codes.shape[1]} instead. Pass all of them."
            )
        columns = decoded(codes, self._columns_, self._names_)
        return frame_of(columns, self._library_, self._frame_names_, index)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the codes.

        The code of a number or boolean has the name of its column. Other codes have this name, then
        "_", and then the level, the value, "rare", "other", "missing" or "unknown". If a name is
        already taken, "_2", "_3", ... is added.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns, if X had no names in ``fit``.

        Returns
        -------
        ndarray of str
            Of shape (n_features_out,).
        """
        check_is_fitted(self)
        return code_names(_check_feature_names_in(self, input_features), self._columns_)

    @property
    def _n_features_out(self):
        return sum(map(width_of, self._columns_))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64"]
        return tags
