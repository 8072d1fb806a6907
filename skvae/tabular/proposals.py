"""A likelihood for every column of numbers, proposed with its reason."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2
from sklearn.utils.validation import check_array

from skvae._results import Result
from skvae._typing import MatrixLike
from skvae.tabular.reading import cells_of, columns_of, is_frame

__all__ = ["LikelihoodProposal", "infer_likelihood"]

LARGE_MEAN = 30.0  # from which on a Poisson distribution is near a normal one
SIGNIFICANT = 0.01  # one Poisson column in a hundred is taken for another
FEWEST = 20  # values of which the variance says little


@dataclass(frozen=True, repr=False)
class LikelihoodProposal(Result):
    """What :func:`infer_likelihood` proposes.

    Attributes
    ----------
    columns : list
        Names of the columns, or their places in an array.
    kinds : list of str
        "gaussian", "bernoulli", "continuous-bernoulli", "poisson" or "negative-binomial".
    reasons : list of str
        What in the column speaks for it.
    """

    columns: list
    kinds: list
    reasons: list

    @property
    def likelihood(self) -> list:
        """Pairs of a kind and its columns, as of a ``ColumnTransformer``."""
        pairs: dict[str, list[Any]] = {}
        for column, kind in zip(self.columns, self.kinds, strict=True):
            pairs.setdefault(kind, []).append(column)
        return list(pairs.items())

    def _table(self):
        return self.columns, [("kind", self.kinds), ("reason", self.reasons)]


def infer_likelihood(X: MatrixLike) -> LikelihoodProposal:
    """Propose a likelihood for every column of numbers. Nothing is fitted, and none is set.

    ====================  ======================================================================
    bernoulli             only 0 and 1
    poisson               counts: whole, from 0 on, with a mean below 30; their variance is that
                          of a Poisson distribution, by a test of the index of dispersion at 1 %
    negative-binomial     such counts with a larger variance
    continuous-bernoulli  in [0, 1], with a variance above that of the uniform distribution there:
                          the values are near both ends
    gaussian              all else
    ====================  ======================================================================

    Parameters
    ----------
    X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
        Numbers or booleans. Missing values do not count.

    Returns
    -------
    LikelihoodProposal
        With ``columns``, ``kinds``, ``reasons`` and the pairs ``likelihood``. It prints as a table,
        a row for each column, and ``to_frame()`` is that table.

    Raises
    ------
    ValueError
        If a column holds something else than numbers or booleans.

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
            f"instead. Use a TableEncoder, whose likelihoods_ has the kinds of its codes."
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
    """Return (kind, reason) for small whole numbers from 0 on."""
    ratio = x.var(ddof=1) / x.mean()
    statistic, freedom = (len(x) - 1) * ratio, len(x) - 1  # chi-squared, under a Poisson
    if chi2.sf(statistic, freedom) < SIGNIFICANT / 2:
        return "negative-binomial", f"counts, variance {ratio:.3g} times the mean"
    if chi2.cdf(statistic, freedom) < SIGNIFICANT / 2:
        return "gaussian", f"whole numbers, variance only {ratio:.3g} times the mean"
    return "poisson", f"counts, variance {ratio:.3g} times the mean"
