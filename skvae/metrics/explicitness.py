"""Whether a linear classifier tells the factors' levels from the codes."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skvae._typing import Depends, Seed
from skvae.base.hyperparameters import check_argument, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import check_factors
from skvae.metrics.prediction import SOLVER_ITERATIONS, linear_probabilities, split_levels

__all__ = ["explicitness_score"]


def explicitness_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    flavor: str | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return the explicitness: do all codes together tell the levels of each factor?

    .. math:: \frac{1}{F} \sum_k \frac{1}{K_k} \sum_l
              AUC(p(v_k = l \mid z), \; v_k = l)

    with p of a multinomial logistic regression on all codes for each factor, and AUC the area
    under the ROC curve on rows held out: the probability that a row of level l has a higher p
    than a row of another level.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors; every different value of a column is a level, in two rows or more.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    flavor : {"disentanglement_lib"}, default=None
        None fits without a penalty. "disentanglement_lib" has scikit-learn's default penalty, on
        codes of variance 1, which levels that stand close do not overcome: on 5,000 rows a perfect
        code of 32 levels has 0.998, not 1.
    details : bool, default=False
        Return the score with its parts.
    random_state : int, RandomState instance or None, default=None
        Of the rows held out, a third of those of each level.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1, with 0.5 by chance. Invariant to any invertible linear map of the
        codes (for "disentanglement_lib" to their order, sign and scale), up to the solver's
        tolerance. With ``details``

        - "score": the float
        - "per_factor": ndarray of shape (n_factors,), whose mean it is
        - "per_level": list of n_factors ndarrays, of shapes (n_levels,), whose means those are

    Raises
    ------
    ValueError
        If a factor has one level, a level in one row alone, or levels that do not recur; if the
        shapes do not fit.

    References
    ----------
    Ridgeway & Mozer (2018), Learning deep disentangled embeddings with the F-statistic loss,
    NeurIPS, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import explicitness_score
    >>> factors = np.indices((3, 4, 5)).reshape(3, -1).T
    >>> mixed = factors @ [[1, 1, 0], [0, 1, 1], [1, 0, 1]]
    >>> round(explicitness_score(factors, mixed, random_state=0), 6)
    1.0
    >>> explicitness_score(factors, np.zeros((60, 1)), random_state=0)
    0.5
    """
    name = "explicitness_score"
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    factors, codes = check_factors(factors, codes, name)
    rng = check_random_state(random_state)
    probabilities = linear_probabilities if flavor is None else _penalised_probabilities
    per_level = []
    for place, levels in enumerate(factors.levels.T):
        learned, scored = split_levels(levels, place, name, rng)
        told = probabilities(codes, levels, learned, scored)
        members = np.eye(factors.sizes[place], dtype=np.intp)[levels[scored]]
        per_level.append(roc_auc_score(members, told, average=None))
    per_factor = np.array([areas.mean() for areas in per_level])
    score = float(per_factor.mean())
    if not details:
        return score
    return DetailedScore(score=score, per_factor=per_factor, per_level=per_level)


def _penalised_probabilities(codes, levels, learned, scored):
    """Return the probabilities of every level in the rows scored, as disentanglement_lib does."""
    scaler = StandardScaler().fit(codes[learned])
    classifier = LogisticRegression(max_iter=SOLVER_ITERATIONS)
    classifier.fit(scaler.transform(codes[learned]), levels[learned])
    return classifier.predict_proba(scaler.transform(codes[scored]))
