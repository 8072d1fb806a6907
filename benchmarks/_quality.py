"""How good samples are: a kernel distance to real rows, and whether a classifier knows them."""

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.metrics import euclidean_distances
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

__all__ = ["Reference", "mean_discrepancy", "mean_kernel", "median_distance", "noise_floor"]


def median_distance(X):
    """Return the median distance of two rows."""
    return float(np.median(pdist(X)))


def mean_discrepancy(X, Y, bandwidth):
    r"""Return the maximum mean discrepancy of two samples; a square estimated below 0 counts as 0.

    The square is estimated without bias, with the kernel :math:`\exp(-\|x - y\|^2 / 2 h^2)`, h the
    bandwidth: Gretton et al. (2012), A kernel two-sample test.
    """
    within = _mean_kernel(X, X, bandwidth) + _mean_kernel(Y, Y, bandwidth)
    return float(np.sqrt(max(within - 2 * _mean_kernel(X, Y, bandwidth), 0.0)))


def _mean_kernel(X, Y, bandwidth):
    """Return the kernel's mean over the pairs of rows; a row with itself is no pair."""
    return mean_kernel(euclidean_distances(X, Y, squared=True), bandwidth, same=X is Y)


def mean_kernel(squares, bandwidth, *, same=False):
    """Return the kernel's mean from squared distances, of the same rows or of others."""
    kernel = np.exp(-squares.astype(np.float64) / (2 * bandwidth**2))
    if same:
        return (kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1))
    return kernel.mean()


def noise_floor(X, bandwidth, *, n_splits=10):
    """Return the greatest discrepancy between two halves of X, over random halvings."""
    rng = np.random.default_rng(0)
    halves = (np.array_split(X[rng.permutation(len(X))], 2) for _ in range(n_splits))
    return max(mean_discrepancy(one, other, bandwidth) for one, other in halves)


class Reference:
    """Real rows that no model has seen, and a classifier trained on real rows.

    The bandwidth is the median distance between held-out rows, so the same for every model.

    Parameters
    ----------
    held_out, held_out_labels : ndarray
        Twice as many rows as the samples to come: these are compared with the first half.
    X, y : ndarray
        What the classifier, a support vector machine, learns.
    """

    def __init__(self, held_out, held_out_labels, X, y):
        self.rows = held_out[: len(held_out) // 2]
        self.bandwidth = median_distance(self.rows)
        self.floor = noise_floor(held_out, self.bandwidth)
        self.classifier = SVC(C=10).fit(X, y)
        self.accuracy = float(self.classifier.score(held_out, held_out_labels))

    def scales(self):
        """Return what the measures of samples are to be read against."""
        return {
            "bandwidth": self.bandwidth,
            "noise_floor": self.floor,
            "classifier_accuracy": self.accuracy,
        }

    def assess(self, samples, codes, train_codes, train_labels):
        """Return the discrepancy, and the accuracy gap.

        The label of a sample is that of the training code nearest to its own. The gap is the
        accuracy of the classifier on held-out rows, minus its accuracy on the samples.
        """
        labels = KNeighborsClassifier(1).fit(train_codes, train_labels).predict(codes)
        return {
            "mmd": mean_discrepancy(samples, self.rows, self.bandwidth),
            "gap": self.accuracy - float(self.classifier.score(samples, labels)),
        }
