"""How much codes tell of factors: the mutual information of every pair, in nats."""

from itertools import pairwise

import numpy as np
from scipy.special import xlogy
from scipy.stats import chi2

__all__ = ["dependent", "histogram_bins", "histogram_information", "posterior_information"]

SIGNIFICANCE = 0.001
REACH = 8.5  # standard deviations beyond which a Gaussian counts as 0
POINTS_PER_STD = 4  # of the grid, for the narrowest Gaussian
MOST_POINTS = 40_000
ROWS_AT_ONCE = 256


def histogram_bins(codes, n_bins, strategy="uniform"):
    """Return the bin of every code, (n_samples, n_components) integers.

    Bins are of equal width between a code's least and greatest value ("uniform"), or of equal
    numbers of rows ("quantile"). A constant code has one.
    """
    if strategy == "quantile":
        inner = np.quantile(codes, np.arange(1, n_bins) / n_bins, axis=0)
        columns = zip(inner.T, codes.T, strict=True)
        return np.stack([np.searchsorted(edges, code, "right") for edges, code in columns], axis=1)
    low, width = codes.min(axis=0), np.ptp(codes, axis=0)
    place = (codes - low) * (n_bins / np.where(width > 0, width, np.inf))
    return np.minimum(place.astype(np.intp), n_bins - 1)


def histogram_information(levels, bins):
    r"""Return the plug-in mutual information of codes in bins and factors in levels.

    .. math:: I(z_j; v_k) = H(z_j) + H(v_k) - H(z_j, v_k)

    with the entropies of the shares of rows, so every value is from 0 to
    :math:`H(v_k)`. That of independent variables, B bins and K levels, is about
    (B - 1)(K - 1) / 2n too large.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_factors), integers
    bins : ndarray of shape (n_samples, n_components), integers

    Returns
    -------
    ndarray of shape (n_components, n_factors)
        In nats.
    """
    n_samples = len(bins)
    information = np.empty((bins.shape[1], levels.shape[1]))
    for place, counts in enumerate(_tables(levels, bins)):
        # With counts c: H = log n - sum c log c / n.
        joint, code, factor = (
            xlogy(table, table).sum(axis=(1, 2)) / n_samples
            for table in (counts, counts.sum(2, keepdims=True), counts.sum(1, keepdims=True))
        )
        entropy = np.log(n_samples) - factor
        information[:, place] = np.clip(entropy + joint - code, 0.0, entropy)
    return information


def dependent(levels, bins):
    """Return which codes depend on which factors, by Pearson's chi-squared test at 0.001.

    Unlike the plug-in information, its statistic has the right mean where cells hold few rows.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_factors), integers
    bins : ndarray of shape (n_samples, n_components), integers

    Returns
    -------
    ndarray of shape (n_components, n_factors), bool
    """
    n_samples = len(bins)
    rejected = np.empty((bins.shape[1], levels.shape[1]), dtype=bool)
    for place, counts in enumerate(_tables(levels, bins)):
        codes, factor = counts.sum(axis=2), counts.sum(axis=1)
        margins = codes[:, :, None] * factor[:, None, :]
        share = np.sum(counts**2 / np.maximum(margins, 1), axis=(1, 2))
        freedom = ((codes > 0).sum(axis=1) - 1) * ((factor > 0).sum(axis=1) - 1)
        rejected[:, place] = n_samples * (share - 1) > chi2.ppf(
            1 - SIGNIFICANCE, np.maximum(freedom, 1)
        )
    return rejected


def _tables(levels, bins):
    """Yield each factor's counts of rows, (n_components, n_bins, n_levels)."""
    n_components, n_bins = bins.shape[1], bins.max() + 1
    cells = bins + n_bins * np.arange(n_components)
    for column in levels.T:
        size = column.max() + 1
        yield np.bincount(
            (cells * size + column[:, None]).ravel(), minlength=n_components * n_bins * size
        ).reshape(n_components, n_bins, size)


def posterior_information(levels, means, stds):
    r"""Return the mutual information of factors and codes drawn from Gaussian posteriors.

    .. math:: I(z_j; v_k) = \sum_l p(v_k = l) \, KL(q(z_j | v_k = l) \,\|\, q(z_j))

    where :math:`q(z_j)` is the mixture of all rows' posteriors and :math:`q(z_j | v_k = l)` that of
    the rows with level l. Each is a density on the line, so the integrals are sums over a grid
    of a quarter of the smallest std: no draws, and errors below 1e-6 nats. A std below 1/10,000
    of the codes' range counts as that.

    Parameters
    ----------
    levels : ndarray of shape (n_samples, n_factors), integers
    means, stds : ndarray of shape (n_samples, n_components)

    Returns
    -------
    ndarray of shape (n_components, n_factors)
        In nats.
    """
    sizes = levels.max(axis=0) + 1
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    groups = levels + firsts[:-1]
    shares = np.bincount(groups.ravel(), minlength=firsts[-1]) / len(levels)
    information = np.empty((means.shape[1], len(sizes)))
    for code, (mean, std) in enumerate(zip(means.T, stds.T, strict=True)):
        masses = _masses(mean, std, groups, firsts[-1])
        for place, (first, last) in enumerate(pairwise(firsts)):
            joint = masses[first:last]
            share = shares[first:last, None]
            marginal = joint.sum(axis=0)
            information[code, place] = (
                xlogy(joint, joint) - xlogy(joint, share) - xlogy(joint, marginal)
            ).sum()
    return np.maximum(information, 0.0)


def _masses(mean, std, groups, n_groups):
    """Return the joint masses of groups and grid cells of one code, (n_groups, n_points).

    Rows of like stds are taken in the order of their means, so that few at a time reach only a
    part of the grid.
    """
    std = np.maximum(std, (np.ptp(mean) + 2 * REACH * std.max()) * POINTS_PER_STD / MOST_POINTS)
    step = std.min() / POINTS_PER_STD
    low = np.min(mean - REACH * std)
    n_points = int((np.max(mean + REACH * std) - low) / step) + 2
    masses = np.zeros((n_groups, n_points))
    order = np.lexsort((mean, np.floor(np.log2(std))))
    for begin in range(0, len(mean), ROWS_AT_ONCE):
        rows = order[begin : begin + ROWS_AT_ONCE]
        reach = REACH * std[rows]
        first = int((np.min(mean[rows] - reach) - low) / step)
        last = int((np.max(mean[rows] + reach) - low) / step) + 2
        points = low + step * np.arange(first, last)
        density = np.exp(-0.5 * ((points - mean[rows, None]) / std[rows, None]) ** 2)
        density *= step / (np.sqrt(2 * np.pi) * std[rows, None])
        members = np.zeros((n_groups, len(rows)))
        members[groups[rows].T, np.arange(len(rows))] = 1.0
        masses[:, first:last] += members @ density
    return masses / len(mean)
