"""Propose a likelihood for every column of numbers, with a reason."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2
from sklearn.utils.validation import check_array

from skvae._results import Result
from skvae._typing import MatrixLike
from skvae.tabular.reading import cells_of, columns_of, is_frame

__all__ = ["LikelihoodProposal", "infer_likelihood"]

LARGE_MEAN = 30.0  # with a larger mean, a Poisson distribution is close to a normal one
SIGNIFICANT = 0.01  # level of the test: one Poisson column in a hundred is not recognised
FEWEST = 20  # with fewer values, the variance is not reliable


@dataclass(frozen=True, repr=False)
class LikelihoodProposal(Result):
    """The result of :func:`infer_likelihood`.

    Attributes
    ----------
    columns : list
        Names of the columns, or their indices in an array.
    kinds : list of str
        For each column "gaussian", "bernoulli", "continuous-bernoulli", "poisson" or
        "negative-binomial".
    reasons : list of str
        For each column, the property of its values that is the reason for the kind.
    """

    columns: list
    kinds: list
    reasons: list

    @property
    def likelihood(self) -> list:
        """Pairs of a kind and its columns, as the ``likelihood`` of a VAE takes them."""
        pairs: dict[str, list[Any]] = {}
        for column, kind in zip(self.columns, self.kinds, strict=True):
            pairs.setdefault(kind, []).append(column)
        return list(pairs.items())

    def _table(self):
        return self.columns, [("kind", self.kinds), ("reason", self.reasons)]


def infer_likelihood(X: MatrixLike) -> LikelihoodProposal:
    """Propose a likelihood for every column of numbers. This fits no model and sets no parameter.

    ====================  ======================================================================
    bernoulli             only 0 and 1
    poisson               counts, which are integers of at least 0, with a mean below 30 and the
                          variance of a Poisson distribution, by a test of the index of
                          dispersion at the level of 1 %; at least 20 values
    negative-binomial     counts as above, but with a larger variance
    continuous-bernoulli  in [0, 1], with a variance larger than that of the uniform distribution:
                          the values are near both ends
    gaussian              all other columns
    ====================  ======================================================================

    Parameters
    ----------
    X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
        Numbers or booleans. Missing values are ignored.

    Returns
    -------
    LikelihoodProposal
        Has ``columns``, ``kinds``, ``reasons`` and the pairs ``likelihood``. It prints as a table
        with one row for each column. ``to_frame()`` returns this table.

    Raises
    ------
    ValueError
        If a column has other values than numbers or booleans.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tabular import infer_likelihood
    >>> frame = pd.DataFrame(
    ...     {
    ...         "is_new": [0, 1] * 20,
    ...         "calls": [0, 0, 1, 0, 2, 0, 0, 35] * 5,
    ...         "height": [1.6, 1.7, 1.8, 1.9] * 10,
    ...     }
    ... )
    >>> proposal = infer_likelihood(frame)
    >>> proposal
            kind               reason
    is_new  bernoulli          only 0 and 1
    calls   negative-binomial  counts, variance 28.3 times the mean
    height  gaussian           numbers from 1.6 to 1.9
    >>> proposal.to_frame()["kind"].to_dict()
    {'is_new': 'bernoulli', 'calls': 'negative-binomial', 'height': 'gaussian'}
    >>> proposal.likelihood
    [('bernoulli', ['is_new']), ('negative-binomial', ['calls']), ('gaussian', ['height'])]
    """
    if is_frame(X):
        names = list(X.columns)
    else:
        X = check_array(X, ensure_all_finite="allow-nan")
        names = list(range(X.shape[1]))
    proposals = [
        _proposal(_numbers(cells_of(column, name), name))
        for name, column in zip(names, columns_of(X), strict=True)
    ]
    kinds, reasons = zip(*proposals, strict=True)
    return LikelihoodProposal(names, list(kinds), list(reasons))


def _numbers(cells, name):
    """Return the values of a column that are not missing, as float64."""
    if cells.kind not in ("real", "whole", "flag") and len(cells.values):
        raise ValueError(
            f"infer_likelihood needs columns of numbers. Got other values in column {name!r} "
            f"instead. Use a TableEncoder: its likelihoods_ are the kinds of its codes."
        )
    return cells.values.astype(np.float64)


def _proposal(x):
    """Return (kind, reason) for the values of a column."""
    if not len(x):
        return "gaussian", "no value"
    low, high = x.min(), x.max()
    if low == high:
        return "gaussian", f"constant, {low:g}"
    if np.isin(x, (0, 1)).all():
        return "bernoulli", "only 0 and 1"
    if low >= 0 and (x == np.rint(x)).all() and x.mean() < LARGE_MEAN and len(x) >= FEWEST:
        return _of_counts(x)
    if low >= 0 and high <= 1 and x.var() > 1 / 12:
        return "continuous-bernoulli", "in [0, 1], near both ends"
    return "gaussian", f"numbers from {low:g} to {high:g}"


def _of_counts(x):
    """Return (kind, reason) for integers of at least 0 with a small mean."""
    ratio = x.var(ddof=1) / x.mean()
    statistic, freedom = (len(x) - 1) * ratio, len(x) - 1  # chi-squared for Poisson counts
    if chi2.sf(statistic, freedom) < SIGNIFICANT / 2:
        return "negative-binomial", f"counts, variance {ratio:.3g} times the mean"
    if chi2.cdf(statistic, freedom) < SIGNIFICANT / 2:
        return "gaussian", f"whole numbers, variance only {ratio:.3g} times the mean"
    return "poisson", f"counts, variance {ratio:.3g} times the mean"
