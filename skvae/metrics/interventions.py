"""Scores of how codes react when one factor is fixed, from the papers on beta-VAE and FactorVAE."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state

from skvae._typing import Depends, Seed
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.metrics.details import DetailedScore
from skvae.metrics.factors import active_codes, check_factors, check_stds
from skvae.metrics.prediction import SOLVER_ITERATIONS

__all__ = ["beta_vae_score", "factor_vae_score"]

ROWS_AT_ONCE = 2**17  # rows drawn at once, which limits the memory
LEAST_STD = 0.05  # a code with a smaller standard deviation is unused, as in disentanglement_lib


def beta_vae_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    n_pairs: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    flavor: str | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return how well code differences of row pairs reveal which factor the two rows share.

    A point is made from one random factor k and ``n_pairs`` random pairs of rows; the two rows of a
    pair have the same level of factor k. A linear classifier must predict k from the features of
    the point,

    .. math:: \frac{1}{L} \sum_{l=1}^{L} | z_{l1} - z_{l2} |

    in units of each code's standard deviation. The score is its accuracy on new points.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. Each distinct value of a column is one level. A column needs at
        least twice as many rows as levels. Pairs are drawn among these rows only.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    n_pairs : int, default=64
        Number of pairs of rows for one point, L in the formula.
    n_train, n_test : int, default=10_000, 5_000
        Number of points for training the classifier, and for computing the score.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" keeps the codes in their own units, so that their scale changes the
        effect of the penalty in the logistic regression.
    details : bool, default=False
        If True, return the score together with its parts.
    random_state : int, RandomState instance or None, default=None
        Controls the random factors and pairs.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1; guessing gives 1/F. The order, sign and scale of the codes do not change it, up
        to the tolerance of the classifier. With ``details``, the entries are

        - "score": the float
        - "per_factor": the accuracy on the points of each factor, ndarray of shape (n_factors,);
          NaN for a factor without points

    Raises
    ------
    ValueError
        If there is only one factor; if a factor has only one level, or more than one level for
        every two rows; if the shapes do not match.

    Notes
    -----
    The score does not notice if the codes miss exactly one factor. For each of the other F - 1
    factors, a feature drops to 0; if no feature drops, the classifier concludes that it is the
    missing factor. Perfect codes and codes without one factor therefore both score 1.

    References
    ----------
    Higgins et al. (2017), beta-VAE: learning basic visual concepts with a constrained variational
    framework, section 3. The classifier is scikit-learn's multinomial logistic regression with its
    default parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import beta_vae_score
    >>> factors = np.indices((3, 4, 5)).reshape(3, -1).T
    >>> beta_vae_score(factors, factors, n_train=200, n_test=100, random_state=0)
    1.0
    >>> beta_vae_score(factors, factors[:, :2], n_train=200, n_test=100, random_state=0)
    1.0
    """
    name = "beta_vae_score"
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    for parameter, value in (("n_pairs", n_pairs), ("n_train", n_train), ("n_test", n_test)):
        check_integer(parameter, value, name)
    factors, codes = check_factors(factors, codes, name, least=2)
    if flavor is None:
        codes = codes / _units(codes)
    rng = check_random_state(random_state)
    siblings = _Siblings(factors)
    classifier = LogisticRegression(max_iter=SOLVER_ITERATIONS)
    classifier.fit(*_differences(siblings, codes, n_train, n_pairs, rng))
    differences, held = _differences(siblings, codes, n_test, n_pairs, rng)
    right = classifier.predict(differences) == held
    score = float(right.mean())
    if not details:
        return score
    return DetailedScore(score=score, per_factor=_mean_by(held, right, len(factors.sizes)))


def factor_vae_score(
    factors: ArrayLike,
    codes: ArrayLike,
    *,
    stds: ArrayLike | None = None,
    batch_size: int = 64,
    n_train: int = 10_000,
    n_test: int = 5_000,
    flavor: str | None = None,
    details: bool = False,
    random_state: Seed = None,
) -> Depends:
    r"""Return how well the code with the smallest variance reveals which factor is fixed.

    A vote is made from one random factor k, one random level of it, and ``batch_size`` random rows
    with that level. It goes to the code whose variance over these rows is smallest, relative to its
    variance over all rows:

    .. math:: j^* = \arg\min_j Var_l(z_{lj}) / Var(z_j)

    Each code predicts the factor for which it has the most training votes. The score is the share
    of new votes that are predicted correctly.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two. Each distinct value of a column is one level. A column needs at
        least twice as many rows as levels. Batches are drawn among these rows only.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors. If given, collapsed codes get no votes. Without them,
        only constant codes get none.
    batch_size : int, default=64
        Number of rows for one vote, at least two.
    n_train, n_test : int, default=10_000, 5_000
        Number of votes for learning which factor a code predicts, and for computing the score.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" uses the codes whose standard deviation is at least 0.05.
    details : bool, default=False
        If True, return the score together with its parts.
    random_state : int, RandomState instance or None, default=None
        Controls the random factors and rows.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1; random codes have about 1/F, and it is 0 if no code may get votes. The order,
        sign and scale of the codes do not change it. With ``details``, the entries are

        - "score": the float
        - "per_factor": the share of each factor's votes predicted correctly, ndarray of shape
          (n_factors,); NaN for a factor without votes
        - "votes": the training votes, ndarray of shape (n_components, n_factors), integers

    Raises
    ------
    ValueError
        If there is only one factor; if a factor has only one level, or more than one level for
        every two rows; if the shapes do not match.

    Notes
    -----
    The score hardly notices if the codes miss one factor while other codes are pure noise: when
    that factor is fixed, a noise code often varies least, and then predicts this factor.

    References
    ----------
    Kim & Mnih (2018), Disentangling by factorising, section 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import factor_vae_score
    >>> factors = np.indices((3, 4, 5)).reshape(3, -1).T
    >>> factor_vae_score(factors, factors, n_train=200, n_test=100, random_state=0)
    1.0
    """
    name = "factor_vae_score"
    check_argument("flavor", flavor, [*one_of("disentanglement_lib"), None], name)
    check_integer("batch_size", batch_size, name, least=2)
    for parameter, value in (("n_train", n_train), ("n_test", n_test)):
        check_integer(parameter, value, name)
    factors, codes = check_factors(factors, codes, name, least=2)
    stds = None if stds is None else check_stds(stds, codes, name)
    n_factors = len(factors.sizes)
    rng = check_random_state(random_state)
    active = active_codes(codes, stds) if flavor is None else codes.std(axis=0) >= LEAST_STD
    votes = np.zeros((codes.shape[1], n_factors), dtype=np.intp)
    per_factor, score = np.zeros(n_factors), 0.0
    if active.any():
        siblings, units = _Siblings(factors), _units(codes)
        steadiest, held = _votes(siblings, codes / units, active, n_train, batch_size, rng)
        np.add.at(votes, (steadiest, held), 1)
        steadiest, held = _votes(siblings, codes / units, active, n_test, batch_size, rng)
        right = votes.argmax(axis=1)[steadiest] == held
        per_factor, score = _mean_by(held, right, n_factors), float(right.mean())
    return DetailedScore(score=score, per_factor=per_factor, votes=votes) if details else score


class _Siblings:
    """Draw rows that share the level of a factor.

    The rows are sorted by level. Rows of the same level are then neighbours, so that one look-up
    finds a random row with the same level.
    """

    def __init__(self, factors):
        self.levels = factors.levels
        self.order = np.argsort(factors.levels, axis=0, kind="stable").T
        self.counts = [np.bincount(column) for column in factors.levels.T]
        self.firsts = [np.cumsum(counts) - counts for counts in self.counts]

    def draw(self, factor, rows, rng):
        """Return for each row a random row of the same level, which may be the row itself."""
        levels = self.levels[rows, factor]
        place = rng.random_sample(rows.shape) * self.counts[factor][levels]
        return self.order[factor][self.firsts[factor][levels] + place.astype(np.intp)]


def _points(siblings, n_points, n_each, rng, feature):
    """Return the features of all points, computed in chunks by factor, and the points' factors."""
    n_factors = siblings.levels.shape[1]
    held = rng.randint(n_factors, size=n_points)
    features, at_once = [], max(1, ROWS_AT_ONCE // n_each)
    for factor, count in enumerate(np.bincount(held, minlength=n_factors)):
        for begin in range(0, count, at_once):
            features.append(feature(factor, min(at_once, count - begin)))
    return np.concatenate(features), np.sort(held)


def _differences(siblings, codes, n_points, n_pairs, rng):
    """Return the features of the points, (n_points, n_components), and the shared factors."""

    def feature(factor, count):
        rows = rng.randint(len(codes), size=(count, n_pairs))
        others = siblings.draw(factor, rows, rng)
        return np.abs(codes[rows] - codes[others]).mean(axis=1)

    return _points(siblings, n_points, n_pairs, rng, feature)


def _votes(siblings, codes, active, n_votes, batch_size, rng):
    """Return for each batch the code that varies least, and the fixed factor."""
    places = np.flatnonzero(active)
    codes = codes[:, places]

    def feature(factor, count):
        first = rng.randint(len(codes), size=(count, 1))
        rows = siblings.draw(factor, np.broadcast_to(first, (count, batch_size)), rng)
        return places[codes[rows].var(axis=1).argmin(axis=1)]

    return _points(siblings, n_votes, batch_size, rng, feature)


def _units(codes):
    """Return the standard deviations of the codes, and 1 for constant codes."""
    return np.where(active_codes(codes), codes.std(axis=0), 1.0)


def _mean_by(groups, values, n_groups):
    """Return the mean of the values in each group, and NaN for an empty group."""
    counts = np.bincount(groups, minlength=n_groups)
    sums = np.bincount(groups, weights=values, minlength=n_groups)
    return np.divide(sums, counts, out=np.full(n_groups, np.nan), where=counts > 0)
