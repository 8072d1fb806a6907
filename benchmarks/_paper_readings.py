"""What a judge reads off decoded images: what is left of factors, what moving a code changes."""

import numpy as np
from _paper_data import floats
from _paper_errors import kept
from _paper_judge import most_probable
from sklearn.metrics import roc_auc_score

__all__ = ["chance", "interventions", "legibility"]

QUANTILES = (0.01, 0.99)  # of the traversals
SURE = 0.5  # the probability of a reading from which it counts


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
    callable
        Of the group of images to leave out, see :mod:`_paper_errors`, or None. It returns for
        each factor and feature a dict: ``dimension``; ``moved``, the share of images in which
        any factor changes; ``changed``, that in which this one does; ``alone``, that in which it
        does and no other; ``others``, the mean number of other factors that change. A feature
        and its factor are not others to each other.
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
    """Return what :func:`interventions` does of one name, from changes, (n_images, n_names)."""
    changed, all_factors = changes[:, place], changes[:, :n_factors]
    others = np.delete(all_factors, own, axis=1).sum(1)
    return {
        "moved": float(all_factors.any(1).mean()),
        "changed": float(changed.mean()),
        "alone": float((changed & (others == 0)).mean()),
        "others": float(others.mean()),
    }


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
    judge : object with probabilities, grouped and factor_names
    pixels : ndarray of shape (n_images, n_pixels)
        On the [0, 1] scale.
    factors : ndarray of shape (n_images, n_factors)
        The true levels.
    features : sequence of Feature

    Returns
    -------
    callable
        Of the group of images to leave out, see :mod:`_paper_errors`, or None. It returns
        ``legible``: for each factor the share of images whose group is read; and
        ``legible_features``: for each feature ``auc``, of its probability, and ``chance``, up to
        which 97.5 % of AUC of readings by chance are; ``recall``, the share of the images with it
        that are read as having it; ``false``, that of those without it.
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
    """Return AUC, recall and false alarms of a feature; without one of two kinds, NaN."""
    if has.all() or not has.any():
        return dict.fromkeys(("auc", "chance", "recall", "false"), np.nan)
    return {
        "auc": float(roc_auc_score(has, probability)),
        "chance": chance(has.sum(), (~has).sum()),
        "recall": float((probability[has] > SURE).mean()),
        "false": float((probability[~has] > SURE).mean()),
    }


def chance(n_with, n_without):
    """Return up to which AUC 97.5 % of readings by chance are: Mann and Whitney (1947)."""
    return float(0.5 + 1.96 * np.sqrt((n_with + n_without + 1) / (12 * n_with * n_without)))
