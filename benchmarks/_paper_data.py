"""The images of the paper's experiment: where they come from, and how they are split."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _common import write_whole

from skvae.datasets import load_celeba, load_factor_images

__all__ = ["READERS", "Images", "floats", "load", "some"]

# Of the images of a file are held out, at most: measures of neighbours compare all held-out images
# in pairs, and at 2,000 the standard error of a share is 1 %.
HELD_OUT, MOST_HELD_OUT = 0.2, 2_000
SPLIT_SEED = 0
FEWEST_POSITIVE = 5  # training images that an attribute needs to be probed for


@dataclass(frozen=True)
class Images:
    """Training and held-out images, uint8 and flat, with what is known of them, or None.

    An attribute is what an image has or lacks. A factor has levels, which count from 0;
    ``factor_levels`` has a tuple for each: names, or numbers where its levels are numbers.
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


@dataclass(frozen=True)
class Content:
    """All images of a source, what is known of each, and the rows of its two parts."""

    X: np.ndarray
    image_shape: tuple
    train: np.ndarray
    test: np.ndarray
    attribute_names: tuple = ()
    attributes: np.ndarray = None
    factor_names: tuple = ()
    factor_levels: tuple = ()
    factors: np.ndarray = None


def floats(X):
    """Return uint8 pixels on the [0, 1] scale."""
    return np.asarray(X, dtype=np.float32) / 255


def some(X, n_rows):
    """Return at most so many rows, evenly spaced, in memory."""
    return np.ascontiguousarray(X[:: -(-len(X) // n_rows)])


def load(source, cache, n_train, n_test):
    """Return at most so many images of a source such as "celeba:ROOT" or "npz:PATH".

    Which rows are kept or held out depends on no option but these numbers.
    """
    kind, _, path = source.partition(":")
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


def source_name(source):
    """Return the name of the data, for files."""
    kind, _, path = source.partition(":")
    return kind if kind == "celeba" else Path(path).stem


def _attributes(content, train, test):
    """Return the attributes that enough training images have, and enough lack."""
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
    """Return the factors of which training images have two levels, and each more than once."""
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


def _read_npz(path, cache):
    """Return the images of a file, what it says of them, and a random split of them."""
    with np.load(path) as file:
        known = None if "factors" in file else _with_labels(file["X"], file.get("y"))
    known = known or _with_factors(path)
    n_images = len(known["X"])
    shuffled = np.random.default_rng(SPLIT_SEED).permutation(n_images)
    n_test = min(MOST_HELD_OUT, round(HELD_OUT * n_images))
    return Content(train=shuffled[n_test:], test=shuffled[:n_test], **known)


def _with_factors(path):
    """Return images and factors; of factors that have names, each level is an attribute.

    Where levels have names, the other factors are quantities: shifts, sizes, tilts. A step
    of them is nothing that an image has or lacks.
    """
    try:
        known = load_factor_images(path)
    except ValueError as error:
        raise SystemExit(f"--data npz: {error}") from error
    named = [isinstance(levels[0], str) for levels in known.factor_levels]
    columns = [place for place, name in enumerate(named) if name or not any(named)]
    attributes, attribute_names = _binary(
        known.factors[:, columns],
        [known.factor_names[place] for place in columns],
        [known.factor_levels[place] for place in columns],
    )
    return {
        "X": known.data,
        "image_shape": known.image_shape,
        "attributes": attributes,
        "attribute_names": attribute_names,
        "factors": known.factors,
        "factor_names": known.factor_names,
        "factor_levels": known.factor_levels,
    }


def _with_labels(X, y):
    """Return images, and each label of y as an attribute: a class is no factor of an image."""
    if X.dtype != np.uint8 or X.ndim not in (3, 4):
        raise SystemExit(
            f"--data npz: needs X of uint8, (n, height, width) or (n, height, width, channels). "
            f"Got {X.dtype}, {X.shape} instead."
        )
    known = {"X": X.reshape(len(X), -1), "image_shape": (*X.shape[1:], 1)[:3]}
    if y is None:
        return known
    columns = [np.unique(column, return_inverse=True) for column in y.reshape(len(X), -1).T]
    attributes, attribute_names = _binary(
        np.stack([levels for _, levels in columns], axis=1),
        [f"y{place}" for place in range(len(columns))],
        [values for values, _ in columns],
    )
    return {**known, "attributes": attributes, "attribute_names": attribute_names}


def _binary(factors, names, factor_levels):
    """Return every level of every factor as an attribute, of two levels the second alone."""
    columns, labels = [], []
    for name, factor, levels in zip(names, factors.T, factor_levels, strict=True):
        for number in range(len(levels))[len(levels) == 2 :]:
            columns.append(factor == number)
            labels.append(f"{name}={levels[number]}")
    return np.stack(columns, 1), tuple(labels)


def _read_celeba(root, cache):
    """Return the faces, mapped from the disk and read once, and the official split.

    An attribute is a factor of two levels.
    """
    pixels, lists = cache / "celeba.npy", cache / "celeba.npz"
    if not lists.exists():
        _keep_celeba(root, pixels, lists)
    with np.load(lists) as content:
        attributes, split = content["attributes"], content["split"]
        names = tuple(str(name) for name in content["names"])
    return Content(
        np.load(pixels, mmap_mode="r"),
        (64, 64, 3),
        *(np.flatnonzero(split == part) for part in ("train", "test")),
        attribute_names=names,
        attributes=attributes,
        factor_names=names,
        factor_levels=(("no", "yes"),) * len(names),
        factors=attributes.astype(np.int64),
    )


def _keep_celeba(root, pixels, lists):
    """Write the pixels, then what is known of them, each whole."""
    content = {}

    def read(part):
        faces = load_celeba(root, memmap=part, verbose=1)
        content["attributes"], content["split"] = faces.attributes.to_numpy(), faces.split
        content["names"] = np.array(faces.attributes.columns, dtype=str)

    def write(part):
        with part.open("wb") as file:
            np.savez(file, **content)

    write_whole(pixels, read)
    write_whole(lists, write)


READERS = {"npz": _read_npz, "celeba": _read_celeba}


def _at_most(n_rows, rows, rng):
    """Return all rows, or so many at random, in order."""
    if n_rows is None or n_rows >= len(rows):
        return np.sort(rows)
    return np.sort(rng.choice(rows, n_rows, replace=False))


def _rows(X, rows):
    """Return these rows; a view, hence still a memory map, where they are all in one piece."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return X[rows[0] : rows[-1] + 1]
    return np.ascontiguousarray(X[rows])
