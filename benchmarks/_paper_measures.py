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
)

__all__ = ["Reference", "floats", "measure"]

N_NEIGHBOURS = 5
# Of training, at most:
MOST_ROWS = 10_000  # for the decomposition
PROBE_ROWS = 5_000
PCA_ROWS = 2_000
N_SHOWN_COMPONENTS = 32


def floats(X):
    """Return uint8 pixels on the [0, 1] scale."""
    return np.asarray(X, dtype=np.float32) / 255


def some(X, n_rows):
    """Return at most so many rows, evenly spaced, in memory."""
    return np.ascontiguousarray(X[:: -(-len(X) // n_rows)])


class Reference:
    """What every model is compared with: held-out images, and a PCA of the training images."""

    def __init__(self, images, latent):
        self.pixels, self.image_shape = floats(images.test), images.image_shape
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
            "sharpness": self.sharpness(samples),
        }

    def sharpness(self, pixels):
        """Return the variance of the Laplacian, as a share of that of the held-out images."""
        return edge_energy(pixels, self.image_shape) / self.edges

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
        train = floats(some(some(images.train, MOST_ROWS), PROBE_ROWS))
        codes = [self.pca.transform(X) for X in (train, self.pixels)]
        reconstructions = self.pca.inverse_transform(codes[1])
        row = {
            "test_mse": float(((reconstructions - self.pixels) ** 2).mean()),
            "sharpness": self.sharpness(reconstructions),
            "trustworthiness": continuity(self.pixels, codes[1]),
        }
        if images.attribute_names:
            attributes = known_attributes(images)
            auc = (probe(*codes, attributes), scores(*codes, attributes))
            row["auc"] = dict(zip(("means", "reconstructions"), auc, strict=True))
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


class Codes:
    """The codes of images, encoded once; in the place of an estimator for the metrics."""

    def __init__(self, estimator, X, seed):
        if hasattr(estimator, "posterior"):
            self.mean, self.std = estimator.posterior(X)
            noise = np.random.default_rng(seed).standard_normal(self.mean.shape)
            self.draws = self.mean + self.std * noise.astype(self.mean.dtype)
        else:
            self.mean, self.std, self.draws = estimator.transform(X), None, None

    def transform(self, X):
        """Return the means, of the rows that were encoded."""
        return self.mean

    def posterior(self, X):
        """Return their means and standard deviations."""
        return self.mean, self.std


def measure(model, estimator, images, reference, setting):
    """Return the measures of a fitted model as a dict."""
    seed = setting.seed
    codes = Codes(estimator, some(images.train, MOST_ROWS), seed)
    held_out = Codes(estimator, images.test, seed)
    reconstructions = floats(estimator.inverse_transform(held_out.mean))
    row = {
        "test_mse": float(((reconstructions - reference.pixels) ** 2).mean()),
        "sharpness": reference.sharpness(reconstructions),
        "trustworthiness": continuity(reference.pixels, held_out.mean),
        "active": active_units(codes, None),
    }
    densities = {"prior": None}
    if model.name == "AE":
        densities = {"N(0, I)": "standard-normal", "its Gaussian": None}
    else:
        row |= bound(estimator, held_out, reference.pixels, setting.noise_variance)
        row |= decomposition(codes, seed)
        effective = setting.noise_variance * (model.beta if model.name == "BetaVAE" else 1)
        row["linear"] = reference.kept_by_a_line(effective, model.n_components)
    row["samples"] = {
        name: reference.of_samples(
            floats(estimator.sample(len(images.test), latent=latent, random_state=seed))
        )
        for name, latent in densities.items()
    }
    if images.attribute_names:
        known, attributes = some(codes.mean, PROBE_ROWS), known_attributes(images)
        row["auc"] = {"means": probe(known, held_out.mean, attributes)}
        if model.name != "AE":
            draws = some(codes.draws, PROBE_ROWS)
            row["auc"]["draws"] = probe(draws, held_out.draws, attributes)
        shown = floats(estimator.inverse_transform(known))
        row["auc"]["reconstructions"] = probe_pixels(shown, reconstructions, attributes, seed)
    return row


def known_attributes(images):
    """Return the attributes of the training images that the probes learn, and of those held out.

    The former are of ``some(some(train, MOST_ROWS), PROBE_ROWS)``.
    """
    known = some(some(images.attributes_train, MOST_ROWS), PROBE_ROWS)
    return known, images.attributes_test


def continuity(pixels, codes):
    """Return the trustworthiness: whether neighbours among the codes are so among the images."""
    return float(trustworthiness(pixels, codes, n_neighbors=N_NEIGHBOURS))


def bound(estimator, codes, pixels, variance):
    r"""Return the ELBO, with one draw of z for each image and the divergence in closed form.

    Beside it what it would be at the noise variance that is best for these images, the mean
    squared error s of the draws: :math:`-\frac{d}{2} (\log 2 \pi s + 1) - KL`.
    """
    mean, std = (part.astype(np.float64) for part in codes.posterior(None))
    kl = (0.5 * (mean**2 + std**2 - 1) - np.log(std)).sum(1)
    decoded = floats(estimator.inverse_transform(codes.draws))
    squares = ((decoded - pixels) ** 2).mean(1, np.float64)
    d, best = pixels.shape[1], float(squares.mean())
    elbo = -d / 2 * (squares / variance + math.log(2 * math.pi * variance)) - kl
    return {
        "elbo": float(elbo.mean()),
        "elbo_se": float(elbo.std(ddof=1) / math.sqrt(len(elbo))),
        "elbo_best_variance": -d / 2 * (math.log(2 * math.pi * best) + 1) - float(kl.mean()),
        "best_variance": best,
        "test_kl": float(kl.mean()),
    }


def decomposition(codes, seed):
    """Return the parts of the divergence over training rows, and what the dimensions carry."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The mean divergence should be below")  # a table's mark
        parts = kl_decomposition(codes, None, random_state=seed)
    names = ("mutual_information", "total_correlation", "dimension_wise_kl")
    names = ["kl", "saturated", *names, *(f"{name}_se" for name in names)]
    return {name: getattr(parts, name) for name in names} | {
        "gaussian_tc": gaussian_total_correlation(codes, None),
        "kl_per_dimension": parts.kl_per_dimension.tolist(),
    }


def probe(train, test, attributes):
    """Return the AUC of a linear probe of standardised codes, for every attribute."""
    scaler = StandardScaler().fit(train)
    return scores(scaler.transform(train), scaler.transform(test), attributes)


def probe_pixels(train, test, attributes, seed):
    """Return the AUC of a linear probe of the principal components of reconstructions.

    Those are not rescaled: directions in which the images hardly differ weigh less than others.
    How faint all of them are, an AUC does not see.
    """
    n_components = min(N_SHOWN_COMPONENTS, len(train) - 1)
    pca = PCA(n_components, random_state=seed).fit(some(train, PCA_ROWS))
    return scores(pca.transform(train), pca.transform(test), attributes)


def scores(train, test, attributes):
    """Return the AUC of a logistic regression for every attribute; None where it is undefined."""
    areas = []
    for fitted, held_out in zip(*(part.T for part in attributes), strict=True):
        if len(set(fitted)) < 2 or len(set(held_out)) < 2:
            areas.append(None)
            continue
        model = LogisticRegression(max_iter=1_000).fit(train, fitted)
        areas.append(float(roc_auc_score(held_out, model.decision_function(test))))
    return areas
