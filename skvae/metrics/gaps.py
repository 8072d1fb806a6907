"""MIG and modularity: one code for each factor, and one factor for each code."""

import numpy as np
from numpy.typing import ArrayLike

from skvae._typing import Depends
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import active_codes, check_factors, check_stds
from skvae.metrics.information import (
    TEST_BINS,
    dependent,
    histogram_bins,
    histogram_information,
    posterior_information,
)

__all__ = ["modularity_score", "mutual_information_gap"]

STRATEGIES = one_of("uniform", "quantile")


def mutual_information_gap(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    estimator: str = "histogram",
    stds: ArrayLike | None = None,
    n_bins: int = 20,
    strategy: str = "uniform",
    details: bool = False,
) -> Depends:
    r"""Return the mutual information gap (MIG): is each factor in one code alone?

    .. math:: \frac{1}{F} \sum_k \frac{I(z_{j_1}; v_k) - I(z_{j_2}; v_k)}{H(v_k)}

    where :math:`j_1, j_2` are the two codes with the most information about factor :math:`v_k`. If
    there is only one code, the second term is 0.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors. Each distinct value of a column is one level. A column needs at least twice
        as many rows as levels.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    estimator : {"histogram", "posterior"}, default="histogram"
        How the mutual information is estimated. "histogram" sorts the codes into bins and uses the
        shares of rows in them, as disentanglement_lib does. "posterior" treats a code as a random
        draw from the Gaussian posterior of its row, with ``codes`` as its mean, as Chen et al. do.
        It integrates numerically and draws nothing. The values of the two estimators cannot be
        compared with each other.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors, as ``posterior`` returns. Required for "posterior".
    n_bins : int, default=20
        Number of bins for "histogram". If a factor has more levels than there are bins, its gap
        cannot reach 1: with 20 bins the largest gap is 0.85 for 32 levels and 0.8121 for 40.
    strategy : {"uniform", "quantile"}, default="uniform"
        For "histogram": bins of equal width, or with equal numbers of rows.
    details : bool, default=False
        If True, return the score together with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. The order, sign and scale of the codes do not change it; for "quantile", no
        increasing function of a code does. With ``details``, the entries are

        - "score": the float
        - "per_factor": the gap of each factor, ndarray of shape (n_factors,); the score is its mean
        - "information": ndarray of shape (n_components, n_factors), in nats
        - "entropies": the entropy of each factor, ndarray of shape (n_factors,), in nats
        - "top_codes": :math:`j_1, j_2`, ndarray of shape (n_factors, 2); -1 if there is no second

    Raises
    ------
    ValueError
        If a factor has only one level, or more than one level for every two rows; if the shapes do
        not match; if ``stds`` is missing for "posterior" or given for "histogram".

    Notes
    -----
    Without noise, a code that is a one-to-one function of several factors would have all the
    information about each of them. Noise or bins prevent this: "posterior" includes the noise of
    the encoder, and "histogram" has its bins. The histogram estimate is too large by
    (B - 1)(K - 1) / 2n nats for independent variables with B bins and K levels. This bias is in
    both terms of a gap.

    References
    ----------
    Chen et al. (2018), Isolating sources of disentanglement in variational autoencoders,
    section 4.1. Locatello et al. (2019), Challenging common assumptions in the unsupervised
    learning of disentangled representations (for the histogram).

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import mutual_information_gap
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 2)
    >>> round(mutual_information_gap(factors, factors * [-3.0, 2.0]), 9)  # one code per factor
    1.0
    >>> round(mutual_information_gap(factors, factors[:, [0, 0, 1]]), 9)  # two for the first one
    0.5
    >>> rounded = mutual_information_gap(
    ...     factors, 2.0 * factors, estimator="posterior", stds=np.ones((8, 2))
    ... )
    >>> round(rounded * float(np.log(2)), 6)  # a binary channel at 0 dB, in nats
    0.336831
    """
    name = "mutual_information_gap"
    check_argument("estimator", estimator, one_of("histogram", "posterior"), name)
    check_argument("strategy", strategy, STRATEGIES, name)
    check_integer("n_bins", n_bins, name, least=2)
    factors, codes = check_factors(factors, codes, name)
    if (estimator == "posterior") != (stds is not None):
        raise ValueError(
            f"mutual_information_gap needs stds for estimator='posterior', and for no other. Got "
            f"estimator={estimator!r} and stds={'None' if stds is None else 'given'} instead. "
            f"Give both or neither."
        )
    if estimator == "posterior":
        stds = check_stds(stds, codes, name)
        information = posterior_information(factors.levels, codes, stds)
    else:
        bins = histogram_bins(codes, n_bins, strategy)
        information = histogram_information(factors.levels, bins)
    order = np.argsort(-information, axis=0, kind="stable")
    most = -np.sort(-information, axis=0)
    second = most[1] if len(most) > 1 else 0.0
    gaps = np.minimum((most[0] - second) / factors.entropies, 1.0)
    score = float(gaps.mean())
    if not details:
        return score
    top = np.full((len(gaps), 2), -1)
    top[:, : len(order)] = order[:2].T
    return DetailedScore(
        score=score,
        per_factor=gaps,
        information=information,
        entropies=factors.entropies,
        top_codes=top,
    )


def modularity_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    stds: ArrayLike | None = None,
    n_bins: int = 20,
    strategy: str = "uniform",
    flavor: str | None = None,
    details: bool = False,
) -> Depends:
    r"""Return the modularity: does each code inform about only one factor?

    .. math:: \frac{1}{D} \sum_j \Big( 1 -
              \frac{\sum_{k \neq k_j} I(z_j; v_k)^2}{(F - 1) \, I(z_j; v_{k_j})^2} \Big)

    where :math:`k_j` is the factor that code :math:`z_j` has the most information about. The mean
    is over the D codes that have information about at least one factor.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. Each distinct value of a column is one level. A column needs at
        least twice as many rows as levels.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors. If given, collapsed codes are left out.
    n_bins : int, default=20
        Number of bins of each code, for the estimate of the mutual information.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or with equal numbers of rows.
    flavor : {"disentanglement_lib"}, default=None
        None sets the mutual information to 0 where a chi-squared test at the level 0.001 finds no
        dependence, and leaves out codes without information about any factor. Otherwise the bias of
        the estimate would make a code of pure noise look as if it shared its information between
        factors. "disentanglement_lib" does neither, and counts a constant code as 0.
    details : bool, default=False
        If True, return the score together with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1; 0 if no code has information about any factor. The order, sign and scale of the
        codes do not change it. With ``details``, the entries are

        - "score": the float
        - "per_code": ndarray of shape (n_components,), NaN for codes that are left out
        - "information": ndarray of shape (n_components, n_factors), in nats, after the test

    Raises
    ------
    ValueError
        If there is only one factor; if a factor has only one level, or more than one level for
        every two rows; if the shapes do not match.

    References
    ----------
    Ridgeway & Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import modularity_score
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5)
    >>> round(modularity_score(factors, factors[:, [0, 0, 1]]), 9)  # one factor each
    1.0
    """
    name = "modularity_score"
    check_argument("strategy", strategy, STRATEGIES, name)
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    check_integer("n_bins", n_bins, name, least=2)
    factors, codes = check_factors(factors, codes, name, least=2)
    stds = None if stds is None else check_stds(stds, codes, name)
    bins = histogram_bins(codes, n_bins, strategy)
    information = histogram_information(factors.levels, bins)
    if flavor is None:
        even = histogram_bins(codes, TEST_BINS, "quantile")
        information *= dependent(factors.levels, even)
        information *= active_codes(codes, stds)[:, None]
    squares = information**2
    largest = squares.max(axis=1)
    told = largest > 0
    per_code = np.full(len(squares), np.nan if flavor is None else 0.0)
    rest = squares[told].sum(axis=1) - largest[told]
    per_code[told] = 1 - rest / (largest[told] * (len(factors.sizes) - 1))
    score = float(np.nanmean(per_code)) if told.any() else 0.0
    if not details:
        return score
    return DetailedScore(score=score, per_code=per_code, information=information)
