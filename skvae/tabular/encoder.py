"""A table as it is to an array of floats, and back."""

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
    """What ``fit`` sets besides."""

    likelihoods_: list[tuple[str, list[int]]]
    maps_: dict[str, str]
    rare_levels_: dict[str, list]
    spikes_: dict[str, list]
    _library_: str


@hyperparameters
class TableEncoder(DocumentationLinks, TransformerMixin, FittedTable, BaseEstimator):
    r"""Table of numbers, categories, booleans and dates to an array of floats, and back.

    ``inverse_transform(transform(X))`` is X: its columns, their names, order and dtypes. And any
    row of real numbers comes back as a legal row, so that what a model decodes is a table.

    ===================  =====================================  ================================
    column               becomes                                comes back as
    ===================  =====================================  ================================
    number, date, time   a number of mean 0 and variance 1, by  the number, or the date, in the
    or duration          a monotone map                         range of its dtype; integers
                                                                rounded, dates to the coarsest
                                                                of days, hours, ... that all
                                                                those fitted are multiples of
    the same, if values  a block of 0 and 1: one column for     the value, or the number, or the
    of it repeat         each common value, one for another;    mean of them by the weights of
                         and such a number for the others       the block
    boolean              0 or 1                                 whether it exceeds 0.5
    text, category,      a block of columns of 0 and 1: one     the level of the greatest of the
    enumeration          for every level kept, one for the      block; of rare levels the
                         rare ones if any, one for levels that  commonest; an unknown one is
                         are unknown                            missing
    ===================  =====================================  ================================

    Parameters
    ----------
    numeric : {"auto", "standard", "asinh", "normal-scores"}, default="auto"
        The map of a column of numbers x. "standard" is :math:`(x - m) / s` with mean and standard
        deviation; "asinh" standardises :math:`\operatorname{asinh}((x - c) / u)`, with the median c
        and the distance u of the quartiles, divided by 1.349: a line near c and a logarithm far
        off; "normal-scores" takes a value to the normal quantile of its rank, on lines between a
        thousand knots, which go on outside of the training range, so that an outlier stays one.
        "auto" takes for each column the first of them after which the kurtosis is at most 6; where
        none leaves so little, each is preferred to one before it if it halves the kurtosis.
    spike_share : float, default=1.0
        A value is common if it has at least this share of the rows of a column of numbers, and ten
        of them at least; then of the rows with other values, and so on. 1: constant columns alone.
    min_frequency : int or float, default=None
        Levels of fewer rows, or of a smaller share of them, are rare: they have one column
        together.
    max_categories : int, default=100
        Of more levels the commonest are kept and the others are rare, with a warning: the next one
        has less than one row in a hundred.
    missing : {"indicator", "keep"}, default="indicator"
        Missing values are None, NaN, NaT and ``pandas.NA``. "indicator": a block has a column for
        them, and a number or boolean that was missing in training a column beside it that says
        where, its own place being filled with the mean. "keep": their codes are NaN, and so is the
        number beside a common value.

    Attributes
    ----------
    likelihoods_ : list of (str, list of int)
        The kind of the codes' distribution and their columns, as pairs of a ``ColumnTransformer``:
        all numbers are "gaussian", booleans and indicators "bernoulli", each block is one
        "categorical".
    maps_ : dict of {str: str}
        The map of each column of numbers, by the column's name; none if all values are common.
    spikes_ : dict of {str: list}
        The common values of columns of numbers, the commonest first, by the column's name.
    rare_levels_ : dict of {str: list}
        The levels that have one column together, the commonest first, by the column's name.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of str
        Names of the columns, where all are str.

    See Also
    --------
    sample_frame : Rows of a fitted pipeline as a table.
    infer_likelihood : Proposes a likelihood for columns that are numbers.
    sklearn.compose.ColumnTransformer : Any transformer for any column; has no inverse.

    Notes
    -----
    A number comes back to within :math:`10^{-12}` of the largest training value of its column, in
    size; an integer exactly where they spread over less than :math:`10^{11}`, and so do dates and
    times in their steps: milliseconds over three years, say. Numbers that are all below
    :math:`10^{-292}` in size come back as zero. Decimals of Python have as many places as the
    finest of those fitted. A column that had no negative number in ``fit``
    comes back without one, whatever the codes. Dates are within the years 1 to 9999, in pandas
    and with a time zone from 1678 on: pandas 2 crashes when it shows earlier ones.
    In a column of polars a missing value comes back as NaN if all those fitted were NaN, else as
    null; in a pandas column of Python objects, as the first of those fitted. Rows have the index of
    the codes if these are a frame of pandas.

    A level that is unknown has a column that was 0 for all rows fitted, so that its row is unlike
    them; were it zero in all columns, as in a ``OneHotEncoder``, the row would be near the mean. A
    missing number in a column that had no missing one in ``fit`` is filled with the mean, or with
    the commonest value if that is common, with a warning. A column without any value is 0 and an
    indicator, or NaN.

    Where values repeat, as the zeros of capital gains do, a column is a hurdle, of spikes
    :math:`v_1, \dots, v_k` with probabilities :math:`\pi_j(z)` and a slab with the density f:

    .. math:: p(x \mid z) = \prod_j \pi_j(z)^{[x = v_j]}
        \left(\pi_0(z) f(x \mid z)\right)^{[x \ne v_1, \dots, v_k]}

    Masses of the spikes and the integral over other values sum to one. This is what is fitted with
    ``missing="keep"`` and a model that has ``missing="mask"``, as NaN takes f out of rows with a
    spike. A model without NaN has 0 there, the mean of the slab: f counts in all rows, and its
    variance is too small. A constant column is a spike alone: another value is as improbable as an
    unknown level, and comes back as the constant.

    skrub's ``TableVectorizer`` reads more of a table but has no inverse; ``QuantileTransformer``
    takes all values outside of the training range to its ends.

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
        """Learn the columns, their dtypes, maps and levels.

        Parameters
        ----------
        X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
            A frame, or an array of numbers or booleans.
        y : ignored
            Present for pipelines.

        Returns
        -------
        self : object
            The fitted encoder.

        Raises
        ------
        ValueError
            If a number is infinite.
        TypeError
            If a column holds something else: lists, complex numbers.
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
            With the columns fitted, in their order; a dtype may be another one of the same kind.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Of float64.

        Raises
        ------
        ValueError
            If columns are missing, added or in another order; if one holds another kind of values
            than in ``fit``; if a number is infinite.
        """
        check_is_fitted(self)
        X = valid_table(self, X, reset=False, of_numbers=self._library_ == "numpy")
        return encoded(X, self._columns_, self._names_)

    def inverse_transform(self, X: MatrixLike) -> Depends:
        """Return the table of codes.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features_out)
            Codes, or any real numbers, which come back as a legal row.

        Returns
        -------
        {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
            What was fitted, with its dtypes.

        Raises
        ------
        ValueError
            If X has another number of columns; if it has NaN for a column whose dtype holds no
            missing value.
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

        A number and a boolean keep the column's name; the others have "_" and the level or value,
        "rare", "other", "missing" or "unknown" behind it. A name that is taken has "_2" behind it,
        and so on.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns, where they had none.

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
