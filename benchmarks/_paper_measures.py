"""Measures of a fitted model, where the paper has no numbers, or judges by eye.

All pixels and densities are on the scale [0, 1].
"""

import numpy as np
from _paper_codes import Codes, bound, decomposition
from _paper_data import floats, some
from _paper_errors import kept, replicated
from _paper_factors import features_of, name_dimensions
from _paper_probes import (
    MOST_ROWS,
    PROBE_ROWS,
    areas,
    known_attributes,
    of_attributes,
    probe,
    probe_features,
    probe_pixels,
    scores,
)
from _paper_readings import interventions, legibility
from _paper_spaces import FeatureSpace, PixelSpace, continuity, edge_energies
from sklearn.decomposition import PCA

from skvae.metrics import active_units, gaussian_total_correlation

__all__ = ["VERSION", "Reference", "floats", "measure", "some"]

VERSION = 3  # increased whenever a measure is computed differently
COLLAPSED = 0.01  # share of the images' variance: with less, all reconstructions are the mean image
N_MOVED = 200  # held-out images for interventions: a share's standard error is at most 3.5 %


class Reference:
    """Held-out images and a PCA of the training images, with which all models are compared.

    A judge of images with factors, :func:`_paper_judge.fetch_judge`, adds its measures.
    """

    def __init__(self, images, latent, judge=None):
        self.pixels, self.image_shape = floats(images.test), images.image_shape
        self.space, self.judge = PixelSpace(self.pixels), judge
        self.features = None if judge is None else FeatureSpace(judge, self.pixels)
        self.edges = edge_energies(self.pixels, images.image_shape)
        train = floats(some(images.train, MOST_ROWS))
        most = min(len(train) - 1, train.shape[1])
        self.pca = PCA(min(latent, most), random_state=0).fit(train)
        n_directions = min(128, most)
        self.eigenvalues = PCA(n_directions, random_state=0).fit(train).explained_variance_

    def compared(self, samples):
        """Return a function that gives the samples' distance to held-out images, and variety.

        These are in pixel space, and with a judge also in its feature space, see
        :mod:`_paper_spaces`. The function takes the group of images to leave out.
        """
        parts = [self.space.compared(samples), self.sharpness(samples)]
        if self.features is not None:
            parts.append(self.features.compared(samples))
        return lambda left_out: {
            key: value for part in parts for key, value in part(left_out).items()
        }

    def of_samples(self, samples):
        """Return the same measures with all groups."""
        return self.compared(samples)(None)

    def of_judge(self, images):
        """Return what the judge reads from held-out images: the best possible value for others."""
        features = features_of(images).values()
        read = legibility(self.judge, self.pixels, images.factors_test, features)(None)
        return {
            "accuracy": read["legible"],
            "features": read["legible_features"],
            "frechet_floor": self.features.floor,
        }

    def sharpness(self, pixels):
        """Return a function that gives the variance of the Laplacian, over the held-out one."""
        edges = edge_energies(pixels, self.image_shape)

        def part(left_out):
            own, real = (
                energies[kept(len(energies), left_out)] for energies in (edges, self.edges)
            )
            return {"sharpness": float(own.mean() / real.mean())}

        return part

    def of_trivial_samples(self, images):
        """Return the measures of training images as samples, and of copies of their mean."""
        rng = np.random.default_rng(0)
        n_samples = min(len(images.train), len(self.pixels))
        rows = np.sort(rng.choice(len(images.train), n_samples, replace=False))
        chosen = floats(images.train[rows])
        mean = np.repeat(chosen.mean(0, keepdims=True), n_samples, axis=0)
        return {"training images": self.of_samples(chosen), "their mean": self.of_samples(mean)}

    def of_pca(self, images):
        """Return the measures of a PCA with as many components, like :func:`measure`."""
        train = self.pca.transform(floats(some(images.train, MOST_ROWS)))
        test = self.pca.transform(self.pixels)
        reconstructions = self.pca.inverse_transform(test)
        row = of_images(reconstructions, test, self)(None)
        if images.attribute_names:
            codes, attributes = (some(train, PROBE_ROWS), test), known_attributes(images)
            auc = (probe(*codes, attributes), scores(*codes, attributes))
            row |= of_attributes(dict(zip(("means", "reconstructions"), auc, strict=True)), images)
        if images.factors_train is not None:
            row |= of_factors(train, test, images) | of_naming(train, images)(None)
        if self.judge is not None:
            row |= of_reconstructions(reconstructions, images, self)(None)
        return row

    @property
    def floor(self):
        """The noise floor of the discrepancy."""
        return self.space.floor

    def kept_by_a_line(self, effective_variance, n_components):
        """Return how many dimensions a linear model keeps.

        It keeps those with a variance above that of the noise, times beta for the beta-VAE. The
        beta-TCVAE keeps as many as the VAE: codes of principal axes have no total correlation.
        """
        return int((self.eigenvalues[:n_components] > effective_variance).sum())


def measure(model, estimator, images, reference, setting):
    """Return the measures of a fitted model as a dict.

    All models have the results of :func:`of_images`, ``active``, ``collapsed``, and ``samples`` for
    each source of codes. Models with a posterior also have those of :func:`bound` and
    :func:`decomposition`, ``gaussian_tc`` and ``linear``. Images with attributes add
    :func:`_paper_probes.of_attributes`. Images with factors add :func:`of_factors` and
    :func:`of_naming`. A judge adds :func:`of_reconstructions`, :func:`of_moved_codes`, and more of
    ``samples``. ``without`` has the measures of claims without each group of images, see
    :mod:`_paper_errors`.
    """
    seed = setting.seed
    codes = Codes(estimator, some(images.train, MOST_ROWS), seed)
    held_out = Codes(estimator, images.test, seed)
    reconstructions = floats(estimator.inverse_transform(held_out.mean))
    parts = [
        of_images(reconstructions, held_out.mean, reference),
        of_samples(model, estimator, len(images.test), reference, seed),
    ]
    if model.name != "AE":
        parts.append(lambda left_out: of_dependence(codes.without(left_out)))
    auc = {}
    if images.attribute_names:
        known, attributes = some(codes.mean, PROBE_ROWS), known_attributes(images)
        auc = of_codes(model, codes, held_out, attributes)
        shown = floats(estimator.inverse_transform(known))
        read = probe_pixels(shown, reconstructions, attributes, seed)
        auc["reconstructions"] = areas(*read)
        parts.append(
            lambda left_out: of_attributes({"reconstructions": areas(*read, left_out)}, images)
        )
    if images.factors_train is not None:
        parts.append(of_naming(codes.mean, images))
    if reference.judge is not None:
        parts.append(of_reconstructions(reconstructions, images, reference))
        parts.append(of_moved_codes(estimator, codes, held_out, images, reference.judge))
    row = {**replicated(parts), "active": active_units(codes, None)}
    row["collapsed"] = row["varied"] < COLLAPSED
    if auc:
        row |= of_attributes(auc, images)
    if model.name != "AE":
        row["collapsed"] |= row["active"] == 0
        row |= bound(estimator, held_out, reference.pixels, setting.noise_variance)
        row |= decomposition(codes, seed)
        effective = setting.noise_variance * (model.beta if model.name == "BetaVAE" else 1)
        row["linear"] = reference.kept_by_a_line(effective, model.n_components)
    if images.factors_train is not None:
        row |= of_factors(codes.mean, held_out.mean, images)
    return row


def of_images(reconstructions, codes, reference):
    """Return a function that gives error, sharpness, trustworthiness and variance.

    ``varied`` is the ratio of total variances of reconstructions and images. Like all functions
    here that return a function, the result takes the group of images to leave out.
    """
    squares = ((reconstructions - reference.pixels) ** 2).mean(1, np.float64)
    sharpness = reference.sharpness(reconstructions)

    def part(left_out):
        rows = kept(len(squares), left_out)
        variances = (images[rows].var(0).sum() for images in (reconstructions, reference.pixels))
        return {
            "test_mse": float(squares[rows].mean()),
            **sharpness(left_out),
            "trustworthiness": continuity(reference.space.squares[np.ix_(rows, rows)], codes[rows]),
            "varied": float(np.divide(*variances)),
        }

    return part


def of_samples(model, estimator, n_samples, reference, seed):
    """Return a function that gives ``samples``."""
    densities = {"prior": None}
    if model.name == "AE":
        densities = {"N(0, I)": "standard-normal", "its Gaussian": None}
    compared = {
        name: reference.compared(
            floats(estimator.sample(n_samples, latent=latent, random_state=seed))
        )
        for name, latent in densities.items()
    }
    return lambda left_out: {"samples": {name: part(left_out) for name, part in compared.items()}}


def of_dependence(codes):
    """Return the total correlation of a Gaussian with the codes' covariance."""
    return {"gaussian_tc": gaussian_total_correlation(codes, None)}


def of_codes(model, codes, held_out, attributes):
    """Return the AUC of linear probes of means and draws."""
    auc = {"means": probe(some(codes.mean, PROBE_ROWS), held_out.mean, attributes)}
    if model.name != "AE":
        auc["draws"] = probe(some(codes.draws, PROBE_ROWS), held_out.draws, attributes)
    return auc


def naming_of(codes, images, left_out=None):
    """Return the Naming of the dimensions, by the codes of ``some(train, MOST_ROWS)``."""
    rows = kept(len(codes), left_out)
    factors = some(images.factors_train, MOST_ROWS)[rows]
    features = features_of(images).values()
    return name_dimensions(codes[rows], factors, images.factor_names, features)


def of_naming(codes, images):
    """Return a function that gives the information of the dimensions about factors.

    ``mig`` is the mean gap over factors. ``n_found`` counts the factors with a gap of 0.1 or more.
    """

    def part(left_out):
        naming = naming_of(codes, images, left_out)
        return {"mig": naming.gap, "n_found": naming.n_found}

    return part


def of_factors(codes, held_out, images):
    """Return the names of dimensions, and linear probes of all of them.

    ``named`` has, for each factor and feature, the ``dimension`` with the most information about
    it, this ``information`` in nats, and the ``gap`` to the next. ``probe_auc`` has the AUC of a
    linear probe for each feature.
    """
    naming, features = naming_of(codes, images), features_of(images)
    return {
        "named": {name: naming.of_factor(name) for name in naming.names},
        "probe_auc": probe_features(codes, held_out, images, features),
    }


def of_reconstructions(reconstructions, images, reference):
    """Return a function of what the judge reads from reconstructions, see ``legibility``.

    It also gives ``reconstruction_frechet``, computed as for samples.
    """
    features = features_of(images).values()
    read = legibility(reference.judge, reconstructions, images.factors_test, features)
    compared = reference.features.compared(reconstructions)
    return lambda left_out: {
        **read(left_out),
        "reconstruction_frechet": compared(left_out)["frechet"],
    }


def of_moved_codes(estimator, codes, held_out, images, judge):
    """Return a function that gives ``interventions``, see :func:`_paper_readings.interventions`.

    ``others_that_change`` is their mean over factors. A factor whose dimension changes nothing in
    any image is not counted. If no factor is counted, it is None. If a group is left out, only
    features have interventions, since no claim uses those of a factor.
    """
    features, naming = list(features_of(images).values()), naming_of(codes.mean, images)
    moved = some(held_out.mean, N_MOVED)
    changes = interventions(estimator, judge, moved, codes.draws, naming, features)

    def part(left_out):
        moves = changes(left_out)
        factors = [moves[name] for name in images.factor_names if moves[name]["moved"] > 0]
        mean = float(np.mean([factor["others"] for factor in factors])) if factors else None
        if left_out is not None:
            moves = {feature.name: moves[feature.name] for feature in features}
        return {"interventions": moves, "others_that_change": mean}

    return part
