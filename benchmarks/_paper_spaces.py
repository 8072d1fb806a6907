"""How near samples are to real images, and how varied: in pixels, or in a judge's features."""

import numpy as np
from _quality import mean_kernel, median_distance, noise_floor
from sklearn.metrics import euclidean_distances

__all__ = ["Balls", "FeatureSpace", "PixelSpace", "frechet_distance"]

N_NEIGHBOURS = 5
N_SPLITS = 10


class Balls:
    r"""Balls around real rows that reach to their k-th neighbours.

    Precision is the share of samples in a ball (Kynkaanniemi et al. 2019), coverage that of
    balls with a sample in them (Naeem et al. 2020). What is amid all rows, as their mean is, may be
    in a ball where no row is as near: precision says little without coverage.
    """

    def __init__(self, rows):
        self.rows = rows
        squares = euclidean_distances(rows, squared=True)
        self.squared_radii = np.sort(squares, axis=1)[:, N_NEIGHBOURS]  # column 0: the row itself

    def of(self, samples):
        """Return precision and coverage."""
        return self.of_squares(euclidean_distances(samples, self.rows, squared=True))

    def of_squares(self, squares):
        """Return the same from squared distances, (n_samples, n_rows)."""
        inside = squares <= self.squared_radii
        return float(inside.any(1).mean()), float(inside.any(0).mean())


class PixelSpace:
    """Held-out images as pixels on the [0, 1] scale, their distances computed once.

    Attributes
    ----------
    floor : float
        The greatest discrepancy of two halves of them.
    """

    def __init__(self, pixels):
        self.pixels, self.balls = pixels, Balls(pixels)
        self.bandwidth = median_distance(pixels)
        self.floor = noise_floor(pixels, self.bandwidth)
        squares = euclidean_distances(pixels, squared=True)
        self.within = mean_kernel(squares, self.bandwidth, same=True)
        self.spread = float(pixels.var(0).sum())

    def of(self, samples):
        """Return discrepancy, precision, coverage, and the ratio of total variances."""
        squares = euclidean_distances(samples, squared=True)
        within = self.within + mean_kernel(squares, self.bandwidth, same=True)
        squares = euclidean_distances(samples, self.pixels, squared=True)
        between = mean_kernel(squares, self.bandwidth)
        precision, coverage = self.balls.of_squares(squares)
        return {
            "mmd": float(np.sqrt(max(within - 2 * between, 0.0))),
            "precision": precision,
            "coverage": coverage,
            "spread": float(samples.var(0).sum()) / self.spread,
        }


class FeatureSpace:
    """Held-out images as the features of a judge.

    Attributes
    ----------
    floor : float
        The Frechet distance of two halves of them, the mean over halvings. That of more images
        is smaller, see :func:`frechet_distance`.
    """

    def __init__(self, judge, pixels):
        self.judge, self.features = judge, judge.features(pixels)
        self.balls, self.gaussian = Balls(self.features), _gaussian(self.features)
        rng = np.random.default_rng(0)
        halves = (
            np.array_split(self.features[rng.permutation(len(self.features))], 2)
            for _ in range(N_SPLITS)
        )
        self.floor = float(
            np.mean([frechet_distance(*map(_gaussian, (one, other))) for one, other in halves])
        )

    def of(self, pixels):
        """Return the measures of images on the [0, 1] scale."""
        features = self.judge.features(pixels)
        precision, coverage = self.balls.of(features)
        return {
            "frechet": frechet_distance(_gaussian(features), self.gaussian),
            "feature_precision": precision,
            "feature_coverage": coverage,
        }


def _gaussian(features):
    """Return the mean and the covariance of rows."""
    features = np.asarray(features, dtype=np.float64)
    return features.mean(0), np.cov(features, rowvar=False)


def frechet_distance(one, other):
    r"""Return the squared Frechet distance of two Gaussians, (mean, covariance) each.

    .. math:: \|\mu_1 - \mu_2\|^2 + tr(S_1 + S_2 - 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2})

    as Heusel et al. (2017) have it, who take the features of an Inception network. Of estimated
    covariances it is too large, the more so the fewer rows: compare samples of one size.
    """
    (mean, covariance), (other_mean, other_covariance) = one, other
    values, directions = np.linalg.eigh(np.atleast_2d(covariance))
    root = (directions * np.sqrt(np.maximum(values, 0))) @ directions.T
    product = root @ np.atleast_2d(other_covariance) @ root
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0)).sum()
    traces = np.trace(np.atleast_2d(covariance)) + np.trace(np.atleast_2d(other_covariance))
    distance = float(np.sum((mean - other_mean) ** 2) + traces - 2 * cross)
    return max(distance, 0.0)  # rounding of what is 0
