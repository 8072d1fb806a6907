"""The quality of samples: a kernel distance to real rows, and the labels of a classifier."""

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

__all__ = ["Reference", "mean_discrepancy", "mean_kernel", "median_distance", "noise_floor"]


def median_distance(X):
    """Return the median distance between two rows."""
    return float(np.median(pdist(X)))


def mean_discrepancy(X, Y, bandwidth):
    r"""Return the maximum mean discrepancy of two samples.

    The square is estimated without bias. If the estimate is below 0, the result is 0. The kernel is
    :math:`\exp(-\|x - y\|^2 / 2 h^2)` with the bandwidth h: Gretton et al. (2012), A kernel
    two-sample test.
    """
    within = _mean_kernel(X, X, bandwidth) + _mean_kernel(Y, Y, bandwidth)
    return float(np.sqrt(max(within - 2 * _mean_kernel(X, Y, bandwidth), 0.0)))


def _mean_kernel(X, Y, bandwidth):
    """Return the mean of the kernel over pairs of rows. A row with itself is not a pair."""
    return mean_kernel(euclidean_distances(X, Y, squared=True), bandwidth, same=X is Y)


def mean_kernel(squares, bandwidth, *, same=False):
    """Return the mean of the kernel from squared distances. ``same``: both samples are one."""
    kernel = np.exp(-squares.astype(np.float64) / (2 * bandwidth**2))
    if same:
        return (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
    return kernel.mean()


def noise_floor(X, bandwidth, *, n_splits=10):
    """Return the greatest discrepancy between two random halves of X, over several divisions."""
    rng = np.random.default_rng(0)
    halves = (np.array_split(X[rng.permutation(len(X))], 2) for _ in range(n_splits))
    return max(mean_discrepancy(one, other, bandwidth) for one, other in halves)


class Reference:
    """Real rows that no model has seen, and a classifier trained on real rows.

    The bandwidth is the median distance between held-out rows. So it is the same for every model.

    Parameters
    ----------
    held_out, held_out_labels : ndarray
        Twice as many rows as there will be samples. The samples are compared with the first half.
    X, y : ndarray
        The training rows of the classifier, a support vector machine.
    """

    def __init__(self, held_out, held_out_labels, X, y):
        self.rows = held_out[: len(held_out) // 2]
        self.bandwidth = median_distance(self.rows)
        self.floor = noise_floor(held_out, self.bandwidth)
        self.classifier = SVC(C=10).fit(X, y)
        self.accuracy = float(self.classifier.score(held_out, held_out_labels))

    def scales(self):
        """Return the numbers with which the measures of samples are compared."""
        return {
            "bandwidth": self.bandwidth,
            "noise_floor": self.floor,
            "classifier_accuracy": self.accuracy,
        }

    def assess(self, samples, codes, train_codes, train_labels):
        """Return the discrepancy, and the accuracy gap.

        A sample has the label of the training code nearest to its own code. The gap is the accuracy
        of the classifier on held-out rows minus its accuracy on the samples.
        """
        labels = KNeighborsClassifier(1).fit(train_codes, train_labels).predict(codes)
        return {
            "mmd": mean_discrepancy(samples, self.rows, self.bandwidth),
            "gap": self.accuracy - float(self.classifier.score(samples, labels)),
        }
