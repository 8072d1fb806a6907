"""The same images with rare features, and as many of them with common ones."""

from dataclasses import replace

import numpy as np

__all__ = ["rare_and_common"]

SHARE = 0.03  # of the training images that has a rare feature
SEED = 0


def rare_and_common(images, features, share=SHARE):
    """Return images whose features are rare among those to train on, and others to compare.

    Of images with a feature so many are left out, at random, that ``share`` of the rest has
    it. The images to compare are as many, taken at random. Both are repeated to the number of
    training images there were, so that an epoch has as many steps; held-out images are the same.

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
