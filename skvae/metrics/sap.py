"""SAP, the separated attribute predictability: whether only one code predicts each factor."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_random_state

from skvae._typing import Depends, Integers, Seed
from skvae.base.hyperparameters import check_argument, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import check_factors
from skvae.metrics.prediction import LARGEST_SEED, split_levels, standardised

__all__ = ["sap_score"]


def sap_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    nominal: Integers | None = None,
    flavor: str | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return the separated attribute predictability (SAP): does only one code predict a factor?

    .. math:: \frac{1}{F} \sum_k (S_{j_1 k} - S_{j_2 k}), \quad S_{jk} = Corr(z_j, v_k)^2

    where :math:`j_1, j_2` are the two codes with the highest scores for factor k. If there is only
    one code, the second score is that of guessing. For a nominal factor with K levels, S is the
    balanced accuracy on held-out rows of thresholds on the code. It is at least 1/K, the accuracy
    of guessing.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors. Columns must be numeric unless they are listed in ``nominal``.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    nominal : sequence of int, default=None
        Columns of the factors whose levels have no order, such as a shape. Each level needs at
        least two rows.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" treats every factor as nominal. S is then the accuracy of a linear
        support vector machine with one code. It cannot separate a level that lies between two
        others, so that a perfect code is far below 1.
    details : bool, default=False
        If True, return the score together with its parts.
    random_state : int, RandomState instance or None, default=None
        Controls which third of the rows is held out, for nominal factors.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. A nominal factor with K levels contributes at most 1 - 1/K. The order, sign and
        scale of the codes do not change it. With ``details``, the entries are

        - "score": the float
        - "per_factor": the differences, ndarray of shape (n_factors,); the score is their mean
        - "predictability": S, ndarray of shape (n_components, n_factors)

    Raises
    ------
    ValueError
        If a factor has only one level; if a level of a nominal factor has only one row; if a factor
        that is not nominal is not numeric; if the shapes do not match.

    References
    ----------
    Kumar, Sattigeri & Balakrishnan (2018), Variational inference of disentangled latent concepts
    from unlabeled observations, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import sap_score
    >>> angle = np.pi / 12
    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    >>> round(sap_score(factors, factors @ rotation), 6)  # the cosine of twice the angle
    0.866025
    """
    name = "sap_score"
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    factors, codes = check_factors(factors, codes, name, nominal=nominal, ordered=True)
    scores = np.empty((codes.shape[1], len(factors.sizes)))
    classes = factors.nominal if flavor is None else np.ones_like(factors.nominal)
    scores[:, ~classes] = _squared_correlations(codes, factors.values[:, ~classes])
    rng = check_random_state(random_state)
    for place in np.flatnonzero(classes):
        predict = _threshold_accuracies if flavor is None else _linear_accuracies
        scores[:, place] = predict(codes, factors.levels[:, place], place, rng)
    guessed = np.where(classes, 1 / factors.sizes, 0.0)  # the score without any code
    most = -np.sort(-np.maximum(scores, guessed), axis=0)
    per_factor = most[0] - (most[1] if len(most) > 1 else guessed)
    score = float(per_factor.mean())
    if not details:
        return score
    return DetailedScore(score=score, per_factor=per_factor, predictability=scores)


def _squared_correlations(codes, values):
    """Return the squared correlations, and 0 for a constant code."""
    codes, values = (table - table.mean(axis=0) for table in (codes, values))
    spread = np.outer(np.linalg.norm(codes, axis=0), np.linalg.norm(values, axis=0))
    return np.divide(codes.T @ values, spread, out=np.zeros_like(spread), where=spread > 0) ** 2


def _threshold_accuracies(codes, levels, place, rng):
    """Return the balanced accuracy of splitting one code into as many intervals as levels."""
    codes = standardised(codes)  # trees use float32, where a large offset leaves few digits
    tree = DecisionTreeClassifier(
        max_leaf_nodes=levels.max() + 1,
        class_weight="balanced",
        random_state=rng.randint(LARGEST_SEED),
    )
    return _accuracies(tree, balanced_accuracy_score, codes, levels, place, rng)


def _linear_accuracies(codes, levels, place, rng):
    """Return the accuracy of a linear support vector machine with one code."""
    machine = LinearSVC(C=0.01, class_weight="balanced", random_state=rng.randint(LARGEST_SEED))
    return _accuracies(machine, accuracy_score, codes, levels, place, rng)


def _accuracies(classifier, accuracy, codes, levels, place, rng):
    """Return the accuracy on held-out rows with each code alone."""
    learned, scored = split_levels(levels, place, "sap_score", rng)
    predicted = (
        classifier.fit(code[learned, None], levels[learned]).predict(code[scored, None])
        for code in codes.T
    )
    return [accuracy(levels[scored], prediction) for prediction in predicted]
