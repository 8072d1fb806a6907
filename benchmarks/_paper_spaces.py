"""The distance of samples to real images, and their variety, in pixels or in a judge's features."""

import numpy as np
from _paper_errors import kept
from _quality import mean_kernel, median_distance, noise_floor
from sklearn.manifold import trustworthiness
from sklearn.metrics import euclidean_distances

__all__ = ["Balls", "FeatureSpace", "PixelSpace", "continuity", "edge_energies", "frechet_distance"]

N_NEIGHBOURS = 5
N_SPLITS = 10


class Balls:
    r"""Balls around real rows. The radius of a ball is the distance to the k-th neighbour.

    Precision is the share of samples that are in a ball (Kynkaanniemi et al. 2019). Coverage is the
    share of balls that contain a sample (Naeem et al. 2020). A point in the middle of all rows,
    such as their mean, may be in a ball although no row is near it. So precision says little
    without coverage.
    """

    def __init__(self, rows):
        self.rows = rows
        squares = euclidean_distances(rows, squared=True)
        self.squared_radii = np.sort(squares, axis=1)[:, N_NEIGHBOURS]  # column 0: the row itself

    def of(self, samples):
        """Return precision and coverage."""
        return shares_of(self.inside(euclidean_distances(samples, self.rows, squared=True)))

    def inside(self, squares):
        """Return which samples are in which ball, from squared distances (n_samples, n_rows)."""
        return squares <= self.squared_radii


def shares_of(inside):
    """Return precision and coverage of samples in balls."""
    return float(inside.any(1).mean()), float(inside.any(0).mean())


class PixelSpace:
    """Held-out images as pixels on the scale [0, 1]. Their distances are computed once.

    Attributes
    ----------
    squares : ndarray of shape (n_images, n_images)
        Their squared distances.
    floor : float
        An upper limit of the discrepancy between these and as many other real images. It is the
        greatest discrepancy of two halves, divided by the square root of two. For equal
        distributions, it falls with the square root of the number of rows.
    """

    def __init__(self, pixels):
        self.pixels, self.balls = pixels, Balls(pixels)
        self.bandwidth = median_distance(pixels)
        self.floor = noise_floor(pixels, self.bandwidth) / np.sqrt(2)
        self.squares = euclidean_distances(pixels, squared=True)

    def compared(self, samples):
        """Return a function that gives discrepancy, precision, coverage and variance ratio.

        It takes the group to leave out of both sets, see :mod:`_paper_errors`.
        """
        within = euclidean_distances(samples, squared=True)
        between = euclidean_distances(samples, self.pixels, squared=True)
        inside = self.balls.inside(between)

        def part(left_out):
            drawn, real = (kept(len(rows), left_out) for rows in (samples, self.pixels))
            pairs = np.ix_(drawn, real)
            precision, coverage = shares_of(inside[pairs])
            square = self._mean(self.squares[np.ix_(real, real)], same=True)
            square += self._mean(within[np.ix_(drawn, drawn)], same=True)
            square -= 2 * self._mean(between[pairs])
            return {
                "mmd": float(np.sqrt(max(square, 0.0))),
                "precision": precision,
                "coverage": coverage,
                "spread": float(samples[drawn].var(0).sum() / self.pixels[real].var(0).sum()),
            }

        return part

    def _mean(self, squares, *, same=False):
        return mean_kernel(squares, self.bandwidth, same=same)


class FeatureSpace:
    """Held-out images as the features of a judge.

    Attributes
    ----------
    floor : float
        The Frechet distance between these and as many other real images. It is half of that of two
        halves, as a mean over random halves, since it falls with the number of rows, see
        :func:`frechet_distance`.
    """

    def __init__(self, judge, pixels):
        self.judge, self.features = judge, judge.features(pixels)
        self.balls = Balls(self.features)
        rng = np.random.default_rng(0)
        halves = (
            np.array_split(self.features[rng.permutation(len(self.features))], 2)
            for _ in range(N_SPLITS)
        )
        distances = [frechet_distance(*map(_gaussian, pair)) for pair in halves]
        self.floor = float(np.mean(distances)) / 2

    def compared(self, pixels):
        """Return a function that gives the measures of images on the scale [0, 1].

        It takes the group to leave out of both sets, see :mod:`_paper_errors`.
        """
        features = self.judge.features(pixels)
        inside = self.balls.inside(euclidean_distances(features, self.features, squared=True))

        def part(left_out):
            drawn, real = (kept(len(rows), left_out) for rows in (features, self.features))
            precision, coverage = shares_of(inside[np.ix_(drawn, real)])
            gaussians = _gaussian(features[drawn]), _gaussian(self.features[real])
            return {
                "frechet": frechet_distance(*gaussians),
                "feature_precision": precision,
                "feature_coverage": coverage,
            }

        return part


def _gaussian(features):
    """Return the mean and the covariance of rows."""
    features = np.asarray(features, dtype=np.float64)
    return features.mean(0), np.cov(features, rowvar=False)


def frechet_distance(one, other):
    r"""Return the squared Frechet distance of two Gaussians, each (mean, covariance).

    .. math:: \|\mu_1 - \mu_2\|^2 + tr(S_1 + S_2 - 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2})

    Heusel et al. (2017) use it with the features of an Inception network. With estimated
    covariances it is too large. The bias is about inversely proportional to the number of rows. So
    compare only samples of the same size.
    """
    (mean, covariance), (other_mean, other_covariance) = one, other
    values, directions = np.linalg.eigh(np.atleast_2d(covariance))
    root = (directions * np.sqrt(np.maximum(values, 0))) @ directions.T
    product = root @ np.atleast_2d(other_covariance) @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0)).sum()
    traces = np.trace(np.atleast_2d(covariance)) + np.trace(np.atleast_2d(other_covariance))
    distance = float(np.sum((mean - other_mean) ** 2) + traces - 2 * cross)
    return max(distance, 0.0)  # rounding may make it negative


def edge_energies(pixels, image_shape):
    """Return the variance of the Laplacian of each grey image."""
    grey = pixels.reshape(-1, *image_shape).mean(-1)
    inner = grey[:, 1:-1, 1:-1]
    sides = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return (sides - 4 * inner).var(axis=(1, 2))


def continuity(squares, codes):
    """Return the trustworthiness: whether neighbours of codes are also neighbours of images.

    The images are given by their squared distances.
    """
    neighbours = {"n_neighbors": N_NEIGHBOURS, "metric": "precomputed"}
    return float(trustworthiness(np.maximum(squares, 0), codes, **neighbours))
