"""Images with known factors of variation, read from one file."""

import json
import os
import zipfile
from os import PathLike

import numpy as np
from sklearn.utils import Bunch

from skvae.datasets.dataset import Dataset

__all__ = ["load_factor_images"]

FUNCTION = "load_factor_images"


def load_factor_images(path: str | PathLike[str]) -> Bunch:
    """Read images, the factors that they were made from, and the names of their levels.

    The file is a .npz file, as written by ``numpy.savez_compressed``, with

    - ``X``, uint8, of shape (n_images, height, width) or (n_images, height, width, channels)
    - ``factors``, integers of shape (n_images, n_factors)
    - ``factor_names``, optional: text of shape (n_factors,)
    - ``factor_levels``, optional: JSON text. It is an object that maps the names of some or all
      factors to lists of level names. The integers of a factor are indices of its list. **Equal
      names are one level**: a list may repeat a name, so that this level is drawn more often.

    Nothing is downloaded. ``benchmarks/avatars`` makes such a file of 12,000 drawn faces, with
    hair, glasses, beard and twelve more factors.

    Parameters
    ----------
    path : str or path-like
        The .npz file. Pickled objects are never read: an array of objects raises an error.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_images, height * width * channels), uint8, in C order
        - factors : ndarray of shape (n_images, n_factors), int64: the level of each factor, from 0
        - factor_names : tuple of str; "factor0", "factor1", ... if the file has none
        - factor_levels : tuple of tuples: for each factor, the meaning of its levels 0, 1, ...
          These are the names, in the order of their first occurrence in the file. For a factor
          without names, they are its distinct integers in increasing order
        - factor_sizes : tuple of int, the numbers of levels, including levels without images
        - image_shape : (height, width, channels)

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If it is another kind of file, or its arrays do not match each other.

    See Also
    --------
    load_dsprites : Reads dSprites' official file.
    make_sprites : Makes images with known factors.

    Examples
    --------
    >>> import json
    >>> import tempfile
    >>> import numpy as np
    >>> from skvae.datasets import load_factor_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez_compressed(
    ...         f"{folder}/faces.npz",
    ...         X=np.zeros((3, 8, 8), dtype=np.uint8),
    ...         factors=[[0, -5], [1, 5], [2, 5]],
    ...         factor_names=["glasses", "tilt"],
    ...         factor_levels=json.dumps({"glasses": ["none", "none", "round"]}),
    ...     )
    ...     faces = load_factor_images(f"{folder}/faces.npz")
    >>> faces.data.shape
    (3, 64)
    >>> faces.factor_levels
    (('none', 'round'), (-5, 5))
    >>> faces.factors
    array([[0, 0],
           [0, 1],
           [1, 1]])
    """
    path = os.fsdecode(path)
    filename = os.path.basename(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{FUNCTION} needs a file of images. Got {path!r} instead, which is none. "
            f"Give the path of a .npz file."
        )
    with open(path, "rb") as file:
        try:
            content = _read(file)
        except MemoryError:
            raise  # this says nothing about the file
        # Damaged or encrypted archives can raise anything from NotImplementedError to OSError.
        except Exception as error:
            raise ValueError(
                f"{FUNCTION} needs a .npz file of arrays. Got {filename} instead, which is "
                f"damaged, encrypted or of another kind, or has arrays of objects. Write it by "
                f"numpy.savez_compressed."
            ) from error
    X, factors = _checked_arrays(content, filename)
    names = _checked_names(content, factors)
    known = _checked_levels(content, names)
    columns = [
        _by_name(column, known[name], name) if name in known else _by_value(column)
        for name, column in zip(names, factors.T, strict=True)
    ]
    return Dataset(
        data=X.reshape(len(X), -1),
        factors=np.stack([numbers for numbers, _ in columns], axis=1),
        factor_names=names,
        factor_levels=tuple(levels for _, levels in columns),
        factor_sizes=tuple(len(levels) for _, levels in columns),
        image_shape=(*X.shape[1:], 1)[:3],
    )


def _read(file):
    """Return {key: array} of a .npz file; other formats that NumPy reads are not accepted."""
    keys = ("X", "factors", "factor_names", "factor_levels")
    with zipfile.ZipFile(file) as archive:
        _check_members(archive, file)
        present = [key for key in keys if f"{key}.npy" in archive.namelist()]
        return {key: _read_array(archive, f"{key}.npy") for key in present}


def _check_members(archive, file):
    """Raise if the archive seems to lack a member, which could be an optional one."""
    file.seek(-12 - len(archive.comment), os.SEEK_END)  # the end of the file has their number
    if int.from_bytes(file.read(2), "little") != len(archive.infolist()):
        raise ValueError("members that nothing points to")
    for member in archive.infolist():
        archive.open(member).close()  # raises if the two copies of the name differ


def _read_array(archive, name):
    """Return an array after checking its checksum."""
    with archive.open(name) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
        if file.read(1):  # reading to the end compares the checksum
            raise ValueError(f"{name} goes on after its array")
    return array


def _checked_arrays(content, filename):
    """Return the images and the factors, or raise an error if they do not match."""
    missing = [key for key in ("X", "factors") if key not in content]
    if missing:
        raise ValueError(
            f"{FUNCTION} needs a file with X and factors. Got {filename} without "
            f"{' and '.join(missing)} instead. Write both, or read X by numpy.load."
        )
    X, factors = content["X"], content["factors"]
    if (
        X.dtype != np.uint8
        or X.ndim not in (3, 4)
        or 0 in X.shape
        or factors.dtype.kind not in "iu"
        or factors.ndim != 2
        or len(factors) != len(X)
        or not factors.shape[1]
    ):
        raise ValueError(
            f"{FUNCTION} needs X of shape (n, height, width) or (n, height, width, channels) and "
            f"uint8, and factors of shape (n, n_factors), integers. Got X {X.shape} of {X.dtype} "
            f"and factors {factors.shape} of {factors.dtype} instead. Write them so."
        )
    return X, factors


def _checked_names(content, factors):
    """Return a distinct name for every factor."""
    n_factors = factors.shape[1]
    if "factor_names" not in content:
        return tuple(f"factor{place}" for place in range(n_factors))
    names = np.ravel(content["factor_names"]).tolist()
    if (
        content["factor_names"].dtype.kind != "U"
        or len(names) != n_factors
        or len(set(names)) != n_factors
        or not all(name.strip() for name in names)
    ):
        raise ValueError(
            f"{FUNCTION} needs {n_factors} different factor_names of text, one for each column of "
            f"factors. Got {', '.join(map(repr, names)):.80} instead. Name every column."
        )
    return tuple(names)


def _checked_levels(content, names):
    """Return {factor: names of its levels} for factors whose levels have names."""
    if "factor_levels" not in content:
        return {}
    try:
        known = json.loads(str(content["factor_levels"]))
    except (ValueError, RecursionError):
        known = None
    if (
        not isinstance(known, dict)
        or not set(known) <= set(names)
        or not all(isinstance(levels, list) and levels for levels in known.values())
        or not all(_is_name(level) for levels in known.values() for level in levels)
    ):
        raise ValueError(
            f"{FUNCTION} needs factor_levels to be JSON, an object with lists of names for factors "
            f"of factor_names. Got {content['factor_levels']!s:.80} instead. Write it by "
            f"json.dumps."
        )
    return {name: [str(level) for level in levels] for name, levels in known.items()}


def _is_name(level):
    """Return whether a level name is text that is not blank, or a number."""
    if isinstance(level, str):
        return bool(level.strip())
    return isinstance(level, int | float) and not isinstance(level, bool)


def _by_name(column, names, factor):
    """Return the levels of a factor from the names of its integers, and the distinct names."""
    if column.min() < 0 or column.max() >= len(names):
        raise ValueError(
            f"{FUNCTION} needs integers from 0 to {len(names) - 1} of the factor {factor!r}, whose "
            f"factor_levels are {len(names)}. Got {column.min()} to {column.max()} instead. Name "
            f"every level, or none."
        )
    different = tuple(dict.fromkeys(names))
    places = np.array([different.index(name) for name in names], dtype=np.int64)
    return places[column], different


def _by_value(column):
    """Return the levels of a factor without names, and its distinct integers."""
    values, places = np.unique(column, return_inverse=True)
    return places.astype(np.int64), tuple(values.tolist())
