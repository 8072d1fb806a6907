"""What the paper lacks: numbers for a fitted model, and for what it judges by eye.

Pixels are on the [0, 1] scale throughout, and so are the densities.
"""

import math
import warnings

import numpy as np
from _quality import mean_discrepancy, median_distance, noise_floor
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness
from sklearn.metrics import euclidean_distances, roc_auc_score
from sklearn.preprocessing import StandardScaler

from skvae.metrics import (
    active_units,
    gaussian_total_correlation,
    kl_decomposition,
    latent_summary,
)

__all__ = ["Reference", "floats", "measure"]

N_NEIGHBOURS = 5
MOST_ROWS = 10_000  # training rows of the decomposition and the probes
PCA_ROWS = 2_000


def floats(X):
    """Return uint8 pixels on the [0, 1] scale."""
    return np.asarray(X, dtype=np.float32) / 255


def some(X, n_rows):
    """Return at most so many rows, evenly spaced, in memory."""
    return np.ascontiguousarray(X[:: -(-len(X) // n_rows)])


class Reference:
    """What every model is compared with: held-out images, and a PCA of the training images."""

    def __init__(self, images, latent):
        self.pixels = floats(images.test)
        self.bandwidth = median_distance(self.pixels)
        self.floor = noise_floor(self.pixels, self.bandwidth)
        distances = euclidean_distances(self.pixels)
        self.radii = np.sort(distances, axis=1)[:, N_NEIGHBOURS]  # column 0 is the image itself
        self.spread = float(self.pixels.var(0).sum())
        self.edges = edge_energy(self.pixels, images.image_shape)
        few = floats(some(images.train, PCA_ROWS))
        self.pca = PCA(min(latent, len(few) - 1), random_state=0).fit(few)
        n_directions = min(128, len(few) - 1)
        self.eigenvalues = PCA(n_directions, random_state=0).fit(few).explained_variance_

    def of_samples(self, samples):
        r"""Return how near samples are to held-out images, and how varied, in pixel space.

        With balls around the held-out images that reach to their k-th neighbours: precision is
        the share of samples in a ball (Kynkaanniemi et al. 2019), coverage that of balls
        with a sample in them (Naeem et al. 2020). Spread is the ratio of total variances.
        """
        inside = euclidean_distances(samples, self.pixels) <= self.radii
        return {
            "mmd": mean_discrepancy(samples, self.pixels, self.bandwidth),
            "precision": float(inside.any(1).mean()),
            "coverage": float(inside.any(0).mean()),
            "spread": float(samples.var(0).sum()) / self.spread,
        }

    def of_reconstructions(self, reconstructions, image_shape):
        """Return the sharpness: the Laplacian's variance, as a share of that of the originals."""
        return edge_energy(reconstructions, image_shape) / self.edges

    def of_trivial_samples(self, images):
        """Return what training images, and their mean again and again, get as samples."""
        rng = np.random.default_rng(0)
        n_samples = min(len(images.train), len(self.pixels))
        rows = np.sort(rng.choice(len(images.train), n_samples, replace=False))
        chosen = floats(images.train[rows])
        mean = np.repeat(chosen.mean(0, keepdims=True), n_samples, axis=0)
        return {"training images": self.of_samples(chosen), "their mean": self.of_samples(mean)}

    def of_pca(self, images):
        """Return what a PCA of as many components reaches, as :func:`measure` does."""
        train = floats(some(images.train, MOST_ROWS))
        codes = [self.pca.transform(X) for X in (train, self.pixels)]
        reconstructions = self.pca.inverse_transform(codes[1])
        row = {
            "test_mse": float(((reconstructions - self.pixels) ** 2).mean()),
            "sharpness": self.of_reconstructions(reconstructions, images.image_shape),
            "trustworthiness": continuity(self.pixels, codes[1]),
        }
        if images.attribute_names:
            auc = {"means": probe(*codes, images), "reconstructions": _auc(*codes, images)}
            row["auc"] = auc
        return row

    def kept_by_a_line(self, effective_variance, n_components):
        """Return how many dimensions a linear model keeps at this beta times noise variance."""
        return int((self.eigenvalues[:n_components] > effective_variance).sum())


def edge_energy(pixels, image_shape):
    """Return the variance of the Laplacian of the grey image, averaged over images."""
    grey = pixels.reshape(-1, *image_shape).mean(-1)
    inner = grey[:, 1:-1, 1:-1]
    sides = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    return float((sides - 4 * inner).var(axis=(1, 2)).mean())


def measure(model, estimator, images, reference, setting):
    """Return the measures of a fitted model as a flat dict; None where there are none."""
    train, seed = some(images.train, MOST_ROWS), setting.seed
    codes = {"means": (estimator.transform(train), estimator.transform(images.test))}
    reconstructions = [floats(estimator.reconstruct(X)) for X in (train, images.test)]
    errors = ((reconstructions[1] - reference.pixels) ** 2).mean(1)
    row = {
        "test_mse": float(errors.mean()),
        "sharpness": reference.of_reconstructions(reconstructions[1], images.image_shape),
        "trustworthiness": continuity(reference.pixels, codes["means"][1]),
        "active": active_units(estimator, train),
    }
    n_samples = len(images.test)
    densities = {"prior": None}
    if model.name == "AE":
        densities = {"N(0, I)": "standard-normal", "its Gaussian": None}
    else:
        row |= bound(estimator, images.test, reference.pixels, setting)
        row |= decomposition(estimator, train, seed)
        effective = setting.noise_variance * (model.beta if model.name == "BetaVAE" else 1)
        row["linear"] = reference.kept_by_a_line(effective, model.n_components)
        draws = (estimator.sample_posterior(X, random_state=seed) for X in (train, images.test))
        codes["draws"] = tuple(draws)
    row["samples"] = {
        name: reference.of_samples(
            floats(estimator.sample(n_samples, latent=latent, random_state=seed))
        )
        for name, latent in densities.items()
    }
    if images.attribute_names:
        row["auc"] = {name: probe(*pair, images) for name, pair in codes.items()}
        row["auc"]["reconstructions"] = probe_pixels(*reconstructions, images, setting)
    return row


def continuity(pixels, codes):
    """Return the trustworthiness: whether neighbours among the codes are so among the images."""
    return float(trustworthiness(pixels, codes, n_neighbors=N_NEIGHBOURS))


def bound(estimator, X, pixels, setting):
    r"""Return the ELBO, with one draw of z for each image and the divergence in closed form.

    Beside it what it would be at the noise variance that is best for these images, the mean
    squared error s of the draws: :math:`-\frac{d}{2} (\log 2 \pi s + 1) - KL`.
    """
    mean, std = (part.astype(np.float64) for part in estimator.posterior(X))
    kl = (0.5 * (mean**2 + std**2 - 1) - np.log(std)).sum(1)
    codes = estimator.sample_posterior(X, random_state=setting.seed)
    squares = ((floats(estimator.inverse_transform(codes)) - pixels) ** 2).mean(1, np.float64)
    d, variance, best = X.shape[1], setting.noise_variance, float(squares.mean())
    elbo = -d / 2 * (squares / variance + math.log(2 * math.pi * variance)) - kl
    return {
        "elbo": float(elbo.mean()),
        "elbo_se": float(elbo.std(ddof=1) / math.sqrt(len(elbo))),
        "elbo_best_variance": -d / 2 * (math.log(2 * math.pi * best) + 1) - float(kl.mean()),
        "best_variance": best,
        "test_kl": float(kl.mean()),
    }


def decomposition(estimator, X, seed):
    """Return the parts of the divergence over training rows, and what the dimensions carry."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mean divergence should be below")  # a table's mark
        parts = kl_decomposition(estimator, X, random_state=seed)
    names = ("mutual_information", "total_correlation", "dimension_wise_kl")
    names = ["kl", "saturated", *names, *(f"{name}_se" for name in names)]
    return {name: getattr(parts, name) for name in names} | {
        "gaussian_tc": gaussian_total_correlation(estimator, X),
        "kl_per_dimension": [float(kl) for kl in latent_summary(estimator, X)["kl"]],
    }


def probe(train, test, images):
    """Return the AUC of a linear probe of standardised codes, for every attribute."""
    scaler = StandardScaler().fit(train)
    return _auc(scaler.transform(train), scaler.transform(test), images)


def probe_pixels(train, test, images, setting):
    """Return the AUC of a linear probe of the principal components of reconstructions.

    Those are not rescaled, so that what shows faintly counts for little.
    """
    n_components = min(32, len(train) - 1)
    pca = PCA(n_components, random_state=setting.seed).fit(some(train, PCA_ROWS))
    return _auc(pca.transform(train), pca.transform(test), images)


def _auc(train, test, images):
    scores = []
    known = some(images.attributes_train, MOST_ROWS)
    for fitted, held_out in zip(known.T, images.attributes_test.T, strict=True):
        if len(set(fitted)) < 2 or len(set(held_out)) < 2:
            scores.append(None)
            continue
        probe = LogisticRegression(max_iter=1_000).fit(train, fitted)
        scores.append(float(roc_auc_score(held_out, probe.decision_function(test))))
    return scores
