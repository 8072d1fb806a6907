"""What scores of rows that a model has not seen tell of a new one: thresholds and p-values."""

import numpy as np

__all__ = ["ROUNDING", "Calibration", "fence", "mean_where", "p_values", "rounding", "threshold"]

FENCE = 3.0  # standard deviations below the median, where the scores are normal
NORMAL_QUARTILE = 0.6745  # of a standard normal variable
ROUNDING = 1e-6  # relative


def mean_where(scores, mask):
    """Return the mean of each row's scores in some places, or in all where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.calibration import mean_where
    >>> scores = np.array([[1.0, 3.0], [1.0, 3.0]])
    >>> mean_where(scores, np.array([[False, True], [False, False]]))
    array([3., 2.])
    """
    mask = np.where(mask.any(axis=1, keepdims=True), mask, True)
    return np.where(mask, scores, 0.0).sum(axis=1) / mask.sum(axis=1)


def fence(scores, width=FENCE):
    r"""Return w standard deviations below the mean of normal scores, from robust quantiles.

    .. math:: Q_2 - w (Q_2 - Q_1) / 0.6745

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.calibration import fence
    >>> round(fence(np.random.RandomState(0).standard_normal(100_000)), 1)
    -3.0
    """
    quartile, median = np.percentile(scores, [25, 50])
    return float(median - width * (median - quartile) / NORMAL_QUARTILE)


def threshold(scores, contamination):
    r"""Return what a share of new rows scores below, or for "auto" the fence below the scores.

    The share c is expected exactly of rows exchangeable with those of the m scores:
    the k-th of these from below is undercut with probability k / (m + 1), and the threshold is
    between those two next to c (m + 1). It is never below the least score.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.calibration import threshold
    >>> threshold(np.arange(1.0, 20.0), 0.125)  # 2.5 of 20
    2.5
    """
    if contamination == "auto":
        return fence(scores)
    return float(np.quantile(scores, contamination, method="weibull"))


def rounding(scores, scale):
    """Return by how much rounding may move scores: the rows scored beside decide on it."""
    size = np.abs(scores) + scale
    return np.where(np.isfinite(size), ROUNDING * size, 0.0)


class Calibration:
    """The scores of rows that models have not seen, made ready to compare with.

    Parameters
    ----------
    scores : ndarray of shape (m, n_models)
        Of the calibration rows.
    unseen : ndarray of bool of shape (m, n_models)
        Which models have not seen them.
    """

    def __init__(self, scores, unseen):
        self.n_rows = len(scores)
        self.out_of_bag = np.sort(mean_where(scores, unseen))
        patterns, places = np.unique(unseen, axis=0, return_inverse=True)
        self.by_models = [
            (models, np.sort(scores[places.ravel() == place][:, models].mean(axis=1)))
            for place, models in enumerate(patterns)
        ]


def p_values(scores, unseen, calibration, scale):
    r"""Return the share of the calibration rows, and the row itself, that score no higher.

    .. math:: p(x) = \frac{1 + \#\{i : s_i^{-i} \le s_x^{-i}\}}{m + 1}

    where a row that no model has seen and a calibration row are compared by the mean over the
    models that have not seen the latter, and a row that some have seen by the mean over
    the others: then all are out of bag.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_models)
        Of the rows asked for.
    unseen : ndarray of bool of shape (n_samples, n_models)
        Which models have not seen them.
    calibration : Calibration
        What they are compared with.
    scale : float
        What counts as rounding: a millionth of it, and of the score.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.outlier.calibration import Calibration, p_values
    >>> unseen = np.ones((9, 1), dtype=bool)
    >>> calibration = Calibration(np.arange(9.0)[:, None], unseen)
    >>> p_values(np.array([[1.5], [-1.0]]), unseen[:2], calibration, 1.0)
    array([0.3, 0.1])
    """
    new = unseen.all(axis=1)
    n_no_higher = _count(calibration.out_of_bag, mean_where(scores, unseen), scale)
    n_no_higher[new] = 0
    for models, others in calibration.by_models:
        own = scores[new][:, models].mean(axis=1)
        n_no_higher[new] += _count(others, own, scale)
    return (1 + n_no_higher) / (1 + calibration.n_rows)


def _count(scores, own, scale):
    """Return how many of ascending scores are no higher than each of one's own."""
    return np.searchsorted(scores, own + rounding(own, scale), side="right")
