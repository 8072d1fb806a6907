"""Thresholds and p-values for new rows, from the scores of rows that a model was not fitted to."""

import numpy as np

__all__ = ["ROUNDING", "Calibration", "fence", "mean_where", "p_values", "rounding", "threshold"]

FENCE = 3.0  # standard deviations below the median, if the scores are normally distributed
NORMAL_QUARTILE = 0.6745  # third quartile of a standard normal variable
ROUNDING = 1e-6  # relative


def mean_where(scores, mask):
    """Return the mean of each row's scores where the mask is True, or of all if it never is.

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
    r"""Return the value w standard deviations below the mean of normal scores, by quantiles.

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
    r"""Return the threshold below which a given share of new rows scores; for "auto" the fence.

    The expected share of new rows below the threshold is exactly c, if the new rows and those of
    the m scores are exchangeable. A new row scores below the k-th smallest score with probability
    k / (m + 1). The threshold interpolates between the two scores next to place c (m + 1). It is
    never below the smallest score.

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
    """Return the size of rounding errors in scores, which depend on the other rows in the batch."""
    size = np.abs(scores) + scale
    return np.where(np.isfinite(size), ROUNDING * size, 0.0)


class Calibration:
    """Scores of rows that some models were not fitted to, prepared for comparison.

    Parameters
    ----------
    scores : ndarray of shape (m, n_models)
        Scores of the calibration rows.
    unseen : ndarray of bool of shape (m, n_models)
        For each row, which models were not fitted to it.
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
    r"""Return the share of calibration rows, counting the row itself, with no higher score.

    .. math:: p(x) = \frac{1 + \#\{i : s_i^{-i} \le s_x^{-i}\}}{m + 1}

    A row that no model was fitted to is compared with calibration row i by the mean over the models
    that were not fitted to i. A row that some models were fitted to is scored by the mean over the
    other models, so that all compared scores are out of bag.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_models)
        Scores of the rows in question.
    unseen : ndarray of bool of shape (n_samples, n_models)
        For each row, which models were not fitted to it.
    calibration : Calibration
        The scores to compare with.
    scale : float
        Differences up to a millionth of ``scale`` plus the score count as rounding.

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
    """Return how many of the sorted scores are no higher than each value in ``own``."""
    return np.searchsorted(scores, own + rounding(own, scale), side="right")
