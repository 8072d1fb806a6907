"""The parts of the rows that the models of a detector are fitted to."""

import numpy as np

__all__ = ["draw_bags"]

QUARTERS = 4
# Which quarters are together in a half: three ways to divide, and any two quarters together once.
HALVES = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0]])


def draw_bags(n_samples, n_estimators, max_samples, rng):
    """Draw the rows for each of some models, so that every row is left out by one of three.

    The rows, and one more that is not known yet, are divided at random into quarters, and these
    in the three ways that there are into halves. One model for each way is fitted to the half
    without the unknown row. A row in the quarter of that one is left out by all three, any other
    by exactly one. Three more models begin with new quarters.

    Because the unknown row has no place of its own, a new row and a fitted one are exchangeable
    under the models that were fitted without either: what the proof of [1]_ asks for, there by a
    random number of models.

    Parameters
    ----------
    n_samples : int
        At least three, or at least one where there is one model.
    n_estimators : int
        How many models: three or more, or one, which is fitted to all rows.
    max_samples : int
        Rows of one model at most; drawn from its half.
    rng : RandomState
        Draws all.

    Returns
    -------
    list of ndarray of int
        Row numbers, ascending, for each model.

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
