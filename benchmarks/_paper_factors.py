"""The information of codes about factors. It gives dimensions their names."""

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

# The binary features that the paper names, for drawn faces and for CelebA. Each has a factor, a
# level, and whether this level has the feature or lacks it.
FEATURES = {
    "baldness": (("hair", "none", True), ("Bald", "yes", True)),
    "any glasses": (("glasses", "none", False), ("Eyeglasses", "yes", True)),
    "any beard": (("beard", "none", False), ("No_Beard", "yes", False)),
}
# The first rows of a figure, if the images have them: the features of the paper's Figure 1 and of
# its text, then the factors that change most of a face.
FIGURE_ROWS = (
    *FEATURES,
    *("hair", "hair_color", "skin", "background", "tilt", "size", "clothes_color", "mouth"),
    *("Male", "Smiling", "Blond_Hair", "Pale_Skin", "Bangs", "Young"),
)
LEAST_GAP = 0.1  # of a found factor: ten times the bias at 26 levels and 10,000 images


@dataclass(frozen=True)
class Feature:
    """A feature that an image has or lacks, given by levels of one factor."""

    name: str
    place: int  # index of the factor
    levels: np.ndarray  # numbers of the levels with the feature

    def of(self, factors):
        """Return a mask of the images with the feature, from factors (n_images, n_factors)."""
        return np.isin(factors[:, self.place], self.levels)

    def probability(self, probabilities):
        """Return the probability of the feature in every image, from a judge's probabilities."""
        return probabilities[self.place][:, self.levels].sum(1)


def features_of(images):
    """Return {name: feature} for the features that images have a factor for, and that vary."""
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
    """The mutual information of codes and factors, in nats, and the names that follow from it.

    Attributes
    ----------
    names : tuple of str
        Names of the factors of an image, and then of its binary features.
    information : ndarray of shape (n_components, n_names)
    gaps : ndarray of shape (n_names,)
        The gap between the two dimensions with the most information about a factor, divided by its
        entropy.
    dimensions : ndarray of shape (n_names,)
        The dimension with the most information about each factor.
    n_factors : int
        Number of names that are factors. Only these are names of dimensions.
    """

    names: tuple
    information: np.ndarray
    gaps: np.ndarray
    dimensions: np.ndarray
    n_factors: int

    @property
    def gap(self):
        """The mutual information gap (MIG): the mean over the factors."""
        return float(self.gaps[: self.n_factors].mean())

    @property
    def n_found(self):
        """The number of factors with a gap of at least LEAST_GAP."""
        return int((self.gaps[: self.n_factors] >= LEAST_GAP).sum())

    def of_factor(self, name):
        """Return the dimension with the most information about a factor or feature, and its gap."""
        place = self.names.index(name)
        dimension = int(self.dimensions[place])
        return {
            "dimension": dimension,
            "information": float(self.information[dimension, place]),
            "gap": float(self.gaps[place]),
        }

    def of_dimension(self, dimension):
        """Return the factor about which a dimension has most information, or None without any."""
        told = self.information[dimension, : self.n_factors]
        return self.names[told.argmax()] if told.max() > 0 else None


def name_dimensions(codes, factors, names, features=()):
    """Return the :class:`Naming` of codes (n_images, n_components) by the factors of these images.

    The information is computed with bins, so that models without a posterior also have it. There
    are 20 bins with equal numbers of rows. With bins of equal width, one far image could put all
    others into one bin.
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
    """Return the names of a figure's rows: first the known names in ``wanted``, then others.

    The names are the same for every model of the same images. ``naming.of_factor`` gives the
    dimension of a name. Two rows may have the same dimension, which then moves both.
    """
    features = naming.names[naming.n_factors :]
    known = [name for name in wanted if name in naming.names]
    same = {factor for name in features for factor, _, _ in FEATURES[name]}
    names = list(dict.fromkeys([*known, *naming.names]))
    # If a feature already has a row, its factor comes last.
    names.sort(key=lambda name: name in same and name not in features)
    return names[:n_rows]
