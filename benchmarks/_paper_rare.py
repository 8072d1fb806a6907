"""Images in which some features are rare, and the loss of these features over beta."""

from dataclasses import replace

import numpy as np

__all__ = ["rare_and_common", "read_over_betas", "shares_reached"]

SHARE = 0.03  # of the training images with a rare feature
SEED = 0


def rare_and_common(images, features, share=SHARE):
    """Return images whose features are rare in training, and other images to compare.

    For each feature in turn, random images with the feature are removed, until ``share`` of the
    remaining images have it. An image can have several features, so the final shares differ a
    little, see :func:`shares_reached`. The images to compare are the same number of random images.
    Both sets are repeated up to the original number of training images, so that an epoch has the
    same number of steps. From 10,000 drawn faces with three features, about 2,100 different faces
    remain. The held-out images stay the same.

    Parameters
    ----------
    images : Images
    features : iterable of Feature
    share : float
        The share of the remaining images with a feature. Features that are rarer stay as they are.

    Returns
    -------
    rare, common : Images
        Their names end with "-rare" and "-common".
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
    """Return the number of different training images, and the share of rows with each feature.

    Parameters
    ----------
    images : Images
        A result of :func:`rare_and_common`.
    features : iterable of Feature

    Returns
    -------
    dict
        ``distinct``, and ``shares`` by the name of the feature.
    """
    distinct = len({image.tobytes() for image in images.train})
    shares = {f.name: float(f.of(images.factors_train).mean()) for f in features}
    return {"distinct": distinct, "shares": shares}


def read_over_betas(rare, common, measure="auc"):
    """Return the judge's reading of features over beta, for models of both sets of images.

    Parameters
    ----------
    rare, common : sequences of dict
        Results of ``_paper_measures.measure`` for the same models, with ascending beta. They are
        fitted to the two sets of :func:`rare_and_common`. The judge and the held-out images are the
        same.
    measure : {"auc", "recall", "false"}
        A measure of the reconstructions of held-out images, see ``_paper_readings.legibility``. A
        judge that reads the feature in every image has a recall of 1. The AUC shows this error.

    Returns
    -------
    dict
        For each feature, ``rare`` and ``common`` are lists over beta. ``lost_to_rarity`` is common
        minus rare.
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
    """Return the images with these rows for training."""
    attributes = images.attributes_train
    return replace(
        images,
        name=name,
        train=images.train[rows],
        attributes_train=None if attributes is None else attributes[rows],
        factors_train=images.factors_train[rows],
    )
