"""Whether one code alone tells of each factor, and each code of one factor: MIG and modularity."""

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

    with :math:`j_1, j_2` the two codes that tell most of factor :math:`v_k`; a single code has a
    second that tells nothing.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors; every different value of a column is a level, so values must recur.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    estimator : {"histogram", "posterior"}, default="histogram"
        Of the mutual information. "histogram" has the codes in bins, and plugs in the shares
        of rows, as disentanglement_lib does. "posterior" takes a code for a draw of its row's
        Gaussian posterior, as Chen et al. do, with ``codes`` its mean; its integrals
        are exact, with no draws. The values of the two do not compare.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors, as ``posterior`` returns; "posterior" needs them.
    n_bins : int, default=20
        For "histogram". With fewer bins than a factor has levels, no gap of it reaches 1: 20
        bins and 40 levels end at 0.8121, 32 levels at 0.85.
    strategy : {"uniform", "quantile"}, default="uniform"
        For "histogram": bins of equal width, or of equal numbers of rows.
    details : bool, default=False
        Return the score with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1; invariant to the order, sign and scale of codes (for "quantile", to any
        increasing function). With ``details``

        - "score": the float
        - "per_factor": the gaps, ndarray of shape (n_factors,), whose mean it is
        - "information": ndarray of shape (n_components, n_factors), in nats
        - "entropies": those of the factors, ndarray of shape (n_factors,), in nats
        - "top_codes": :math:`j_1, j_2`, ndarray of shape (n_factors, 2), -1 for none

    Raises
    ------
    ValueError
        If a factor has one level, or levels that do not recur; if the shapes do not fit; if
        "posterior" has no ``stds``, or "histogram" has some.

    Notes
    -----
    Without noise every code that is a one-to-one function of several factors tells of each
    of them all there is to tell: "posterior" has a noise, that of the encoder, and
    "histogram" has bins. The bias of a plug-in estimate, (B - 1)(K - 1) / 2n nats for
    independent B bins and K levels, is in both terms of a gap.

    References
    ----------
    Chen et al. (2018), Isolating sources of disentanglement in variational autoencoders,
    section 4.1. Locatello et al. (2019), Challenging common assumptions in the unsupervised
    learning of disentangled representations, for the histogram.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import mutual_information_gap
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 2)
    >>> round(mutual_information_gap(factors, factors * [-3.0, 2.0]), 9)  # a code for each
    1.0
    >>> round(mutual_information_gap(factors, factors[:, [0, 0, 1]]), 9)  # two for the first
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
    r"""Return the modularity: does each code tell of one factor alone?

    .. math:: \frac{1}{D} \sum_j \Big( 1 -
              \frac{\sum_{k \neq k_j} I(z_j; v_k)^2}{(F - 1) \, I(z_j; v_{k_j})^2} \Big)

    with :math:`k_j` the factor that code :math:`z_j` tells most of, and the mean over the codes
    that tell of any.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two; every different value of a column is a level, so values
        must recur.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors: codes that collapsed are then left out.
    n_bins : int, default=20
        Bins of each code, for the plug-in mutual information.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width, or of equal numbers of rows.
    flavor : {"disentanglement_lib"}, default=None
        None holds mutual information for 0 where a chi-squared test at the level 0.001
        finds none, and leaves out codes that have none with any factor: the plug-in bias of
        a code of pure noise would count as sharing. "disentanglement_lib" does neither, and
        counts a constant code as 0.
    details : bool, default=False
        Return the score with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1; 0 where no code tells of any factor. Invariant to the order, sign and
        scale of codes. With ``details``

        - "score": the float
        - "per_code": ndarray of shape (n_components,), NaN for codes left out
        - "information": ndarray of shape (n_components, n_factors), in nats, as used

    Raises
    ------
    ValueError
        If there is one factor alone; if a factor has one level, or levels that do not recur; if
        the shapes do not fit.

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
