"""Read a folder of image files into an array with one row for each."""

import os
from os import PathLike

import numpy as np
from sklearn.utils import Bunch
from tqdm.auto import tqdm

from skvae._typing import Integers
from skvae._warnings import warn
from skvae.datasets.dataset import Dataset
from skvae.datasets.grids import is_integer
from skvae.datasets.pixels import KINDS, MODES, import_pillow, open_upright, pixel_row
from skvae.datasets.rows import check_memmap, stacked

__all__ = ["ImageReader", "image_names", "load_images"]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
LOST = "missing, corrupt, of another kind or smaller than the crop"
N_NAMED = 5  # files that a warning lists by name


def load_images(
    folder: str | PathLike[str],
    image_shape: Integers,
    *,
    crop: Integers | None = None,
    memmap: str | PathLike[str] | None = None,
    on_error: str = "warn",
    verbose: int = 0,
) -> Bunch:
    """Read a folder of JPEG, PNG, WebP, BMP and TIFF files as rows of pixels.

    The function reads files whose names end in .jpg, .jpeg, .png, .webp, .bmp, .tif or .tiff, in
    upper or lower case, from the folder and its subfolders, sorted by path. It skips hidden files
    and folders (whose names start with a dot), and does not follow links to folders. If a file has
    several images, the first one is used. Each image is

    1. rotated upright, according to its EXIF orientation,
    2. cropped,
    3. converted to 8 bits and the given channels. Grey is the ITU-R 601-2 luma. A grey image has
       equal red, green and blue. From 16 bits the high byte is kept. Transparent pixels are put on
       black, unless ``image_shape`` includes an alpha channel; an opaque image has alpha 255.
       Palette and CMYK images become RGB first. Colour profiles are not applied.
    4. resized with a Lanczos filter. Pillow widens the filter when it shrinks an image, to prevent
       aliasing. The image is stretched to the aspect ratio of ``image_shape``; crop it to keep its
       own. An image that already has the right size keeps its pixels.

    The function needs Pillow: ``pip install skvae[images]``.

    Parameters
    ----------
    folder : str or path-like
        The folder with the files.
    image_shape : (height, width, channels)
        Shape of the returned images, with 1 channel for grey, 3 for RGB or 4 for RGBA.
    crop : (left, top, width, height), default=None
        The part of each upright image to use, in pixels.
    memmap : str or path-like, default=None
        A .npy file to write the rows to instead of memory. Memory then holds only a few images at a
        time. An existing file is replaced once the new one is complete. Open the file again with
        ``numpy.load(memmap, mmap_mode="r")``. Do not change the file while it is in use: if it is
        shortened, reading the lost part ends the process with a bus error, which Python cannot
        catch.
    on_error : {"warn", "raise"}, default="warn"
        What to do with a file that is not an image of these kinds, is corrupt, is smaller than the
        crop, has more than 89,478,485 pixels, or is a TIFF file of 32 bits. "warn" leaves it out
        and warns once at the end. "raise" raises an error.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_images, height * width * channels), uint8, in C order: row
          ``i`` is the image ``data[i].reshape(image_shape)``. With ``memmap`` it is a read-only
          memory map.
        - filenames : ndarray of shape (n_images,) of str, the path of each file relative to the
          folder, with "/" as the separator
        - image_shape : (height, width, channels)

    Raises
    ------
    ImportError
        If Pillow is not installed.
    FileNotFoundError
        If the folder is missing.
    ValueError
        If no image in the folder can be used; if a file cannot be read or is smaller than the crop,
        with ``on_error="raise"``; if a parameter is out of its range.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> from skvae.datasets import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (32, 48), (255, 128, 0)).save(f"{folder}/orange.png")
    ...     images = load_images(folder, (8, 8, 3))
    >>> images.filenames
    array(['orange.png'], dtype='<U10')
    >>> images.data.shape
    (1, 192)
    >>> images.data[0, :3]
    array([255, 128,   0], dtype=uint8)
    """
    reader = ImageReader("load_images", image_shape, crop, memmap, on_error, verbose)
    names = image_names(folder, "load_images")
    data, kept = reader.read(folder, names)
    return Dataset(data=data, filenames=np.array(names)[kept], image_shape=reader.image_shape)


def image_names(folder, function):
    """Return the sorted relative paths of the image files in a folder."""
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"{function} needs a folder of images. Got {os.fspath(folder)!r} instead, which is "
            f"none. Give the path of one that exists."
        )
    names = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(EXTENSIONS) and not name.startswith("."):
                path = os.path.relpath(os.path.join(parent, name), folder)
                names.append(path.replace(os.sep, "/"))
    if not names:
        raise ValueError(
            f"{function} needs a folder with files of {', '.join(EXTENSIONS)}. Got "
            f"{os.fspath(folder)!r} instead, which has none. Give the folder that holds them."
        )
    return sorted(names)


class ImageReader:
    """Read image files into one array. The arguments are checked before any file is read.

    Parameters
    ----------
    function : str
        The name that error messages start with.
    image_shape, crop, memmap, on_error, verbose
        As in :func:`load_images`.
    """

    def __init__(self, function, image_shape, crop, memmap, on_error, verbose):
        self.function = function
        self.image_shape = _checked_shape(image_shape, function)
        self.crop = None if crop is None else _checked_crop(crop, function)
        self.memmap = memmap
        self.on_error = on_error
        self.verbose = verbose
        check_memmap(memmap, function)
        if on_error not in ("warn", "raise"):
            raise ValueError(
                f"{function} needs an on_error of 'warn' or 'raise'. Got {on_error!r} instead. "
                f"Choose one of the two."
            )
        import_pillow()

    def read(self, folder, names):
        """Return the rows of all readable files, and the indices of these files in ``names``.

        Parameters
        ----------
        folder : str or path-like
            The folder of the files.
        names : list of str
            Paths relative to the folder.

        Returns
        -------
        data : ndarray of shape (n_kept, height * width * channels), uint8
        kept : list of int
        """
        kept = []
        rows = self._rows(folder, names, kept)
        n_columns = int(np.prod(self.image_shape))
        data = stacked(rows, len(names), n_columns, self.memmap)
        if len(kept) < len(names):
            lost = np.setdiff1d(np.arange(len(names)), kept)
            named = ", ".join(names[place] for place in lost[:N_NAMED])
            warn(
                f"{self.function} needs files that are {KINDS}. Got {len(lost)} of {len(names)} "
                f"that are {LOST} instead: {named}{', ...' if len(lost) > N_NAMED else ''}. They "
                f"have no row; mend or remove them."
            )
        return data, kept

    def _rows(self, folder, names, kept):
        """Yield the row of every readable file, after adding its index to ``kept``."""
        cause = None
        for place, name in enumerate(tqdm(names, unit="image", disable=not self.verbose)):
            try:
                row = self._row(os.path.join(folder, name), name)
            except _Refused as error:
                if self.on_error == "raise":
                    raise ValueError(str(error)) from error.__cause__
                cause = cause or error
                continue
            kept.append(place)
            yield row
        if not kept:
            raise ValueError(
                f"{self.function} needs files that are {KINDS}. Got {len(names)} that are all "
                f"{LOST} instead, the first of them {names[0]}. Get them again, or crop less."
            ) from cause

    def _row(self, path, name):
        """Return the pixels of a file, or raise an error that says why there are none."""
        try:
            image = open_upright(path)
            if self._holds_crop(image):
                return pixel_row(image, self.image_shape, self.crop)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's decoders can raise almost any error
            raise _Refused(
                f"{self.function} needs files that are {KINDS}. Got {name} instead, which is "
                f"missing, corrupt or of another kind. Mend or remove it, or set on_error='warn'."
            ) from error
        left, top, width, height = self.crop
        raise _Refused(
            f"{self.function} needs images of at least {left + width} x {top + height} pixels "
            f"(width x height) for crop={self.crop}. Got {name} of {image.width} x {image.height} "
            f"instead. Set a smaller crop, or remove the file."
        )

    def _holds_crop(self, image):
        if self.crop is None:
            return True
        left, top, width, height = self.crop
        return left + width <= image.width and top + height <= image.height


class _Refused(Exception):
    """A file cannot be used; the message says why."""


def _checked_shape(image_shape, function):
    checked = _integers(image_shape, least=(1, 1, 1))
    if checked is None or checked[2] not in MODES:
        raise ValueError(
            f"{function} needs an image_shape of (height, width, channels) with 1, 3 or 4 "
            f"channels. Got {image_shape!r} instead. Give three such integers, as in (64, 64, 3)."
        )
    return checked


def _checked_crop(crop, function):
    checked = _integers(crop, least=(0, 0, 1, 1))
    if checked is None:
        raise ValueError(
            f"{function} needs a crop of (left, top, width, height) in pixels. Got {crop!r} "
            f"instead. Give four such integers, as in (0, 0, 64, 64), or None."
        )
    return checked


def _integers(values, least):
    """Return values as a tuple of int, or None if one is not an integer or below its bound."""
    values = tuple(values) if np.iterable(values) else ()
    if len(values) != len(least) or not all(map(is_integer, values)):
        return None
    if any(value < bound for value, bound in zip(values, least, strict=True)):
        return None
    return tuple(int(value) for value in values)
