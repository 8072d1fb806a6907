"""The images of the paper's experiment: how many are used, and checks that they are enough."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _paper_files import READERS, SPLIT_SEED, said
from _paper_fits import BATCH_SIZE

from skvae.nn.convolutions import SIDES
from skvae.plotting.rows import CHANNELS

__all__ = ["Images", "check", "floats", "load", "some"]

# Trustworthiness compares five neighbours. They must be fewer than half of the images.
FEWEST_HELD_OUT = 11
CHECKED_ROWS = 1_000  # images that are compared with each other
FEWEST_POSITIVE = 5  # training images that must have an attribute, and that must lack it


@dataclass(frozen=True)
class Images:
    """Training and held-out images, flat and uint8, and what is known of them, or None.

    An image has an attribute or lacks it. A factor has levels, counted from 0. ``factor_levels``
    has a tuple for each factor, of names or of numbers.
    """

    name: str
    image_shape: tuple
    train: np.ndarray
    test: np.ndarray
    attribute_names: list
    attributes_train: np.ndarray = None
    attributes_test: np.ndarray = None
    factor_names: tuple = ()
    factor_levels: tuple = ()
    factors_train: np.ndarray = None
    factors_test: np.ndarray = None


def floats(X):
    """Return uint8 pixels on the scale [0, 1]."""
    return np.asarray(X, dtype=np.float32) / 255


def some(X, n_rows):
    """Return at most ``n_rows`` rows, evenly spaced, in memory."""
    return np.ascontiguousarray(X[:: -(-len(X) // n_rows)])


def load(source, cache, n_train, n_test):
    """Return at most so many images of a source such as "celeba:ROOT" or "npz:PATH".

    Only these numbers decide which rows are used. No other option does.
    """
    kind, _, path = source.partition(":")
    with said(kind):
        content = READERS[kind](Path(path), Path(cache))
    rng = np.random.default_rng(SPLIT_SEED)
    train, test = (
        _at_most(n_rows, rows, rng)
        for n_rows, rows in ((n_train, content.train), (n_test, content.test))
    )
    images = Images(
        source_name(source),
        content.image_shape,
        _rows(content.X, train),
        _rows(content.X, test),
        [],
    )
    return replace(images, **_attributes(content, train, test), **_factors(content, train, test))


def check(images):
    """Exit with a message if the images are too small, too few, or all alike."""
    height, width, channels = images.image_shape
    if channels not in CHANNELS:
        raise SystemExit(
            f"--data: needs images of 1, 3 or 4 channels, which the figures show. Got {channels} "
            f"instead. Give others."
        )
    if not all(SIDES[0] <= side <= SIDES[1] for side in (height, width)):
        raise SystemExit(
            f"--data: needs images with a height and a width from {SIDES[0]} to {SIDES[1]}, which "
            f"the networks take. Got {height} x {width} instead. Resize them."
        )
    if len(images.train) < BATCH_SIZE or len(images.test) < FEWEST_HELD_OUT:
        raise SystemExit(
            f"--data: needs at least {BATCH_SIZE} images to train on, a batch, and "
            f"{FEWEST_HELD_OUT} held out. Got {len(images.train)} and {len(images.test)} instead. "
            f"Give more images."
        )
    for rows in (some(images.train, CHECKED_ROWS), some(images.test, CHECKED_ROWS)):
        pixels = rows.reshape(len(rows), -1, channels)
        if (pixels == pixels[:1]).all() or (pixels == pixels[:, :1]).all():
            raise SystemExit(
                "--data: needs images that are not all alike, and not each of one colour. Got such "
                "images instead. Give others."
            )


def source_name(source):
    """Return the name of the data for file names."""
    kind, _, path = source.partition(":")
    return kind if kind == "celeba" else Path(path).stem


def _attributes(content, train, test):
    """Return the attributes that enough training images have, and that enough lack."""
    if content.attributes is None:
        return {}
    known = content.attributes[train].sum(0)
    kept = np.flatnonzero((known >= FEWEST_POSITIVE) & (known <= len(train) - FEWEST_POSITIVE))
    return {
        "attribute_names": [content.attribute_names[place] for place in kept],
        "attributes_train": content.attributes[np.ix_(train, kept)],
        "attributes_test": content.attributes[np.ix_(test, kept)],
    }


def _factors(content, train, test):
    """Return the factors with two or more levels, and two or more images per level on average."""
    if content.factors is None:
        return {}
    sizes = [len(np.unique(column)) for column in content.factors[train].T]
    kept = [place for place, size in enumerate(sizes) if 2 <= size <= len(train) // 2]
    if not kept:
        return {}
    return {
        "factor_names": tuple(content.factor_names[place] for place in kept),
        "factor_levels": tuple(content.factor_levels[place] for place in kept),
        "factors_train": content.factors[np.ix_(train, kept)],
        "factors_test": content.factors[np.ix_(test, kept)],
    }


def _at_most(n_rows, rows, rng):
    """Return all rows, or ``n_rows`` random rows, in order."""
    if n_rows is None or n_rows >= len(rows):
        return np.sort(rows)
    return np.sort(rng.choice(rows, n_rows, replace=False))


def _rows(X, rows):
    """Return these rows. Consecutive rows are a view, so they may still be a memory map."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return X[rows[0] : rows[-1] + 1]
    return np.ascontiguousarray(X[rows])
