"""Checks of the input that scores against known factors share: factors and codes, row by row."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from skvae.base.validation import check_unmasked, valid_numbers

__all__ = ["Factors", "active_codes", "check_codes", "check_factors", "check_size", "check_stds"]

LARGEST_CODE = 1e150  # its square is still finite in float64
COLLAPSED_SHARE = 0.01  # a code collapsed if its means have at most this share of its variance


@dataclass(frozen=True, eq=False)
class Factors:
    """Known factors of n rows.

    Attributes
    ----------
    levels : ndarray of shape (n_samples, n_factors), integers
        For each value, its position among the sorted distinct values of its factor.
    values : ndarray of shape (n_samples, n_factors), float64
        The values of numeric factors; the levels of all others.
    sizes : ndarray of shape (n_factors,), integers
        The number of levels of each factor.
    nominal : ndarray of shape (n_factors,), bool
        Whether the levels of a factor have no order.
    """

    levels: np.ndarray
    values: np.ndarray
    sizes: np.ndarray
    nominal: np.ndarray

    @property
    def entropies(self):
        """Entropy of each factor over the rows, in nats."""
        shares = [np.bincount(column) / len(column) for column in self.levels.T]
        return np.array([-np.sum(share * np.log(share)) for share in shares])


def check_factors(factors, codes, metric, *, nominal=None, least=1, ordered=False):
    """Return the :class:`Factors` and the codes, float64, for the metric of that name.

    ``least`` is the number of factors that the metric needs. With ``ordered``, factors that are not
    nominal are read as numbers. Otherwise a level is a class, which may be a name and must recur.
    """
    check_unmasked(factors, "factors")
    factors = check_array(factors, dtype=None, input_name="factors", ensure_min_samples=2)
    codes = check_codes(codes, metric)
    check_consistent_length(factors, codes)
    n_samples, n_factors = factors.shape
    if n_factors < least:
        raise ValueError(
            f"{metric} needs at least {least} factors, to tell one from another. Got {n_factors} "
            f"instead. Give more columns."
        )
    nominal = _nominal_columns(nominal, n_factors, metric)
    levels = np.empty((n_samples, n_factors), dtype=np.intp)
    values = np.empty((n_samples, n_factors))
    for place, column in enumerate(factors.T):
        different, levels[:, place] = _levels(column, place, metric)
        number = ordered and not nominal[place]
        _check_levels(len(different), n_samples, place, metric, number)
        values[:, place] = _numbers(column, place, metric) if number else levels[:, place]
    return Factors(levels, values, levels.max(axis=0) + 1, nominal), codes


def check_codes(codes, metric):
    """Return codes of shape (n_samples, n_components) as float64."""
    validate = partial(check_array, dtype="numeric", input_name="codes", ensure_min_samples=2)
    codes = valid_numbers(validate, codes, name="codes").astype(np.float64, copy=False)
    check_size(codes, metric)
    return codes


def check_size(codes, metric):
    """Raise an error if codes are so large that their variance is infinite."""
    largest = float(np.abs(codes).max())
    if not largest <= LARGEST_CODE:
        raise ValueError(
            f"{metric} needs codes of at most {LARGEST_CODE:g} in absolute value, whose squares "
            f"are finite. Got {largest:.4g} instead. Scale them."
        )


def check_stds(stds, codes, metric):
    """Return the posteriors' standard deviations as float64; their shape must match the codes."""
    validate = partial(check_array, dtype="numeric", input_name="stds")
    stds = valid_numbers(validate, stds, name="stds").astype(np.float64, copy=False)
    if stds.shape != codes.shape or (stds <= 0).any():
        raise ValueError(
            f"{metric} needs stds over 0, of the shape {codes.shape} of the codes. Got the shape "
            f"{stds.shape} and a smallest value of {stds.min():.4g} instead. Give those that "
            f"posterior returns with the codes."
        )
    return stds


def active_codes(codes, stds=None):
    r"""Return which codes carry information, as a boolean array.

    A constant code carries none. If the stds of the posteriors are known, a collapsed code carries
    none either: its means have at most 1 % of its variance,
    :math:`Var_x(\mu_j) \leq 0.01 (Var_x(\mu_j) + E \sigma_j^2)`.
    """
    variance = codes.var(axis=0)
    active = (np.ptp(codes, axis=0) > 0) & (variance > 0)
    if stds is None:
        return active
    return active & (variance > COLLAPSED_SHARE * (variance + np.mean(stds**2, axis=0)))


def _nominal_columns(nominal, n_factors, metric):
    """Return a mask of the columns that were listed as nominal."""
    columns = np.atleast_1d(np.asarray([] if nominal is None else nominal))
    mask = np.zeros(n_factors, dtype=bool)
    if columns.size == 0:
        return mask
    if columns.dtype.kind not in "iu" or not np.isin(columns, np.arange(n_factors)).all():
        raise ValueError(
            f"{metric} needs nominal as indices of the columns 0 to {n_factors - 1} of the "
            f"factors. Got {nominal!r} instead. Name the columns whose levels have no order."
        )
    mask[columns] = True
    return mask


def _levels(column, place, metric):
    """Return the sorted distinct values of a column, and for each row its index among them."""
    try:
        if column.dtype.kind in "mM" and np.isnat(column).any():
            raise TypeError("NaT is no level")
        return np.unique(column, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            f"{metric} needs factors whose levels can be sorted. Got values in column {place} that "
            f"are missing or cannot be sorted instead. Give only numbers or only names."
        ) from error


def _check_levels(n_levels, n_samples, place, metric, number):
    if n_levels < 2:
        raise ValueError(
            f"{metric} needs factors that vary. Got one level in column {place} instead. Leave "
            f"that column out."
        )
    if not number and 2 * n_levels > n_samples:
        raise ValueError(
            f"{metric} needs factors whose levels recur. Got {n_levels} levels in {n_samples} rows "
            f"of column {place} instead. Bin it, as KBinsDiscretizer does, or give more rows."
        )


def _numbers(column, place, metric):
    """Return a column as float64."""
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{metric} needs factors that are numbers, unless they are nominal. Got "
            f"{column[0]!r} in column {place} instead. If its levels have no order, pass "
            f"nominal=[{place}]."
        ) from error
