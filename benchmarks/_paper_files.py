"""The files with images for the paper's experiment, and what they contain."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from _common import write_whole

from skvae.datasets import load_celeba, load_factor_images

__all__ = ["READERS", "SPLIT_SEED", "said"]

# Share and largest number of held-out images of a file. Neighbour measures compare all pairs of
# held-out images. With 2,000 images, the standard error of a share is 1 %.
HELD_OUT, MOST_HELD_OUT = 0.2, 2_000
SPLIT_SEED = 0


@dataclass(frozen=True)
class Content:
    """All images of a source, what is known of each, and the rows of the two parts."""

    X: np.ndarray
    image_shape: tuple
    train: np.ndarray
    test: np.ndarray
    attribute_names: tuple = ()
    attributes: np.ndarray = None
    factor_names: tuple = ()
    factor_levels: tuple = ()
    factors: np.ndarray = None


@contextmanager
def said(kind):
    """Exit with the message of an error in the block, which reads files of any content."""
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        raise SystemExit(f"--data {kind}: {error}") from error


def _read_npz(path, cache):
    """Return the images of a file, what is known of them, and a random split."""
    arrays = _arrays(path)
    known = _with_labels(arrays["X"], arrays.get("y")) if arrays else _with_factors(path)
    n_images = len(known["X"])
    shuffled = np.random.default_rng(SPLIT_SEED).permutation(n_images)
    n_test = min(MOST_HELD_OUT, round(HELD_OUT * n_images))
    return Content(train=shuffled[n_test:], test=shuffled[:n_test], **known)


def _arrays(path):
    """Return X and y of a file without factors, or an empty dict for a file with factors."""
    if not path.is_file():
        raise FileNotFoundError(
            f"needs a file of images. Got {str(path)!r} instead, which is none. Give the path of "
            f"a .npz file."
        )
    with path.open("rb") as file:
        try:
            content = np.load(file, allow_pickle=False)
            keys = content.files
            wanted = () if "factors" in keys else ("X", "y")
            arrays = {key: content[key] for key in wanted if key in keys}
        except MemoryError:
            raise  # a problem of the machine
        except Exception as error:  # damaged archives: any error; .npy: AttributeError
            raise ValueError(
                f"needs a .npz file of arrays. Got {path.name} instead, which is damaged, "
                f"encrypted or of another kind, or has arrays of objects. Write it by "
                f"numpy.savez_compressed."
            ) from error
    if "X" not in keys:
        raise ValueError(
            f"needs a file with X, uint8 images. Got {path.name} with "
            f"{', '.join(keys) or 'nothing'} instead. Write it by numpy.savez_compressed(path, "
            f"X=images)."
        )
    return arrays


def _with_factors(path):
    """Return images and factors. Each level of a factor with named levels is an attribute.

    If some factors have named levels, the other factors are quantities, such as shifts, sizes and
    tilts. An image does not have or lack a step of a quantity. So these are not attributes.
    """
    known = load_factor_images(path)
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
    """Return images, with each label of y as an attribute. A class is not a factor of an image."""
    if X.dtype != np.uint8 or X.ndim not in (3, 4) or 0 in X.shape:
        raise ValueError(
            f"needs X of uint8, (n, height, width) or (n, height, width, channels). Got {X.dtype}, "
            f"{X.shape} instead. Convert X."
        )
    known = {"X": X.reshape(len(X), -1), "image_shape": (*X.shape[1:], 1)[:3]}
    if y is None:
        return known
    if y.dtype.kind not in "iubU" or y.ndim not in (1, 2) or len(y) != len(X) or not y.size:
        raise ValueError(
            f"needs y of labels, integers or text, ({len(X)},) or ({len(X)}, n_labels), one for "
            f"each image of X. Got {y.dtype}, {y.shape} instead. Convert y, or leave it out."
        )
    columns = [np.unique(column, return_inverse=True) for column in y.reshape(len(X), -1).T]
    attributes, attribute_names = _binary(
        np.stack([levels for _, levels in columns], axis=1),
        [f"y{place}" for place in range(len(columns))],
        [values for values, _ in columns],
    )
    return {**known, "attributes": attributes, "attribute_names": attribute_names}


def _binary(factors, names, factor_levels):
    """Return every level of every factor as an attribute; of two levels, only the second."""
    columns, labels = [], []
    for name, factor, levels in zip(names, factors.T, factor_levels, strict=True):
        for number in range(len(levels))[len(levels) == 2 :]:
            columns.append(factor == number)
            labels.append(f"{name}={levels[number]}")
    return np.stack(columns, 1), tuple(labels)


def _read_celeba(root, cache):
    """Return the faces, mapped from the disk, and the official split. They are read only once.

    An attribute is a factor with two levels.
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
    """Write the pixels, and then what is known of them. Each file is complete or missing."""
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
