"""Disentanglement, completeness and informativeness, of the importances of codes to factors."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight

from skvae._typing import Depends, Integers, Seed
from skvae.base.hyperparameters import check_argument, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import check_factors
from skvae.metrics.prediction import LARGEST_SEED, split_levels, split_rows, standardised

__all__ = ["DCI_PARTS", "dci_score"]

DCI_PARTS = ("disentanglement", "completeness", "informativeness")

FEWEST_ROWS = 6  # two of them held out, which a coefficient of determination needs


def dci_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    part: str = "disentanglement",
    nominal: Integers | None = None,
    flavor: str | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return the disentanglement, completeness or informativeness (DCI) of codes.

    With :math:`R_{jk}` the importance of code j to the prediction of factor k,

    .. math::

        D &= \sum_j \rho_j (1 - H_F(R_{j\cdot})), \quad
             \rho_j = \sum_k R_{jk} / \sum_{jk} R_{jk} \\
        C &= \frac{1}{F} \sum_k (1 - H_D(R_{\cdot k})) \\
        I &= \frac{1}{F} \sum_k \max(R^2_k, 0)

    where :math:`H_n` is the entropy, to the base n, of n importances over their sum.
    Disentanglement: is each code important to one factor alone? Completeness: to each factor,
    is one code alone important? Informativeness: how well are the factors predicted?

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two: numbers, unless nominal.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    part : {"disentanglement", "completeness", "informativeness"}, default="disentanglement"
        Which of the three is the score.
    nominal : sequence of int, default=None
        Columns of the factors whose levels have no order, such as a shape. Each level needs two
        rows or more, and the time is in proportion to the number of levels.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" takes every factor for nominal, has informativeness be the
        accuracy, and weighs completeness by the factors' importance. Minutes, not
        seconds, on the factors of dSprites.
    details : bool, default=False
        Return the score with its parts.
    random_state : int, RandomState instance or None, default=None
        Of the rows held out, a third of them, and of ties between codes.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. Codes and factors without any importance have 0, and a single code a
        completeness of 1. With ``details``

        - "score": the float
        - "disentanglement", "completeness", "informativeness": the three, floats
        - "per_code": the disentanglement of each code, ndarray of shape (n_components,)
        - "code_weights": :math:`\rho`, ndarray of shape (n_components,)
        - "completeness_per_factor", "informativeness_per_factor": ndarray of shape (n_factors,)
        - "importances": R, ndarray of shape (n_components, n_factors); a column sums to 1, or 0

    Raises
    ------
    ValueError
        If there is one factor alone, or fewer than six rows; if a factor has one level, or is
        nominal with a level in one row alone; if an ordered one is not of numbers; if the shapes
        do not fit.

    Notes
    -----
    The values depend on the regressor. It is gradient boosting of 100 trees of depth 3,
    scikit-learn's defaults, on standardised codes, and the importance is the share of the decrease
    of the squared error. A random forest that tries some codes at each split, as its
    classifier's default has it, gives importance to codes that tell nothing: perfect codes do not
    have 1. Scale and offset of a code, and of an ordered factor, do not matter;
    order and sign do a little, as trees break ties by them.

    The importances of a factor that the codes do not tell count like any other's: they are those of
    what the trees made of the noise. Its informativeness shows it.

    A nominal factor has a gradient boosting classifier, its levels weighted to count alike, and in
    place of :math:`R^2` the balanced accuracy, rescaled to 0 where it is that of chance.

    References
    ----------
    Eastwood & Williams (2018), A framework for the quantitative evaluation of disentangled
    representations, ICLR; informativeness there is the error. Locatello et al. (2019),
    Challenging common assumptions in the unsupervised learning of disentangled representations,
    for the boosting.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import dci_score
    >>> factors = np.indices((3, 4, 5)).reshape(3, -1).T
    >>> round(dci_score(factors, factors[:, [2, 0, 1]], random_state=0), 6)
    1.0
    >>> both = factors[:, [0]] + 3 * factors[:, [1]]  # one code for the first two factors
    >>> codes = np.hstack([both, factors[:, [2]]])
    >>> details = dci_score(factors, codes, details=True, random_state=0)
    >>> details.completeness_per_factor.round(1)
    array([1., 1., 1.])
    """
    name = "dci_score"
    check_argument("part", part, one_of(*DCI_PARTS), name)
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    factors, codes = check_factors(
        factors, codes, name, nominal=nominal, least=2, ordered=flavor is None
    )
    if len(codes) < FEWEST_ROWS:
        raise ValueError(
            f"{name} needs at least {FEWEST_ROWS} rows, a third of which is held out. Got "
            f"{len(codes)} instead. Give more rows."
        )
    importances, informativeness = _importances(
        factors, standardised(codes), name, flavor, check_random_state(random_state)
    )
    per_code, weights = _disentanglement(importances)
    per_factor = _concentration(importances, axis=0)
    factor_weights = None if flavor is None else _shares(importances.sum(axis=0), axis=0)
    three = {
        "disentanglement": float(weights @ per_code),
        "completeness": float(
            per_factor.mean() if factor_weights is None else factor_weights @ per_factor
        ),
        "informativeness": float(informativeness.mean()),
    }
    if not details:
        return three[part]
    return DetailedScore(
        score=three[part],
        **three,
        per_code=per_code,
        code_weights=weights,
        completeness_per_factor=per_factor,
        informativeness_per_factor=informativeness,
        importances=importances,
    )


def _importances(factors, codes, name, flavor, rng):
    """Return R, (n_codes, n_factors), and how well each factor is predicted, (n_factors,)."""
    values = standardised(factors.values)
    importances = np.empty((codes.shape[1], len(factors.sizes)))
    informativeness = np.empty(len(factors.sizes))
    for place, nominal_one in enumerate(factors.nominal):
        if nominal_one or flavor is not None:
            levels, balanced = factors.levels[:, place], flavor is None
            rows = split_levels(levels, place, name, rng)
            model, quality = _classified(codes, levels, *rows, balanced, rng)
        else:
            model, quality = _regressed(codes, values[:, place], *split_rows(len(codes), rng), rng)
        # A split that gains nothing can count as a loss of the order of rounding.
        importances[:, place] = np.maximum(model.feature_importances_, 0.0)
        informativeness[place] = max(quality, 0.0)
    return importances, informativeness


def _regressed(codes, values, learned, scored, rng):
    """Return a regressor fitted, and its coefficient of determination on rows held out."""
    model = GradientBoostingRegressor(random_state=rng.randint(LARGEST_SEED))
    model.fit(codes[learned], values[learned])
    return model, r2_score(values[scored], model.predict(codes[scored]))


def _classified(codes, levels, learned, scored, balanced, rng):
    """Return a classifier fitted, and its accuracy on rows held out."""
    model = GradientBoostingClassifier(random_state=rng.randint(LARGEST_SEED))
    weights = compute_sample_weight("balanced", levels[learned]) if balanced else None
    model.fit(codes[learned], levels[learned], sample_weight=weights)
    predicted = model.predict(codes[scored])
    if balanced:
        return model, balanced_accuracy_score(levels[scored], predicted, adjusted=True)
    return model, accuracy_score(levels[scored], predicted)


def _disentanglement(importances):
    """Return that of each code of (n_components, n_factors) importances, and its weight."""
    return _concentration(importances, axis=1), _shares(importances.sum(axis=1), axis=0)


def _concentration(importances, axis):
    """Return 1 less the entropy of the shares along an axis, to the base of their number.

    1 where one has all, 0 where all have the same or none has any.
    """
    shares = _shares(importances, axis)
    entropy = -xlogy(shares, shares).sum(axis=axis)
    concentration = 1 - entropy / np.log(max(importances.shape[axis], 2))
    return np.where(shares.any(axis=axis), np.maximum(concentration, 0.0), 0.0)


def _shares(importances, axis):
    """Return importances over their sum along an axis, 0 where it is."""
    total = importances.sum(axis=axis, keepdims=True)
    return np.divide(importances, total, out=np.zeros_like(importances), where=total > 0)
