"""What codes tell of factors: which dimension has a factor's name."""

from dataclasses import dataclass

import numpy as np

from skvae.metrics import mutual_information_gap

__all__ = [
    "FEATURES",
    "FIGURE_ROWS",
    "Feature",
    "Naming",
    "features_of",
    "figure_rows",
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

    The information is that of bins, so that models without a posterior have one too: 20 of
    equal numbers of rows. Of equal width one image far out would put all others into one.
    """
    binary = [feature.of(factors).astype(factors.dtype) for feature in features]
    columns = np.column_stack([factors, *binary])
    gaps = mutual_information_gap(columns, codes, strategy="quantile", details=True)
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
