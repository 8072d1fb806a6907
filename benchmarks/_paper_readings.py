"""What a judge reads in decoded images: the remaining factors, and the changes by a moved code."""

import numpy as np
from _paper_data import floats
from _paper_errors import kept
from _paper_judge import most_probable
from sklearn.metrics import roc_auc_score

__all__ = ["chance", "interventions", "legibility"]

QUANTILES = (0.01, 0.99)  # the ends of a traversal
SURE = 0.5  # a reading counts if its probability is above this


def interventions(estimator, judge, codes, spread, naming, features=()):
    """Return which factors and features change if the dimension of each factor moves.

    One code of every image moves to its quantile 0.01, and then to 0.99, among ``spread``. The
    other codes stay. The judge reads the decoded image at each end, and the unchanged
    reconstruction. A factor changes if the judge reads another group at one of the ends, with a
    probability above 0.5 for both readings. A feature changes if its probability crosses 0.5.

    Parameters
    ----------
    estimator : object with inverse_transform
    judge : object with probabilities, of the factors that the naming begins with
    codes : ndarray of shape (n_images, n_components)
        Codes of held-out images.
    spread : ndarray of shape (n_rows, n_components)
        Codes of training images.
    naming : Naming
    features : sequence of Feature, those of the naming

    Returns
    -------
    callable
        It takes the group of images to leave out, see :mod:`_paper_errors`, or None. It returns a
        dict for each factor and feature. ``dimension`` is its dimension. ``moved`` is the share of
        images in which any factor changes. ``changed`` is the share in which this one changes.
        ``alone`` is the share in which only this one changes. ``others`` is the mean number of
        other factors that change. A feature and its factor do not count as others to each other.
    """
    changes = _changes(estimator, judge, codes, spread, naming.dimensions, features)
    own = [*range(naming.n_factors), *(feature.place for feature in features)]

    def part(left_out):
        rows = kept(len(codes), left_out)
        return {
            name: {"dimension": int(dimension)}
            | _summary(changes[dimension][rows], place, own[place], naming.n_factors)
            for place, (name, dimension) in enumerate(
                zip(naming.names, naming.dimensions.tolist(), strict=True)
            )
        }

    return part


def _summary(changes, place, own, n_factors):
    """Return the entries of :func:`interventions` for one name, from (n_images, n_names)."""
    changed, all_factors = changes[:, place], changes[:, :n_factors]
    others = np.delete(all_factors, own, axis=1).sum(1)
    return {
        "moved": float(all_factors.any(1).mean()),
        "changed": float(changed.mean()),
        "alone": float((changed & (others == 0)).mean()),
        "others": float(others.mean()),
    }


def _changes(estimator, judge, codes, spread, dimensions, features):
    """Return {dimension: mask of the images and of the factors and features that change}."""
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
    """Return the readings of factors and features, and whether they count, (n_images, n_names)."""
    probabilities = judge.probabilities(floats(images))
    groups, sureness = most_probable(probabilities)
    has = [feature.probability(probabilities) > SURE for feature in features]
    sure = [np.ones(len(groups), dtype=bool) for _ in features]
    return np.column_stack([groups, *has]), np.column_stack([sureness > SURE, *sure])


def legibility(judge, pixels, factors, features=()):
    """Return how much of the truth the judge reads in images, reconstructed or real.

    Parameters
    ----------
    judge : object with probabilities, grouped and factor_names
    pixels : ndarray of shape (n_images, n_pixels)
        Images on the scale [0, 1].
    factors : ndarray of shape (n_images, n_factors)
        The true levels.
    features : sequence of Feature

    Returns
    -------
    callable
        It takes the group of images to leave out, see :mod:`_paper_errors`, or None. It returns
        ``legible`` and ``legible_features``. ``legible`` has, for each factor, the share of images
        whose group is read correctly. ``legible_features`` has four entries for each feature.
        ``auc`` is that of its probability. ``chance`` is an upper limit: 97.5 % of the AUC of
        random readings are below it. ``recall`` is the share of images with the feature in which it
        is read. ``false`` is the same share for images without it.
    """
    probabilities, truth = judge.probabilities(pixels), judge.grouped(factors)
    right = most_probable(probabilities)[0] == truth
    read = {feature.name: feature.probability(probabilities) for feature in features}
    has = {feature.name: feature.of(factors) for feature in features}

    def part(left_out):
        rows = kept(len(right), left_out)
        shares = right[rows].mean(0).tolist()
        return {
            "legible": dict(zip(judge.factor_names, shares, strict=True)),
            "legible_features": {name: _reading(has[name][rows], read[name][rows]) for name in has},
        }

    return part


def _reading(has, probability):
    """Return AUC, recall and false alarms of a feature, or NaN if all or no images have it."""
    if has.all() or not has.any():
        return dict.fromkeys(("auc", "chance", "recall", "false"), np.nan)
    return {
        "auc": float(roc_auc_score(has, probability)),
        "chance": chance(has.sum(), (~has).sum()),
        "recall": float((probability[has] > SURE).mean()),
        "false": float((probability[~has] > SURE).mean()),
    }


def chance(n_with, n_without):
    """Return the AUC below which 97.5 % of random readings are: Mann and Whitney (1947)."""
    return float(0.5 + 1.96 * np.sqrt((n_with + n_without + 1) / (12 * n_with * n_without)))
