"""What codes do when one factor is held: the scores of the beta-VAE's and FactorVAE's authors."""

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

ROWS_AT_ONCE = 2**17  # drawn, so that memory is bounded
LEAST_STD = 0.05  # of a code in use, in disentanglement_lib's configuration


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
    r"""Return how often the factor that pairs share is told from their codes' differences.

    A point has a random factor k, and ``n_pairs`` pairs of random rows, the two rows of a pair
    equal in factor k. Its features, from which a linear classifier is to tell k, are

    .. math:: \frac{1}{L} \sum_{l=1}^{L} | z_{l1} - z_{l2} |

    in units of each code's standard deviation. The score is the accuracy on further points.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two; every different value of a column is a level, so values
        must recur. The rows stand for all there are: pairs are drawn among them.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    n_pairs : int, default=64
        L.
    n_train, n_test : int, default=10_000, 5_000
        Points to learn from, and to score on.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" leaves the codes in their own units, which the penalty of the
        logistic regression then feels.
    details : bool, default=False
        Return the score with its parts.
    random_state : int, RandomState instance or None, default=None
        Of the factors, the pairs, and so the points.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1, with 1/F by chance. Invariant to the order, sign and scale of codes, up to the
        classifier's tolerance. With ``details``

        - "score": the float
        - "per_factor": the accuracy on the points of each factor, ndarray of shape (n_factors,),
          NaN for one that none held

    Raises
    ------
    ValueError
        If there is one factor alone; if a factor has one level, or levels that do not recur; if
        the shapes do not fit.

    Notes
    -----
    It does not see a factor that no code holds: F - 1 of them have features that fall to 0, and
    none falling tells of the last. A perfect code and one without a factor both have 1.

    References
    ----------
    Higgins et al. (2017), beta-VAE: learning basic visual concepts with a constrained variational
    framework, section 3. The classifier is multinomial logistic regression at scikit-learn's
    defaults.

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
    r"""Return how often the factor that is held is told from the code that varies least.

    A vote has a random factor k at a random level, ``batch_size`` random rows that have it, and
    the code of the least variance among them, relative to that over all rows:

    .. math:: j^* = \arg\min_j Var_l(z_{lj}) / Var(z_j)

    Each code stands for the factor that it has most votes of. The score is the share of
    further votes that the codes so tell.

    Parameters
    ----------
    factors : array-like of shape (n_samples, n_factors)
        Known factors, at least two; every different value of a column is a level, so values
        must recur. The rows stand for all there are: batches are drawn among them.
    codes : array-like of shape (n_samples, n_components)
        Codes of the same rows, such as ``transform`` returns.
    stds : array-like of shape (n_samples, n_components), default=None
        Standard deviations of the posteriors: codes that collapsed have no vote then. Without
        them, constant codes alone have none.
    batch_size : int, default=64
        Rows of a vote, at least two.
    n_train, n_test : int, default=10_000, 5_000
        Votes to learn from, and to score on.
    flavor : {"disentanglement_lib"}, default=None
        "disentanglement_lib" takes a code's vote if its standard deviation is 0.05 or more.
    details : bool, default=False
        Return the score with its parts.
    random_state : int, RandomState instance or None, default=None
        Of the factors, the rows, and so the votes.

    Returns
    -------
    float, or DetailedScore
        From 0 to 1, with about 1/F by chance, and 0 where no code has a vote. Invariant to the
        order, sign and scale of codes. With ``details``

        - "score": the float
        - "per_factor": the share told of each factor's votes, ndarray of shape (n_factors,),
          NaN for one without any
        - "votes": those learned from, ndarray of shape (n_components, n_factors), integers

    Raises
    ------
    ValueError
        If there is one factor alone; if a factor has one level, or levels that do not recur; if
        the shapes do not fit.

    Notes
    -----
    It hardly sees a factor that no code holds while there are codes of noise: these vary
    least when that factor is held, and so come to stand for it.

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
    """Draws rows that share a factor's level.

    The rows of each level stand together in an order by level, so a random sibling of a row
    is one look-up away.
    """

    def __init__(self, factors):
        self.levels = factors.levels
        self.order = np.argsort(factors.levels, axis=0, kind="stable").T
        self.counts = [np.bincount(column) for column in factors.levels.T]
        self.firsts = [np.cumsum(counts) - counts for counts in self.counts]

    def draw(self, factor, rows, rng):
        """Return for each of the rows another of its level, or itself, each equally likely."""
        levels = self.levels[rows, factor]
        place = rng.random_sample(rows.shape) * self.counts[factor][levels]
        return self.order[factor][self.firsts[factor][levels] + place.astype(np.intp)]


def _points(siblings, n_points, n_each, rng, feature):
    """Return feature(factor, n) of n points of each factor, in chunks, and their factors."""
    n_factors = siblings.levels.shape[1]
    held = rng.randint(n_factors, size=n_points)
    features, at_once = [], max(1, ROWS_AT_ONCE // n_each)
    for factor, count in enumerate(np.bincount(held, minlength=n_factors)):
        for begin in range(0, count, at_once):
            features.append(feature(factor, min(at_once, count - begin)))
    return np.concatenate(features), np.sort(held)


def _differences(siblings, codes, n_points, n_pairs, rng):
    """Return the features of points, (n_points, n_components), and the factors held."""

    def feature(factor, count):
        rows = rng.randint(len(codes), size=(count, n_pairs))
        others = siblings.draw(factor, rows, rng)
        return np.abs(codes[rows] - codes[others]).mean(axis=1)

    return _points(siblings, n_points, n_pairs, rng, feature)


def _votes(siblings, codes, active, n_votes, batch_size, rng):
    """Return the code that varies least in each batch, and the factors held."""
    places = np.flatnonzero(active)
    codes = codes[:, places]

    def feature(factor, count):
        first = rng.randint(len(codes), size=(count, 1))
        rows = siblings.draw(factor, np.broadcast_to(first, (count, batch_size)), rng)
        return places[codes[rows].var(axis=1).argmin(axis=1)]

    return _points(siblings, n_votes, batch_size, rng, feature)


def _units(codes):
    """Return the standard deviations, 1 for constant codes."""
    return np.where(active_codes(codes), codes.std(axis=0), 1.0)


def _mean_by(groups, values, n_groups):
    """Return the mean of the values in each group; NaN for one without any."""
    counts = np.bincount(groups, minlength=n_groups)
    sums = np.bincount(groups, weights=values, minlength=n_groups)
    return np.divide(sums, counts, out=np.full(n_groups, np.nan), where=counts > 0)
