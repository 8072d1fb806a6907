"""Mutual information, in nats, of every pair of a code and a factor."""

import numpy as np
from scipy.special import xlogy
from scipy.stats import chi2, rankdata

__all__ = [
    "TEST_BINS",
    "dependent",
    "histogram_bins",
    "histogram_information",
    "posterior_information",
]

SIGNIFICANCE = 0.001
REACH = 8.5  # standard deviations; beyond this a Gaussian density counts as 0
POINTS_PER_STD = 4  # grid points per standard deviation of the narrowest Gaussian
LEAST_STD = 1 / 500  # smallest standard deviation, relative to the mean one
LEAST_STEP = 1e-15  # smallest standard deviation, relative to the range; keeps cell numbers finite
BLOCK_LENGTHS = (64, 4096)
CELLS_AT_ONCE = 2**18  # cells times rows of one step: the arrays fit into the processor's cache
TEST_BINS = 20


def histogram_bins(codes, n_bins, strategy="uniform"):
    """Return the bin of every code, (n_samples, n_components) integers.

    "uniform" bins have equal width between the smallest and the largest value of a code.
    "quantile" bins have equal numbers of rows, except that equal values share a bin. A constant
    code has one bin.
    """
    if strategy == "quantile":
        share = (rankdata(codes, axis=0) - 0.5) / len(codes)
    else:
        width = np.ptp(codes, axis=0)
        share = (codes - codes.min(axis=0)) / np.where(width > 0, width, 1.0)
    return np.minimum((share * n_bins).astype(np.intp), n_bins - 1)


def histogram_information(levels, bins):
    r"""Return the plug-in mutual information of binned codes and factors.

    .. math:: I(z_j; v_k) = H(z_j) + H(v_k) - H(z_j, v_k)

    The entropies are those of the shares of rows, so every value is between 0 and
    :math:`H(v_k)`. For independent variables with B bins and K levels, the value is about
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

    Unlike the plug-in information, the statistic of this test has the correct mean even if cells
    hold few rows. Bins with few rows still make it heavy-tailed, so use ``TEST_BINS`` bins with
    equal numbers of rows.

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
    """Yield for each factor its table of counts, (n_components, n_bins, n_levels)."""
    n_components, n_bins = bins.shape[1], bins.max() + 1
    cells = bins + n_bins * np.arange(n_components)
    for column in levels.T:
        size = column.max() + 1
        yield np.bincount(
            (cells * size + column[:, None]).ravel(), minlength=n_components * n_bins * size
        ).reshape(n_components, n_bins, size)


def posterior_information(levels, means, stds):
    r"""Return the mutual information of the factors and codes drawn from Gaussian posteriors.

    .. math:: I(z_j; v_k) = \sum_l p(v_k = l) \, KL(q(z_j | v_k = l) \,\|\, q(z_j))

    where :math:`q(z_j)` is the mixture of the posteriors of all rows, and
    :math:`q(z_j | v_k = l)` is the mixture over the rows with level l. Each is a density of one
    variable, so the integrals are sums over a grid whose step is a quarter of the smallest std.
    There are no draws, and the errors are below 1e-6 nats. A std smaller than 1/500 of the mean
    std, or than 1e-15 of the range of the means, is replaced by that value.

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
    firsts = np.cumsum(sizes) - sizes
    groups = levels + firsts
    shares = np.bincount(groups.ravel()) / len(levels)
    information = np.zeros((means.shape[1], len(sizes)))
    for code, (mean, std) in enumerate(zip(means.T, stds.T, strict=True)):
        for joint in _masses(mean, std, groups, len(shares)):
            marginal = joint[: sizes[0]].sum(axis=0)
            terms = xlogy(joint, joint) - xlogy(joint, shares[:, None] * marginal)
            information[code] += np.add.reduceat(terms.sum(axis=1), firsts)
    return np.maximum(information, 0.0)


def _masses(mean, std, groups, n_groups):
    """Yield the joint probabilities of groups and grid cells of one code, (n_groups, n_cells).

    The grid is divided into blocks. Each block sums only the rows whose density reaches it, so that
    empty cells between distant rows cost nothing.
    """
    std = np.maximum(std, max(std.mean() * LEAST_STD, np.ptp(mean) * LEAST_STEP))
    step = std.min() / POINTS_PER_STD
    place, reach = (mean - mean.min()) / step, REACH * std / step
    length = int(np.clip(2 * np.median(reach), *BLOCK_LENGTHS))
    first, last = (
        np.floor(ends / length).astype(np.int64) for ends in (place - reach, place + reach)
    )
    n_blocks = last - first + 1
    rows = np.repeat(np.arange(len(mean)), n_blocks)
    blocks = np.arange(len(rows)) - np.repeat(np.cumsum(n_blocks) - n_blocks - first, n_blocks)
    order = np.argsort(blocks, kind="stable")
    different, begins = np.unique(blocks[order], return_index=True)
    at_once = CELLS_AT_ONCE // length
    width = std / step
    for block, members in zip(different, np.split(rows[order], begins[1:]), strict=True):
        cells = block * length + np.arange(length)
        masses = np.zeros((n_groups, length))
        for begin in range(0, len(members), at_once):
            some = members[begin : begin + at_once, None]
            density = np.exp(-0.5 * ((cells - place[some]) / width[some]) ** 2) / width[some]
            belongs = np.zeros((n_groups, len(some)))
            belongs[groups[some[:, 0]].T, np.arange(len(some))] = 1.0
            masses += belongs @ density
        yield masses / (np.sqrt(2 * np.pi) * len(mean))
