"""DCI: disentanglement, completeness and informativeness, from the importances of the codes."""

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

FEWEST_ROWS = 6  # a third, two rows, is held out, and R^2 needs two rows


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

    Let :math:`R_{jk}` be the importance of code j for predicting factor k. Then

    .. math::

        D &= \sum_j \rho_j (1 - H_F(R_{j\cdot})), \quad
             \rho_j = \sum_k R_{jk} / \sum_{jk} R_{jk} \\
        C &= \frac{1}{F} \sum_k (1 - H_D(R_{\cdot k})) \\
        I &= \frac{1}{F} \sum_k \max(R^2_k, 0)

    where :math:`H_n(R)` is the entropy, with logarithms to the base n, of n importances divided by
    their sum. Disentanglement asks whether each code is important for only one factor.
    Completeness asks whether only one code is important for each factor. Informativeness asks how
    well the codes predict the factors.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. Columns must be numeric unless they are listed in ``nominal``.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    part : {"disentanglement", "completeness", "informativeness"}, default="disentanglement"
        Which of the three values to return as the score.
    nominal : sequence of int, default=None
        Columns of the factors whose levels have no order, such as a shape. Each level needs at
        least two rows. The computing time is proportional to the number of levels.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" computes the score as that library does: every factor is nominal,
        informativeness is the accuracy, and completeness is weighted by the importance of the
        factors. On the factors of dSprites this takes minutes instead of seconds.
    details : bool, default=False
        If True, return the score together with its parts.
    random_state : int, RandomState instance or None, default=None
        Controls which third of the rows is held out, and how ties between codes are broken.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. A code or a factor whose importances are all 0 has the value 0. If there is
        only one code, completeness is 1. With ``details``, the entries are

        - "score": the float
        - "disentanglement", "completeness", "informativeness": the three values, floats
        - "per_code": the disentanglement of each code, ndarray of shape (n_components,)
        - "code_weights": :math:`\rho`, ndarray of shape (n_components,)
        - "completeness_per_factor", "informativeness_per_factor": ndarray of shape (n_factors,)
        - "importances": R, ndarray of shape (n_components, n_factors); the sum of a column is 1, or
          0 where no code is important

    Raises
    ------
    ValueError
        If there is only one factor, or fewer than six rows; if a factor has only one level; if a
        level of a nominal factor has only one row; if a factor that is not nominal is not numeric;
        if the shapes do not match.

    Notes
    -----
    The values depend on the regressor. Here it is gradient boosting on standardised codes, with
    scikit-learn's defaults: 100 trees of depth 3. The importance of a code is its share of the
    decrease in squared error. A random forest that tries only some of the codes at each split, as
    scikit-learn's classifier does by default, also gives importance to codes without information,
    so that perfect codes score below 1. The scale and offset of a code, and of an ordered factor,
    do not change the values. Order and sign change them a little, because they decide ties between
    splits.

    A factor that the codes do not predict still has importances. They describe trees fitted to
    noise, and they count as much as those of other factors. Look at its informativeness to see
    this.

    A nominal factor is predicted by a gradient boosting classifier in which every level has the
    same total weight. In place of :math:`R^2` it has the balanced accuracy, rescaled so that
    guessing gives 0.

    References
    ----------
    Eastwood & Williams (2018), A framework for the quantitative evaluation of disentangled
    representations, ICLR (their informativeness is the prediction error). Locatello et al. (2019),
    Challenging common assumptions in the unsupervised learning of disentangled representations
    (for gradient boosting as the regressor).

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
    """Return R, (n_codes, n_factors), and the informativeness of each factor, (n_factors,)."""
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
        # A split that gains nothing can have a slightly negative importance, by rounding.
        importances[:, place] = np.maximum(model.feature_importances_, 0.0)
        informativeness[place] = max(quality, 0.0)
    return importances, informativeness


def _regressed(codes, values, learned, scored, rng):
    """Return a fitted regressor, and its coefficient of determination on the held-out rows."""
    model = GradientBoostingRegressor(random_state=rng.randint(LARGEST_SEED))
    model.fit(codes[learned], values[learned])
    return model, r2_score(values[scored], model.predict(codes[scored]))


def _classified(codes, levels, learned, scored, balanced, rng):
    """Return a fitted classifier, and its accuracy on the held-out rows."""
    model = GradientBoostingClassifier(random_state=rng.randint(LARGEST_SEED))
    weights = compute_sample_weight("balanced", levels[learned]) if balanced else None
    model.fit(codes[learned], levels[learned], sample_weight=weights)
    predicted = model.predict(codes[scored])
    if balanced:
        return model, balanced_accuracy_score(levels[scored], predicted, adjusted=True)
    return model, accuracy_score(levels[scored], predicted)


def _disentanglement(importances):
    """Return the disentanglement and the weight of each code; importances: (codes, factors)."""
    return _concentration(importances, axis=1), _shares(importances.sum(axis=1), axis=0)


def _concentration(importances, axis):
    """Return 1 minus the entropy of the shares along an axis, in base of the axis length.

    The result is 1 where one entry has everything. It is 0 where all entries are equal, or all 0.
    """
    shares = _shares(importances, axis)
    entropy = -xlogy(shares, shares).sum(axis=axis)
    concentration = 1 - entropy / np.log(max(importances.shape[axis], 2))
    return np.where(shares.any(axis=axis), np.maximum(concentration, 0.0), 0.0)


def _shares(importances, axis):
    """Return importances divided by their sum along an axis, or 0 where that sum is 0."""
    total = importances.sum(axis=axis, keepdims=True)
    return np.divide(importances, total, out=np.zeros_like(importances), where=total > 0)
