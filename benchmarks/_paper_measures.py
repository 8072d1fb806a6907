"""What the paper lacks: numbers for a fitted model, and for what it judges by eye.

Pixels are on the [0, 1] scale throughout, and so are the densities.
"""

import math
import warnings

import numpy as np
from _paper_data import floats, some
from _paper_factors import features_of, interventions, legibility, name_dimensions
from _paper_probes import (
    MOST_ROWS,
    PROBE_ROWS,
    known_attributes,
    probe,
    probe_features,
    probe_pixels,
    scores,
)
from _paper_spaces import FeatureSpace, PixelSpace
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from skvae.metrics import (
    active_units,
    gaussian_total_correlation,
    kl_decomposition,
)

__all__ = ["Reference", "floats", "measure", "some"]

N_NEIGHBOURS = 5
N_MOVED = 200  # held-out images of interventions: a share's standard error is at most 3.5 %


class Reference:
    """What every model is compared with: held-out images, and a PCA of the training images.

    A judge of images with factors, :func:`_paper_judge.fetch_judge`, adds its measures.
    """

    def __init__(self, images, latent, judge=None):
        self.pixels, self.image_shape = floats(images.test), images.image_shape
        self.space, self.judge = PixelSpace(self.pixels), judge
        self.features = None if judge is None else FeatureSpace(judge, self.pixels)
        self.edges = edge_energy(self.pixels, images.image_shape)
        train = floats(some(images.train, MOST_ROWS))
        most = min(len(train) - 1, train.shape[1])
        self.pca = PCA(min(latent, most), random_state=0).fit(train)
        n_directions = min(128, most)
        self.eigenvalues = PCA(n_directions, random_state=0).fit(train).explained_variance_

    def of_samples(self, samples):
        """Return how near samples are to held-out images, and how varied.

        In pixel space, and with a judge in that of its features, see :mod:`_paper_spaces`.
        """
        row = self.space.of(samples) | {"sharpness": self.sharpness(samples)}
        return row if self.features is None else row | self.features.of(samples)

    def of_judge(self, images):
        """Return what the judge reads off held-out images, the most that it may off others."""
        features = features_of(images).values()
        read = legibility(self.judge, self.pixels, images.factors_test, features)
        read["accuracy"] = dict(zip(images.factor_names, read["accuracy"], strict=True))
        return read | {"frechet_floor": self.features.floor}

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
        train = self.pca.transform(floats(some(images.train, MOST_ROWS)))
        test = self.pca.transform(self.pixels)
        reconstructions = self.pca.inverse_transform(test)
        row = {
            "test_mse": float(((reconstructions - self.pixels) ** 2).mean()),
            "sharpness": self.sharpness(reconstructions),
            "trustworthiness": continuity(self.pixels, test),
        }
        if images.attribute_names:
            codes, attributes = (some(train, PROBE_ROWS), test), known_attributes(images)
            auc = (probe(*codes, attributes), scores(*codes, attributes))
            row["auc"] = dict(zip(("means", "reconstructions"), auc, strict=True))
        if images.factors_train is not None:
            row |= of_factors(train, test, images)
        if self.judge is not None:
            row |= of_reconstructions(reconstructions, images, self)
        return row

    @property
    def floor(self):
        """The noise floor of the discrepancy."""
        return self.space.floor

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
            self.mean, self.std = estimator.transform(X), None
            self.draws = self.mean

    def transform(self, X):
        """Return the means, of the rows that were encoded."""
        return self.mean

    def posterior(self, X):
        """Return their means and standard deviations."""
        return self.mean, self.std


def measure(model, estimator, images, reference, setting):
    """Return the measures of a fitted model as a dict.

    Of every model: ``test_mse``, ``sharpness``, ``trustworthiness``, ``active``; ``samples``, by
    where their codes are from; of those with a posterior also what :func:`bound` and
    :func:`decomposition` return, and ``linear``. Where images have attributes, ``auc``: lists in
    their order, for codes and reconstructions. Where images have factors, what
    :func:`of_factors` returns, and where the reference has a judge, what
    :func:`of_reconstructions` and :func:`of_moved_codes` do, and more of ``samples``.
    """
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
    if images.factors_train is not None:
        row |= of_factors(codes.mean, held_out.mean, images)
    if reference.judge is not None:
        row |= of_reconstructions(reconstructions, images, reference)
        row |= of_moved_codes(estimator, codes, held_out, images, reference.judge)
    return row


def naming_of(codes, images):
    """Return the Naming of the dimensions by codes of ``some(train, MOST_ROWS)``."""
    factors = some(images.factors_train, MOST_ROWS)
    features = features_of(images).values()
    return name_dimensions(codes, factors, images.factor_names, features)


def of_factors(codes, held_out, images):
    """Return what codes tell of factors.

    ``mig``, the mean over factors, of which ``n_found`` have a gap of 0.1 or more;
    ``mig_per_factor``; ``named``, for each factor and feature the ``dimension`` that tells most
    of it, its ``information`` in nats, and the ``gap`` to the next; ``probe_auc`` of each
    feature, by a linear probe of the codes.
    """
    naming, features = naming_of(codes, images), features_of(images)
    gaps = naming.gaps[: naming.n_factors].tolist()
    return {
        "mig": naming.gap,
        "n_found": naming.n_found,
        "mig_per_factor": dict(zip(images.factor_names, gaps, strict=True)),
        "named": {name: naming.of_factor(name) for name in naming.names},
        "probe_auc": probe_features(codes, held_out, images, features),
    }


def of_reconstructions(reconstructions, images, reference):
    """Return what the judge reads off reconstructions.

    ``legible``, the share of them whose factor it reads, by factor; ``legible_features``, AUC,
    recall and false alarms of features; ``reconstruction_frechet``, as of samples.
    """
    features = features_of(images).values()
    read = legibility(reference.judge, reconstructions, images.factors_test, features)
    return {
        "legible": dict(zip(images.factor_names, read["accuracy"], strict=True)),
        "legible_features": read["features"],
        "reconstruction_frechet": reference.features.of(reconstructions)["frechet"],
    }


def of_moved_codes(estimator, codes, held_out, images, judge):
    """Return ``interventions``, see :func:`_paper_factors.interventions`."""
    features, naming = list(features_of(images).values()), naming_of(codes.mean, images)
    moved = some(held_out.mean, N_MOVED)
    changes = interventions(estimator, judge, moved, codes.draws, naming, features)
    return {"interventions": changes}


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
