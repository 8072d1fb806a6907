"""Whether one code alone predicts each factor: the separated attribute predictability."""

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
    r"""Return the separated attribute predictability (SAP): does one code alone predict a factor?

    .. math:: \frac{1}{F} \sum_k (S_{j_1 k} - S_{j_2 k}), \quad S_{jk} = Corr(z_j, v_k)^2

    with :math:`j_1, j_2` the two codes of the highest scores for factor k; the second of a single
    code tells nothing. A nominal factor's S is the balanced accuracy, on rows held out, of
    thresholds on the code, and at least 1/K, that of guessing one of its K levels.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors: numbers, unless nominal.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    nominal : sequence of int, default=None
        Columns of the factors whose levels have no order, such as a shape. Each level needs two
        rows or more.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" takes every factor for nominal, and for S the accuracy of a linear
        support vector machine with one code, which cannot single out a level between two
        others: a perfect code is far below 1.
    details : bool, default=False
        Return the score with its parts.
    random_state : int, RandomState instance or None, default=None
        Of the rows held out, a third of them, for nominal factors.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1. A nominal factor of K levels adds 1 - 1/K at most. Invariant to the order,
        sign and scale of codes. With ``details``

        - "score": the float
        - "per_factor": the differences, ndarray of shape (n_factors,), whose mean it is
        - "predictability": S, ndarray of shape (n_components, n_factors)

    Raises
    ------
    ValueError
        If a factor has one level, or is nominal with a level in one row alone; if an ordered one
        is not of numbers; if the shapes do not fit.

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
    guessed = np.where(classes, 1 / factors.sizes, 0.0)  # by no code
    most = -np.sort(-np.maximum(scores, guessed), axis=0)
    per_factor = most[0] - (most[1] if len(most) > 1 else guessed)
    score = float(per_factor.mean())
    if not details:
        return score
    return DetailedScore(score=score, per_factor=per_factor, predictability=scores)


def _squared_correlations(codes, values):
    """Return the squared correlations, 0 for a constant code."""
    codes, values = (table - table.mean(axis=0) for table in (codes, values))
    spread = np.outer(np.linalg.norm(codes, axis=0), np.linalg.norm(values, axis=0))
    return np.divide(codes.T @ values, spread, out=np.zeros_like(spread), where=spread > 0) ** 2


def _threshold_accuracies(codes, levels, place, rng):
    """Return the balanced accuracy of as many intervals of one code as there are levels."""
    codes = standardised(codes)  # trees have float32, in which an offset leaves few digits
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
    """Return the accuracy with each code alone, on rows held out."""
    learned, scored = split_levels(levels, place, "sap_score", rng)
    predicted = (
        classifier.fit(code[learned, None], levels[learned]).predict(code[scored, None])
        for code in codes.T
    )
    return [accuracy(levels[scored], prediction) for prediction in predicted]
