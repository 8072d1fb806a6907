"""dSprites: images of every combination of six factors, read from the official file."""

import math
import os
import zipfile
from os import PathLike

import numpy as np
from sklearn.utils import Bunch

from skvae.datasets.dataset import Dataset
from skvae.datasets.rows import check_memmap, stacked

__all__ = ["load_dsprites"]

KEYS = ("imgs", "latents_classes", "latents_values")
FACTORS = ("colour", "shape", "scale", "orientation", "pos_x", "pos_y")
MOST_BYTES = 2**32  # largest unpacked size of an array; the official images have 3.02e9
MOST_LEVELS = 2**31
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def load_dsprites(
    path: str | PathLike[str],
    *,
    drop_constant: bool = False,
    memmap: str | PathLike[str] | None = None,
) -> Bunch:
    r"""Read dSprites, white shapes on black with known factors, from its official file.

    The file has 737,280 images of 64 x 64 pixels, which are 0 or 1. They are all combinations of 1
    colour, 3 shapes (square, ellipse, heart), 6 scales, 40 orientations, and 32 positions in each
    direction. In their order, the last factor changes fastest. Nothing is downloaded. Get
    ``dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz``, 26 MB, from
    https://github.com/google-deepmind/dsprites-dataset (Apache-2.0).

    The orientations are 40 equal steps from 0 to :math:`2 \pi`, including both. The first and the
    last orientation therefore give the same image, although the data count them as two levels.

    Parameters
    ----------
    path : str or path-like
        The .npz file. Its pickled ``metadata`` is never read.
    drop_constant : bool, default=False
        Whether to leave out factors with only one level. In the official file this is the colour,
        which no disentanglement score can use.
    memmap : str or path-like, default=None
        A .npy file to unpack the images to, instead of 3 GB of memory. An existing file is replaced
        once the new one is complete. Do not change the file while it is in use; see
        :func:`load_images`.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_images, 4096), uint8, 0 or 1, in C order. With ``memmap`` it is
          a read-only memory map.
        - factors : ndarray of shape (n_images, 6), int64: the level of each factor, from 0
        - factor_values : ndarray of shape (n_images, 6), float64: the value of this level. The
          shape is 1, 2 or 3, the orientation is in radians, positions are in [0, 1]
        - factor_names : ("colour", "shape", "scale", "orientation", "pos_x", "pos_y")
        - factor_sizes : (1, 3, 6, 40, 32, 32), the number of levels of each factor
        - image_shape : (64, 64, 1)

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If it is another file, is encrypted, or unpacks to more than 4 GiB; if a class is negative
        or a value not finite; if a parameter is out of its range.

    References
    ----------
    Matthey, Higgins, Hassabis & Lerchner (2017), dSprites: Disentanglement testing Sprites
    dataset.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skvae.datasets import load_dsprites
    >>> levels = np.array([[0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez_compressed(
    ...         f"{folder}/dsprites.npz",
    ...         imgs=np.zeros((2, 64, 64), dtype=np.uint8),
    ...         latents_classes=levels,
    ...         latents_values=levels + 1.0,
    ...     )
    ...     sprites = load_dsprites(f"{folder}/dsprites.npz")
    >>> sprites.data.shape
    (2, 4096)
    >>> sprites.factor_sizes
    (1, 2, 1, 1, 1, 1)
    """
    check_memmap(memmap, "load_dsprites")
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"load_dsprites needs the file of the images. Got {os.fspath(path)!r} instead, which "
            f"is none. Get it from github.com/google-deepmind/dsprites-dataset."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return _sprites(archive, drop_constant, memmap)
    except MemoryError:
        raise
    except Exception as error:  # for example, an archive that is encrypted or uses another packing
        if str(error).startswith("load_dsprites"):
            raise
        raise ValueError(
            f"load_dsprites needs the official .npz file of dSprites. Got "
            f"{os.path.basename(path)} instead, which is damaged or of another kind. Get it again."
        ) from error


def _sprites(archive, drop_constant, memmap):
    missing = [key for key in KEYS if f"{key}.npy" not in archive.namelist()]
    if missing:
        raise ValueError(
            f"load_dsprites needs a file with imgs, latents_classes and latents_values. Got "
            f"{os.path.basename(archive.filename)} without {', '.join(missing)} instead. Give the "
            f"official .npz file of dSprites."
        )
    classes, values = _array(archive, "latents_classes"), _array(archive, "latents_values")
    _size(archive, "imgs")
    with archive.open("imgs.npy") as file:
        n_images, height, width = _header(file, classes, values)
        _check_latents(classes, values)
        rows = (file.read(height * width) for _ in range(n_images))
        data = stacked(rows, n_images, height * width, memmap)
    sizes = classes.max(axis=0) + 1
    kept = np.flatnonzero(sizes > 1) if drop_constant else np.arange(len(FACTORS))
    return Dataset(
        data=data,
        factors=classes[:, kept].astype(np.int64, copy=False),
        factor_values=values[:, kept],
        factor_names=tuple(FACTORS[factor] for factor in kept),
        factor_sizes=tuple(int(size) for size in sizes[kept]),
        image_shape=(height, width, 1),
    )


def _array(archive, key):
    """Return an array, after checking its size against the archive before using memory."""
    with archive.open(f"{key}.npy") as file:
        shape, _, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    if math.prod(shape) * dtype.itemsize > _size(archive, key):
        raise ValueError(f"{key} is cut short")
    with archive.open(f"{key}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _size(archive, key):
    """Return the unpacked size of a member in bytes, as the archive states it."""
    size = archive.getinfo(f"{key}.npy").file_size
    if size > MOST_BYTES:
        raise ValueError(
            f"load_dsprites needs arrays of at most {MOST_BYTES} bytes. Got {key} of {size} "
            f"instead. Give the official .npz file of dSprites."
        )
    return size


def _check_latents(classes, values):
    if classes.min() < 0 or classes.max() >= MOST_LEVELS or not np.isfinite(values).all():
        raise ValueError(
            f"load_dsprites needs latents_classes from 0 to {MOST_LEVELS - 1} and latents_values "
            f"that are finite. Got others instead. Give the official .npz file of dSprites."
        )


def _header(file, classes, values):
    """Return the shape of the images, and move the file to the start of their pixels."""
    version = np.lib.format.read_magic(file)
    shape, fortran_order, dtype = HEADERS[version](file)
    expected = (*shape[:1], len(FACTORS))
    if (
        len(shape) != 3
        or 0 in shape
        or fortran_order
        or dtype != np.uint8
        or classes.dtype.kind not in "iu"
        or values.dtype.kind not in "iuf"
        or not classes.shape == values.shape == expected
    ):
        raise ValueError(
            f"load_dsprites needs imgs of shape (n, height, width) and uint8, in C order, and "
            f"latents of shape (n, 6), the classes integers. Got imgs {shape} of {dtype}, "
            f"latents_classes {classes.shape} of {classes.dtype} and latents_values "
            f"{values.shape} instead. Give the official .npz file of dSprites."
        )
    return shape
