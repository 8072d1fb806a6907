"""How the rows are divided between the models of a detector."""

import numpy as np

__all__ = ["draw_bags"]

QUARTERS = 4
# Which quarters form a half. There are three ways, and any two quarters are together in one way.
HALVES = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]])


def draw_bags(n_samples, n_estimators, max_samples, rng):
    """Draw the rows for each model so that every row is left out by at least one model in three.

    The rows, together with one imaginary row for a new observation, are divided at random into four
    quarters. There are three ways to join four quarters into two halves. For each way, one model is
    fitted to the half without the imaginary row. A row in the same quarter as the imaginary row is
    left out by all three models. Any other row is left out by exactly one. The next three models
    use new random quarters.

    The imaginary row has no special place. Therefore a new row and a training row are exchangeable
    under the models that were fitted without both of them. The proof of [1]_ needs this, and
    achieves it with a random number of models.

    Parameters
    ----------
    n_samples : int
        At least three; with one model, at least one.
    n_estimators : int
        Number of models: at least three, or one, which is fitted to all rows.
    max_samples : int
        Maximum number of rows of one model. They are drawn from its half.
    rng : RandomState
        Source of all random draws.

    Returns
    -------
    list of ndarray of int
        For each model its row numbers, in increasing order.

    References
    ----------
    .. [1] B. Kim, C. Xu and R. Barber (2020), Predictive inference is free with the
       jackknife+-after-bootstrap, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.bags import draw_bags
    >>> bags = draw_bags(7, 3, 100, np.random.RandomState(0))
    >>> [len(bag) for bag in bags]
    [4, 4, 4]
    >>> np.bincount(np.concatenate(bags), minlength=7)  # one of seven is left out by all
    array([2, 2, 2, 2, 2, 0, 2])
    """
    if n_estimators == 1:
        halves = [np.arange(n_samples)]
    else:
        halves = []
        while len(halves) < n_estimators:
            *quarters, unknown = rng.permutation(n_samples + 1) % QUARTERS
            sides = HALVES[:, quarters] != HALVES[:, [unknown]]
            halves += [np.flatnonzero(side) for side in sides]
    return [_at_most(half, max_samples, rng) for half in halves[:n_estimators]]


def _at_most(rows, max_samples, rng):
    if len(rows) <= max_samples:
        return rows
    return np.sort(rng.choice(rows, max_samples, replace=False))
