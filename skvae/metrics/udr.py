"""UDR, the unsupervised disentanglement ranking: whether several models found the same codes."""

from collections.abc import Collection
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from sklearn.linear_model import Lasso

from skvae._typing import Depends
from skvae.base.hyperparameters import check_argument, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import active_codes, check_codes, check_stds
from skvae.metrics.prediction import standardised

__all__ = ["udr_score"]

LASSO_PENALTY = 0.1


def udr_score(
    codes_list: Collection[ArrayLike],
    *,
    stds_list: Collection[ArrayLike] | None = None,
    method: str = "spearman",
    flavor: str | None = None,
    details: bool = False,
) -> Depends:
    r"""Return how far several models agree on their codes (UDR); no known factors are needed.

    Let :math:`R_{ab}` be the similarity, over the same rows, of code a of model i and code b of
    model j. Let :math:`r_a` be the largest entry of row a, and :math:`r_b` the largest of column b.
    The agreement of the two models is

    .. math:: UDR_{ij} = \frac{1}{d_i + d_j} \Big( \sum_b \frac{r_b^2}{\sum_a R_{ab}} +
              \sum_a \frac{r_a^2}{\sum_b R_{ab}} \Big)

    where :math:`d_i, d_j` are the numbers of active codes. The outer sums are over active codes
    only. The score of one model is the median of its agreement with the others. The result is the
    mean over all models. It is 1 if all models have the same codes up to order, sign and scale.

    Parameters
    ----------
    codes_list : sequence of array-likes of shape (n_samples, n_components)
        Codes of the same rows from at least two models, for example fits with different seeds.
        The models may differ in n_components.
    stds_list : sequence of array-likes, default=None
        Standard deviations of the posteriors, each with the shape of its codes. If given, collapsed
        codes are inactive. Without them, only constant codes are inactive.
    method : {"spearman", "lasso"}, default="spearman"
        How R is computed. "spearman" is the absolute rank correlation. "lasso" predicts the
        standardised codes of one model from those of the other with a lasso of penalty 0.1, and
        takes the absolute coefficients. The lasso shrinks: two models with the same independent
        codes agree by 0.9.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" takes the mean of the two sides' means, so that the model with fewer
        active codes has the same weight. It also leaves collapsed codes out of the inner sums and
        the maxima.
    details : bool, default=False
        If True, return the score together with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1, and 0 if no code is active. With "lasso" equal codes give 0.9, and a value
        above 1 is possible only if the codes of one model depend on each other so strongly that
        coefficients exceed 1. The order, sign and scale of the codes do not change it. With
        ``details``, the entries are

        - "score": the float
        - "per_model": the median of each model, ndarray of shape (n_models,)
        - "agreement": :math:`UDR_{ij}`, ndarray of shape (n_models, n_models), NaN on the
          diagonal; symmetric for "spearman"
        - "n_active": the number of active codes of each model, ndarray of shape (n_models,)

    Raises
    ------
    ValueError
        If there are fewer than two models, or their codes differ in the number of rows.

    Notes
    -----
    A high value says that other seeds find the same codes. It does not say that these codes are
    the true factors.

    References
    ----------
    Duan et al. (2020), Unsupervised model selection for variational disentangled representation
    learning, ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import udr_score
    >>> codes = np.random.default_rng(0).standard_normal((1000, 3))
    >>> angle = np.pi / 4
    >>> rotated = codes.copy()
    >>> rotated[:, 0] = np.cos(angle) * codes[:, 0] - np.sin(angle) * codes[:, 1]
    >>> rotated[:, 1] = np.sin(angle) * codes[:, 0] + np.cos(angle) * codes[:, 1]
    >>> same, other = udr_score([codes, -codes[:, [2, 0, 1]]]), udr_score([codes, rotated])
    >>> bool(other < 0.7 < 0.9 < same)
    True
    """
    check_argument("method", method, one_of("spearman", "lasso"), "udr_score")
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], "udr_score")
    arrays = [check_codes(codes, "udr_score") for codes in codes_list]
    n_rows = [len(codes) for codes in arrays]
    if len(n_rows) < 2 or len(set(n_rows)) > 1:
        raise ValueError(
            f"udr_score needs the codes of the same rows by at least two models. Got {n_rows} rows "
            f"instead. Give one array for each model."
        )
    stds_list = _checked_stds(stds_list, arrays)
    active = [active_codes(*pair) for pair in zip(arrays, stds_list, strict=True)]
    if method == "spearman":
        arrays = [rankdata(codes, axis=0) for codes in arrays]
    standard = [standardised(codes) for codes in arrays]
    likeness = _rank_correlations if method == "spearman" else _coefficients
    agreement = np.full((len(standard), len(standard)), np.nan)
    for i, j in permutations(range(len(standard)), 2):
        R = likeness(standard[i], standard[j])
        agreement[i, j] = _agreement(R, active[i], active[j], flavor)
    per_model = np.nanmedian(agreement, axis=1)
    score = float(per_model.mean())
    if not details:
        return score
    n_active = np.array([mask.sum() for mask in active])
    return DetailedScore(score=score, per_model=per_model, agreement=agreement, n_active=n_active)


def _checked_stds(stds_list, codes_list):
    """Return the checked stds of each model, or a list of None."""
    if stds_list is None:
        return [None] * len(codes_list)
    if len(stds_list) != len(codes_list):
        raise ValueError(
            f"udr_score needs stds_list to have an array for each model. Got {len(stds_list)} for "
            f"{len(codes_list)} models instead. Give those that posterior returns with the codes."
        )
    pairs = zip(stds_list, codes_list, strict=True)
    return [check_stds(stds, codes, "udr_score") for stds, codes in pairs]


def _rank_correlations(ranks, other_ranks):
    return np.abs(ranks.T @ other_ranks) / len(ranks)


def _coefficients(codes, other_codes):
    R = np.zeros((codes.shape[1], other_codes.shape[1]))
    varying = other_codes.any(axis=0)  # all coefficients of a constant code are 0
    if varying.any():
        lasso = Lasso(alpha=LASSO_PENALTY, fit_intercept=False, random_state=0)
        R[:, varying] = np.abs(np.atleast_2d(lasso.fit(codes, other_codes[:, varying]).coef_)).T
    return R


def _agreement(R, active, other_active, flavor):
    """Return the agreement UDR of two models, from the similarity R of their codes.

    disentanglement_lib takes the maxima over active codes only; the paper takes them over all.
    """
    if flavor is None:
        rows, columns = _peaks(R)[active], _peaks(R.T)[other_active]
        return (rows.sum() + columns.sum()) / max(len(rows) + len(columns), 1)
    if not (active.any() and other_active.any()):
        return 0.0
    R = R[np.ix_(active, other_active)]
    return 0.5 * (_peaks(R).mean() + _peaks(R.T).mean())


def _peaks(R):
    """Return each row's largest entry times its share of the row's sum; 0 for a row of zeros."""
    largest, total = R.max(axis=1), R.sum(axis=1)
    return np.divide(largest**2, total, out=np.zeros_like(total), where=total > 0)
