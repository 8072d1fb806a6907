"""The images of the paper's experiment: where they come from, and how they are split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skvae.datasets import load_celeba

__all__ = ["Images", "load"]

HELD_OUT = 0.2  # of the images of a file
SPLIT_SEED = 0
FEWEST_POSITIVE = 5  # training images that an attribute needs to be probed for


@dataclass(frozen=True)
class Images:
    """Training and held-out images, uint8 and flat, with binary attributes or None."""

    name: str
    image_shape: tuple
    train: np.ndarray
    test: np.ndarray
    attribute_names: list
    attributes_train: np.ndarray = None
    attributes_test: np.ndarray = None


def load(source, cache, n_train, n_test):
    """Return at most so many images of a source such as "celeba:ROOT" or "npz:PATH".

    Which rows are kept or held out depends on no option but these numbers.
    """
    kind, _, path = source.partition(":")
    X, image_shape, attributes, names, train, test = READERS[kind](Path(path), Path(cache))
    rng = np.random.default_rng(SPLIT_SEED)
    train, test = _at_most(n_train, train, rng), _at_most(n_test, test, rng)
    images = (source_name(source), image_shape, _rows(X, train), _rows(X, test))
    if attributes is None:
        return Images(*images, [])
    known = attributes[train].sum(0)
    kept = (known >= FEWEST_POSITIVE) & (known <= len(train) - FEWEST_POSITIVE)
    names = [name for name, keep in zip(names, kept, strict=True) if keep]
    attributes = attributes[:, kept]
    return Images(*images, names, attributes[train], attributes[test])


def source_name(source):
    """Return the name of the data, for files."""
    kind, _, path = source.partition(":")
    return kind if kind == "celeba" else Path(path).stem


def _read_npz(path, cache):
    """Return the images of a file, their attributes, and a random split of them."""
    with np.load(path) as content:
        X, keys = content["X"], set(content)
        factors = next((content[key] for key in ("factors", "y") if key in keys), None)
        names = [str(name) for name in content["factor_names"]] if "factor_names" in keys else None
    if X.dtype != np.uint8 or X.ndim not in (3, 4):
        raise SystemExit(
            f"--data npz: needs X of uint8, (n, height, width) or (n, height, width, channels). "
            f"Got {X.dtype}, {X.shape} instead."
        )
    image_shape = (*X.shape[1:], 1)[:3]
    X = X.reshape(len(X), -1)
    shuffled = np.random.default_rng(SPLIT_SEED).permutation(len(X))
    n_test = round(HELD_OUT * len(X))
    split = (shuffled[n_test:], shuffled[:n_test])
    if factors is None:
        return X, image_shape, None, [], *split
    return X, image_shape, *_binary(factors.reshape(len(X), -1), names), *split


def _binary(factors, names):
    """Return every value of every factor as an attribute that an image has or lacks."""
    columns, labels = [], []
    names = names or [f"y{k}" for k in range(factors.shape[1])]
    for name, factor in zip(names, factors.T, strict=True):
        values = np.unique(factor)
        for value in values[1:] if len(values) == 2 else values:
            columns.append(factor == value)
            labels.append(f"{name}={value:g}")
    return np.stack(columns, 1), labels


def _read_celeba(root, cache):
    """Return the faces, mapped from the disk and read once, and the official split."""
    pixels, lists = cache / "celeba.npy", cache / "celeba.npz"
    if not lists.exists():
        faces = load_celeba(root, memmap=pixels, verbose=1)
        content = {"attributes": faces.attributes.to_numpy(), "split": faces.split}
        np.savez(lists, names=np.array(faces.attributes.columns, dtype=str), **content)
    with np.load(lists) as content:
        attributes, split = content["attributes"], content["split"]
        names = [str(name) for name in content["names"]]
    X = np.load(pixels, mmap_mode="r")
    parts = (np.flatnonzero(split == part) for part in ("train", "test"))
    return X, (64, 64, 3), attributes, names, *parts


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
