"""InfoMEC: modularity, compactness and explicitness, all three measured by information."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.feature_selection import mutual_info_classif
from sklearn.utils import check_random_state

from skvae._typing import Depends, Seed
from skvae.base.hyperparameters import check_argument, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import active_codes, check_factors, check_stds
from skvae.metrics.information import dependent, histogram_bins, histogram_information
from skvae.metrics.prediction import (
    LARGEST_SEED,
    linear_probabilities,
    split_levels,
    standardised,
)

__all__ = ["INFOMEC_PARTS", "infomec_score"]

INFOMEC_PARTS = ("modularity", "compactness", "explicitness")

N_NEIGHBORS = 10
FEW_VALUES = 20  # most values of a quantised code; in the test, the bins of other codes


def infomec_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    part: str = "modularity",
    stds: ArrayLike | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return the modularity, compactness or explicitness of codes by information (InfoMEC).

    Let :math:`N_{jk} = I(z_j; v_k) / H(v_k)`, for F factors and the D codes that have information
    about at least one of them. Then

    .. math::

        M &= \Big( \frac{1}{D} \sum_j \frac{\max_k N_{jk}}{\sum_k N_{jk}} - \frac{1}{F} \Big) \Big/
             \Big( 1 - \frac{1}{F} \Big) \\
        C &= \Big( \frac{1}{F} \sum_k \frac{\max_j N_{jk}}{\sum_j N_{jk}} - \frac{1}{D} \Big) \Big/
             \Big( 1 - \frac{1}{D} \Big) \\
        E &= \frac{1}{F} \sum_k \max\Big(1 - \frac{H_V(v_k \mid z)}{H_V(v_k)}, \, 0 \Big)

    where :math:`H_V` is the cross-entropy on held-out rows. Conditional on z, the predictions are
    those of a multinomial logistic regression on all codes. Without z, they are the shares of the
    levels. After a fit on n rows, the first are mixed with the second, with weight 1/(n + 1), so
    that no row has probability 0.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. Each distinct value of a column is one level. A column needs at
        least twice as many rows as levels.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    part : {"modularity", "compactness", "explicitness"}, default="modularity"
        Which of the three values to return as the score. Modularity: does each code inform about
        only one factor? Compactness: is the information about each factor in only one code?
        Explicitness: can a linear classifier predict the factors from all codes together?
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors. If given, collapsed codes are left out.
    details : bool, default=False
        If True, return the score together with its parts.
    random_state : int, RandomState instance or None, default=None
        Controls the small noise that breaks ties in the estimate of the mutual information, and
        which rows are held out: a third of the rows of each level.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. The order, sign and scale of the codes do not change it, up to that noise and
        the tolerance of the solver. Modularity is 0 if no code has information about any factor.
        Compactness is 0 for a factor that no code informs about. If only one code has any
        information, compactness is 1 for the factors that it informs about. With ``details``, the
        entries are

        - "score": the float
        - "modularity", "compactness", "explicitness": the three values, floats
        - "per_code": the modularity of each code, ndarray of shape (n_components,), NaN for
          codes that are left out
        - "compactness_per_factor", "explicitness_per_factor": ndarray of shape (n_factors,)
        - "information": N, ndarray of shape (n_components, n_factors), after the test

    Raises
    ------
    ValueError
        If there is only one factor; if a factor has only one level, or more than one level for
        every two rows; if a level has only one row, where explicitness is computed; if the shapes
        do not match.

    Notes
    -----
    The mutual information is estimated from the 10 nearest neighbours of each standardised code, by
    the method of Kraskov, Stögbauer & Grassberger. A code with at most 20 distinct values (a
    quantised code) uses the shares of its values instead. The mutual information is set to 0 where
    a chi-squared test at the level 0.001 finds no dependence; the test uses 20 bins for codes that
    are not quantised.

    Hsu et al. differ in two ways. They use the codes whose range is over 1/20 of the largest range.
    Then rescaling a code changes the result, and the noise of a code without information counts
    as its modularity. They also score explicitness on the fitted rows, where D codes of pure noise
    have about (K - 1) D / 2n nats, and weight the classes in the fit only.

    References
    ----------
    Hsu, Dorrell, Whittington, Wu & Finn (2023), Disentanglement via latent quantization, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import infomec_score
    >>> factors = np.indices((3, 4, 5)).reshape(3, -1).T
    >>> round(infomec_score(factors, factors), 9)
    1.0
    >>> twice = infomec_score(factors, np.hstack([factors, factors]), part="compactness")
    >>> round(twice, 9)  # (F - 1) / (2 F - 1)
    0.4
    """
    name = "infomec_score"
    check_argument("part", part, one_of(*INFOMEC_PARTS), name)
    factors, codes = check_factors(factors, codes, name, least=2)
    stds = None if stds is None else check_stds(stds, codes, name)
    active = active_codes(codes, stds)
    rng = check_random_state(random_state)
    result = {}
    if details or part != "explicitness":
        result.update(_shared_out(_information(factors, codes, active, rng)))
    if details or part == "explicitness":
        result.update(_explicitness(factors, codes * active, name, rng))
    return DetailedScore(score=result[part], **result) if details else result[part]


def _information(factors, codes, active, rng):
    """Return the mutual information divided by the entropy, (n_components, n_factors)."""
    bins = histogram_bins(codes, FEW_VALUES, "quantile")
    many = np.zeros_like(active)
    for j, code in enumerate(codes.T):
        different, places = np.unique(code, return_inverse=True)
        many[j] = len(different) > min(FEW_VALUES, len(code) // 2)
        if not many[j]:
            bins[:, j] = places
    information = histogram_information(factors.levels, bins)
    told = dependent(factors.levels, bins) & active[:, None]
    codes = standardised(codes)
    for place, levels in enumerate(factors.levels.T):
        near = many & told[:, place]
        if near.any():
            information[near, place] = mutual_info_classif(
                codes[:, near],
                levels,
                discrete_features=False,
                n_neighbors=N_NEIGHBORS,
                random_state=rng.randint(LARGEST_SEED),
            )
    return np.minimum(information / factors.entropies, 1.0) * told


def _shared_out(information):
    """Return modularity and compactness from the information divided by the entropy."""
    told = information.any(axis=1)
    per_code = np.full(len(information), np.nan)
    per_code[told] = _over_chance(information[told])
    known = information.any(axis=0)
    per_factor = np.zeros(len(known))
    per_factor[known] = _over_chance(information[told][:, known].T)
    return {
        "modularity": float(per_code[told].mean()) if told.any() else 0.0,
        "compactness": float(per_factor.mean()),
        "per_code": per_code,
        "compactness_per_factor": per_factor,
        "information": information,
    }


def _over_chance(information):
    """Return the rescaled share of each row's largest entry: 0 if all are equal, 1 if alone."""
    n = information.shape[1]
    if n < 2:
        return np.ones(len(information))
    share = information.max(axis=1) / information.sum(axis=1)
    return np.clip((share - 1 / n) / (1 - 1 / n), 0.0, 1.0)


def _explicitness(factors, codes, name, rng):
    """Return how much of each factor's entropy a linear classifier removes."""
    per_factor = np.zeros(len(factors.sizes))
    for place, levels in enumerate(factors.levels.T):
        learned, scored = split_levels(levels, place, name, rng)
        shares = np.bincount(levels[learned]) / len(learned)
        told = linear_probabilities(codes, levels, learned, scored)
        # A classifier that is right in all of n rows may be wrong in the next one. Without this
        # correction, one such held-out row would outweigh all others.
        told = (len(learned) * told + shares) / (len(learned) + 1)
        conditional = -np.log(told[np.arange(len(scored)), levels[scored]]).mean()
        marginal = -np.log(shares[levels[scored]]).mean()
        per_factor[place] = max(1 - conditional / marginal, 0.0)
    return {"explicitness": float(per_factor.mean()), "explicitness_per_factor": per_factor}
