"""Whether several models found the same codes: the unsupervised disentanglement ranking."""

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
    r"""Return how far models agree on their codes (UDR), which needs no factors.

    Let :math:`R_{ab}` be how alike code a of model i and code b of model j are, over the same
    rows. With :math:`r_a, r_b` the largest of row a and of column b, two models agree by

    .. math:: UDR_{ij} = \frac{1}{d_i + d_j} \Big( \sum_b \frac{r_b^2}{\sum_a R_{ab}} +
              \sum_a \frac{r_a^2}{\sum_b R_{ab}} \Big)

    where :math:`d_i, d_j` count the active codes, which alone enter the outer sums. A model's score
    is the median over the others; the result is the mean over models. It is 1 where the
    codes of any two are the same, but for order, sign and scale.

    Parameters
    ----------
    codes_list : sequence of array-likes of shape (n_samples, n_components)
        Codes of the same rows by at least two models, say fits from different seeds, each
        with its own n_components.
    stds_list : sequence of array-likes, default=None
        Standard deviations of the posteriors, each of its codes' shape: codes that collapsed are
        then inactive. Without them, constant codes alone are.
    method : {"spearman", "lasso"}, default="spearman"
        R is the absolute rank correlation, or the absolute coefficients of one model's
        standardised codes in a lasso of penalty 0.1 that predicts the other's. The lasso
        shrinks: of independent codes that are the same it makes 0.9.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" halves the sum of the two means, so that the model with fewer
        active codes has as much weight, and leaves collapsed codes out of the inner sums and the
        maxima too.
    details : bool, default=False
        Return the score with its parts.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1, and 0 where nothing is active; for the lasso 0.9 where codes are the same, and
        above 1 at most where those of one model are so dependent that coefficients exceed 1.
        Invariant to the order, sign and scale of codes. With ``details``

        - "score": the float
        - "per_model": the medians, ndarray of shape (n_models,)
        - "agreement": :math:`UDR_{ij}`, ndarray of shape (n_models, n_models), NaN on the
          diagonal; symmetric for "spearman"
        - "n_active": numbers of active codes, ndarray of shape (n_models,)

    Raises
    ------
    ValueError
        If there are fewer than two models, or their codes are not of the same number of rows.

    Notes
    -----
    A high value says that other seeds find the same codes, not that these are anyone's factors.

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
    """Return the stds of each model, or None for each."""
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
    varying = other_codes.any(axis=0)  # of a constant code all coefficients are 0
    if varying.any():
        lasso = Lasso(alpha=LASSO_PENALTY, fit_intercept=False, random_state=0)
        R[:, varying] = np.abs(np.atleast_2d(lasso.fit(codes, other_codes[:, varying]).coef_)).T
    return R


def _agreement(R, active, other_active, flavor):
    """Return UDR of two models, given the likeness R of their codes.

    The library looks for the peaks among active codes alone, the paper among all.
    """
    if flavor is None:
        rows, columns = _peaks(R)[active], _peaks(R.T)[other_active]
        return (rows.sum() + columns.sum()) / max(len(rows) + len(columns), 1)
    if not (active.any() and other_active.any()):
        return 0.0
    R = R[np.ix_(active, other_active)]
    return 0.5 * (_peaks(R).mean() + _peaks(R.T).mean())


def _peaks(R):
    """Return the largest entry of each row, times its share of the row; 0 for a row of zeros."""
    largest, total = R.max(axis=1), R.sum(axis=1)
    return np.divide(largest**2, total, out=np.zeros_like(total), where=total > 0)
