"""What codes tell of factors: which dimension has a factor's name, and what moving it changes."""

from dataclasses import dataclass

import numpy as np
from _paper_data import floats
from _paper_judge import most_probable
from sklearn.metrics import roc_auc_score

from skvae.metrics import mutual_information_gap

__all__ = [
    "FEATURES",
    "FIGURE_ROWS",
    "Feature",
    "Naming",
    "features_of",
    "figure_rows",
    "interventions",
    "legibility",
    "name_dimensions",
]

# The binary features that the paper names, as drawn faces and as CelebA have them: factor, level,
# and whether it is the level that has the feature or the one that lacks it.
FEATURES = {
    "baldness": (("hair", "none", True), ("Bald", "yes", True)),
    "any glasses": (("glasses", "none", False), ("Eyeglasses", "yes", True)),
    "any beard": (("beard", "none", False), ("No_Beard", "yes", False)),
}
# The rows of a figure, where images have them, before others: of the paper's Figure 1 and of its
# text the features, then what changes most of a face.
FIGURE_ROWS = (
    *FEATURES,
    *("hair", "hair_color", "skin", "background", "tilt", "size", "clothes_color", "mouth"),
    *("Male", "Smiling", "Blond_Hair", "Pale_Skin", "Bangs", "Young"),
)
LEAST_GAP = 0.1  # of a factor that was found: ten times the bias at 26 levels and 10,000 images
QUANTILES = (0.01, 0.99)  # of the traversals
SURE = 0.5  # the probability of a reading from which it counts


@dataclass(frozen=True)
class Feature:
    """A feature that an image has or lacks, by the levels of one factor."""

    name: str
    place: int  # of the factor
    levels: np.ndarray  # those that have it, numbers

    def of(self, factors):
        """Return which images have it, from factors of shape (n_images, n_factors)."""
        return np.isin(factors[:, self.place], self.levels)

    def probability(self, probabilities):
        """Return how probable it is in every image, from a judge's probabilities."""
        return probabilities[self.place][:, self.levels].sum(1)


def features_of(images):
    """Return the features of FEATURES that images have a factor for, and that vary, by name."""
    features = {}
    for name, places in FEATURES.items():
        for factor, level, has in places:
            if factor not in images.factor_names:
                continue
            place = images.factor_names.index(factor)
            levels = images.factor_levels[place]
            if level not in levels:
                continue
            positive = [number for number, other in enumerate(levels) if (other == level) == has]
            feature = Feature(name, place, np.array(positive))
            if all(
                0 < feature.of(factors).sum() < len(factors)
                for factors in (images.factors_train, images.factors_test)
            ):
                features[name] = feature
    return features


@dataclass(frozen=True)
class Naming:
    """The mutual information of codes and factors, in nats, and the names that it gives.

    Attributes
    ----------
    names : tuple of str
        Of the factors, those of an image first, then its binary features.
    information : ndarray of shape (n_components, n_names)
    gaps : ndarray of shape (n_names,)
        The gap between the two dimensions that tell most of a factor, over its entropy.
    dimensions : ndarray of shape (n_names,)
        The dimension that tells most of each factor.
    n_factors : int
        How many names are factors: a dimension is named after one of these.
    """

    names: tuple
    information: np.ndarray
    gaps: np.ndarray
    dimensions: np.ndarray
    n_factors: int

    @property
    def gap(self):
        """The mutual information gap (MIG), the mean over factors."""
        return float(self.gaps[: self.n_factors].mean())

    @property
    def n_found(self):
        """The number of factors with a gap of at least LEAST_GAP."""
        return int((self.gaps[: self.n_factors] >= LEAST_GAP).sum())

    def of_factor(self, name):
        """Return the dimension that tells most of a factor or feature, how much, and the gap."""
        place = self.names.index(name)
        dimension = int(self.dimensions[place])
        return {
            "dimension": dimension,
            "information": float(self.information[dimension, place]),
            "gap": float(self.gaps[place]),
        }

    def of_dimension(self, dimension):
        """Return the factor that a dimension tells most of; None for one that tells nothing."""
        told = self.information[dimension, : self.n_factors]
        return self.names[told.argmax()] if told.max() > 0 else None


def name_dimensions(codes, factors, names, features=()):
    """Return the :class:`Naming` of codes, (n_images, n_components), by factors of these images.

    The information is that of 20 bins of equal width, so that models without a posterior
    have one too.
    """
    binary = [feature.of(factors).astype(factors.dtype) for feature in features]
    columns = np.column_stack([factors, *binary])
    gaps = mutual_information_gap(columns, codes, details=True)
    return Naming(
        (*names, *(feature.name for feature in features)),
        gaps.information,
        gaps.per_factor,
        gaps.top_codes[:, 0],
        len(names),
    )


def figure_rows(naming, n_rows, wanted=FIGURE_ROWS):
    """Return the names of a figure's rows: those wanted that are known, then others.

    The same names for every model of the same images, whose dimensions ``naming.of_factor`` has;
    two rows may be of one dimension, which then moves both.
    """
    features = naming.names[naming.n_factors :]
    known = [name for name in wanted if name in naming.names]
    same = {factor for name in features for factor, _, _ in FEATURES[name]}
    names = list(dict.fromkeys([*known, *naming.names]))
    # A factor whose feature has a row already comes last.
    names.sort(key=lambda name: name in same and name not in features)
    return names[:n_rows]


def interventions(estimator, judge, codes, spread, naming, features=()):
    """Return what changes when the dimension of each factor moves, and nothing else.

    Of every image one code goes to its quantile 0.01, then to 0.99, among ``spread``; the others
    stay. A factor changes where the judge, at either end, reads another group off the decoded
    image than off the unchanged reconstruction, and is sure of both (probability over 0.5); a
    feature where that of having it crosses 0.5.

    Parameters
    ----------
    estimator : object with inverse_transform
    judge : object with probabilities, of the factors that the naming begins with
    codes : ndarray of shape (n_images, n_components)
        Of held-out images.
    spread : ndarray of shape (n_rows, n_components)
        Codes of training images.
    naming : Naming
    features : sequence of Feature, those of the naming

    Returns
    -------
    dict
        For each factor and feature: ``dimension``; ``changed``, the share of images in which it
        changes; ``alone``, the share in which it does and no other factor; ``others``, the mean
        number of other factors that change; ``per_factor``, the share for each factor. A
        feature and its factor are not others to each other.
    """
    changes = _changes(estimator, judge, codes, spread, naming.dimensions, features)
    factors = naming.names[: naming.n_factors]
    own = [*range(len(factors)), *(feature.place for feature in features)]
    of_name = {}
    for place, name in enumerate(naming.names):
        dimension = int(naming.dimensions[place])
        changed, all_factors = changes[dimension][:, place], changes[dimension][:, : len(factors)]
        others = np.delete(all_factors, own[place], axis=1).sum(1)
        shares = (round(share, 4) for share in all_factors.mean(0).tolist())
        of_name[name] = {
            "dimension": dimension,
            "changed": float(changed.mean()),
            "alone": float((changed & (others == 0)).mean()),
            "others": float(others.mean()),
            "per_factor": dict(zip(factors, shares, strict=True)),
        }
    return of_name


def _changes(estimator, judge, codes, spread, dimensions, features):
    """Return {dimension: which factors and features of which images change, bool}."""
    before, was_sure = _readings(judge, estimator.inverse_transform(codes), features)
    ends = np.quantile(spread, QUANTILES, axis=0)
    changes = {}
    for dimension in sorted(set(dimensions.tolist())):
        changes[dimension] = np.zeros(before.shape, dtype=bool)
        for end in ends:
            moved = codes.copy()
            moved[:, dimension] = end[dimension]
            after, is_sure = _readings(judge, estimator.inverse_transform(moved), features)
            changes[dimension] |= (after != before) & was_sure & is_sure
    return changes


def _readings(judge, images, features):
    """Return what is read of factors and features, and whether surely, (n_images, n_names)."""
    probabilities = judge.probabilities(floats(images))
    groups, sureness = most_probable(probabilities)
    has = [feature.probability(probabilities) > SURE for feature in features]
    sure = [np.ones(len(groups), dtype=bool) for _ in features]
    return np.column_stack([groups, *has]), np.column_stack([sureness > SURE, *sure])


def legibility(judge, pixels, factors, features=()):
    """Return what of the truth the judge reads off images: reconstructions, or real ones.

    Parameters
    ----------
    judge : object with probabilities and grouped
    pixels : ndarray of shape (n_images, n_pixels)
        On the [0, 1] scale.
    factors : ndarray of shape (n_images, n_factors)
        The true levels.
    features : sequence of Feature

    Returns
    -------
    dict
        ``accuracy``: for each factor, in order, the share of images whose group is read.
        ``features``: for each feature ``auc``, of its probability; ``recall``, the share of
        the images with it that are read as having it; ``false``, that of those without it.
    """
    probabilities = judge.probabilities(pixels)
    groups, _ = most_probable(probabilities)
    of_features = {}
    for feature in features:
        has, probability = feature.of(factors), feature.probability(probabilities)
        of_features[feature.name] = {
            "auc": float(roc_auc_score(has, probability)),
            "recall": float((probability[has] > SURE).mean()),
            "false": float((probability[~has] > SURE).mean()),
        }
    right = (groups == judge.grouped(factors)).mean(0)
    return {"accuracy": right.tolist(), "features": of_features}
