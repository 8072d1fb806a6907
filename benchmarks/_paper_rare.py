"""Whether rare features are lost first: images on which some are rare, and what is read of them."""

from dataclasses import replace

import numpy as np

__all__ = ["rare_and_common", "read_over_betas", "shares_reached"]

SHARE = 0.03  # of the training images that has a rare feature
SEED = 0


def rare_and_common(images, features, share=SHARE):
    """Return images whose features are rare among those to train on, and others to compare.

    Of images with a feature so many are left out, at random, that ``share`` of the rest has
    it, one feature after the other: as images have several, the shares end a little off, see
    :func:`shares_reached`. The images to compare are as many, taken at random. Both are repeated to
    the number of training images there were, so that an epoch has as many steps; of 10,000 drawn
    faces with three features some 2,100 different ones are left. Held-out images are the same.

    Parameters
    ----------
    images : Images
    features : iterable of Feature
    share : float
        Of what is left, for each feature; features that have less stay as they are.

    Returns
    -------
    rare, common : Images
        With "-rare" and "-common" at the ends of their names.
    """
    rng = np.random.default_rng(SEED)
    rows = np.arange(len(images.train))
    for feature in features:
        has = feature.of(images.factors_train[rows])
        n_kept = round(share / (1 - share) * np.sum(~has))
        if n_kept < has.sum():
            kept = rng.choice(rows[has], n_kept, replace=False)
            rows = np.concatenate([rows[~has], kept])
    others = rng.choice(len(images.train), len(rows), replace=False)
    return tuple(
        _with_rows(images, np.resize(chosen, len(images.train)), f"{images.name}-{name}")
        for name, chosen in (("rare", rng.permutation(rows)), ("common", others))
    )


def shares_reached(images, features):
    """Return the number of different training images, and the share of rows that has a feature.

    Parameters
    ----------
    images : Images
        As :func:`rare_and_common` returns.
    features : iterable of Feature

    Returns
    -------
    dict
        ``distinct``; ``shares``, by the name of the feature.
    """
    distinct = len({image.tobytes() for image in images.train})
    shares = {f.name: float(f.of(images.factors_train).mean()) for f in features}
    return {"distinct": distinct, "shares": shares}


def read_over_betas(rare, common, measure="auc"):
    """Return what the judge reads of features over beta, by models of either kind of images.

    Parameters
    ----------
    rare, common : sequences of dict
        What ``_paper_measures.measure`` returns for the same models, ascending in beta, fitted to
        either of :func:`rare_and_common`; the judge and the held-out images are the same.
    measure : {"auc", "recall", "false"}
        Of reconstructions of held-out images, see ``_paper_readings.legibility``. One that reads
        the feature off every image has a recall of 1; the AUC knows.

    Returns
    -------
    dict
        For each feature ``rare`` and ``common``, lists over beta, and ``lost_to_rarity``, the
        second minus the first.
    """
    of_features = {}
    for name in rare[0]["legible_features"]:
        values = [
            [row["legible_features"][name][measure] for row in rows] for rows in (rare, common)
        ]
        lost = [known - hidden for hidden, known in zip(*values, strict=True)]
        of_features[name] = {"rare": values[0], "common": values[1], "lost_to_rarity": lost}
    return of_features


def _with_rows(images, rows, name):
    """Return images with these for training."""
    attributes = images.attributes_train
    return replace(
        images,
        name=name,
        train=images.train[rows],
        attributes_train=None if attributes is None else attributes[rows],
        factors_train=images.factors_train[rows],
    )
