"""CelebA: aligned photographs of faces, read from the official files."""

import os
from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skvae._frames import import_pandas
from skvae._typing import Integers
from skvae.datasets.dataset import Dataset
from skvae.datasets.images import ImageReader, image_names

__all__ = ["load_celeba"]

CROPS = {"paper": (30, 50, 118, 118), "aligned": (0, 20, 178, 178)}
SPLITS = ("train", "valid", "test")  # coded as 0, 1, 2 in the file
LISTS = {"list_attr_celeba": "Anno", "list_eval_partition": "Eval"}  # with their folders
MOST_LIST_BYTES = 2**28  # ten times the size of the official list of attributes
SOURCE = "mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


def load_celeba(
    root: str | PathLike[str],
    *,
    image_shape: Integers = (64, 64, 3),
    split: str | None = None,
    crop: str | Integers = "paper",
    memmap: str | PathLike[str] | None = None,
    on_error: str = "warn",
    verbose: int = 0,
) -> Bunch:
    """Read CelebA's aligned and cropped faces, their attributes and the official split.

    CelebA has 202,599 photographs of 10,177 people, with 178 x 218 pixels and 40 binary attributes.
    Nothing is downloaded. Get ``img_align_celeba.zip``, ``list_attr_celeba.txt`` and
    ``list_eval_partition.txt`` from http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, whose terms
    allow non-commercial research only, and unpack the images. The function expects the layout of
    the source, with or without its folders ``Img``, ``Anno`` and ``Eval``::

        root/[Img/]img_align_celeba/000001.jpg, 000002.jpg, ...
        root/[Anno/]list_attr_celeba.txt
        root/[Eval/]list_eval_partition.txt

    It also reads the layout of common mirrors: both lists as .csv with a header line, and the
    images in a folder ``img_align_celeba`` inside a folder of the same name.

    All faces at 64 x 64 in colour take 2.5 GB. Use ``memmap`` if that is too much memory. The
    function needs Pillow and pandas: ``pip install skvae[images]``.

    Parameters
    ----------
    root : str or path-like
        The folder that contains the images and the two lists.
    image_shape : (height, width, channels), default=(64, 64, 3)
        Shape of the returned images, with 1 channel for grey, 3 for RGB or 4 for RGBA.
    split : {"train", "valid", "test"}, default=None
        The official part to read: 162,770, 19,867 or 19,962 faces. None reads all.
    crop : {"paper", "aligned"} or (left, top, width, height), default="paper"
        The part of each image to use, in pixels. "paper" is (30, 50, 118, 118), a square close
        around the face with little background. Schik's program writes the same square as the box
        (30, 50, 148, 168), with left, upper, right and lower edge. "aligned" is (0, 20, 178, 178),
        the central square at full width. None uses the whole image, which is distorted if
        ``image_shape`` has another aspect ratio.
        ``image_shape`` of another aspect ratio distorts.
    memmap : str or path-like, default=None
        A .npy file to write the rows to instead of memory, as in :func:`load_images`.
    on_error : {"warn", "raise"}, default="warn"
        What to do with a listed image that is missing, corrupt or smaller than the crop. "warn"
        leaves it out of all results, and warns once at the end. "raise" raises an error.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    Bunch
        Row ``i`` of each entry belongs to the same face, in the order of the lists.

        - data : ndarray of shape (n_images, height * width * channels), uint8, in C order.
          With ``memmap`` it is a read-only memory map.
        - filenames : ndarray of shape (n_images,) of str, such as "000001.jpg"
        - image_shape : (height, width, channels)
        - attributes : DataFrame of shape (n_images, 40) of bool, indexed by ``filenames``
        - split : ndarray of shape (n_images,) of str, "train", "valid" or "test"

    Raises
    ------
    ImportError
        If Pillow or pandas is not installed.
    FileNotFoundError
        If the images or a list are in neither of the two places.
    ValueError
        If a list is malformed, names a file in another folder or is larger than 256 MiB; if the two
        lists do not name the same files; if the folder has files that are not listed; or for the
        reasons of :func:`load_images`.

    References
    ----------
    Liu, Luo, Wang & Tang (2015), Deep learning face attributes in the wild, ICCV.

    Schik, Overview of Variational Autoencoder-based Generative Models.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skvae.datasets import load_celeba
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = Path(folder)
    ...     (root / "img_align_celeba").mkdir()
    ...     Image.new("RGB", (178, 218)).save(root / "img_align_celeba" / "000001.jpg")
    ...     list_attr = "1\\nSmiling Young\\n000001.jpg  1 -1\\n"
    ...     _ = (root / "list_attr_celeba.txt").write_text(list_attr)
    ...     _ = (root / "list_eval_partition.txt").write_text("000001.jpg 2\\n")
    ...     faces = load_celeba(root)
    >>> faces.data.shape
    (1, 12288)
    >>> faces.attributes
                Smiling  Young
    000001.jpg     True  False
    >>> faces.split
    array(['test'], dtype='<U5')
    """
    if split is not None and split not in SPLITS:
        raise ValueError(
            f"load_celeba needs a split of 'train', 'valid', 'test' or None. Got {split!r} "
            f"instead. Choose one of them."
        )
    crop = _checked_crop(crop)
    reader = ImageReader("load_celeba", image_shape, crop, memmap, on_error, verbose)
    attributes, splits = _lists(root)
    folder = _image_folder(root)
    _check_listed(folder, attributes.index)
    if split is not None:
        attributes, splits = attributes[splits == split], splits[splits == split]
    if not len(attributes):
        raise ValueError(
            f"load_celeba needs files in the split asked for. Got a list_eval_partition "
            f"without any of {split!r} instead. Choose another, or get the lists again."
        )
    data, kept = reader.read(folder, list(attributes.index))
    return Dataset(
        data=data,
        filenames=np.array(attributes.index[kept], dtype=str),
        image_shape=reader.image_shape,
        attributes=attributes.iloc[kept],
        split=splits[kept],
    )


def _checked_crop(crop):
    if not isinstance(crop, str):
        return crop
    if crop not in CROPS:
        raise ValueError(
            f"load_celeba needs a crop of 'paper', 'aligned', (left, top, width, height) or None. "
            f"Got {crop!r} instead. Choose one of them."
        )
    return CROPS[crop]


def _image_folder(root):
    """Return the folder of the images: the inner one of two if the outer has no files."""
    name = "img_align_celeba"
    folder = _find(root, name, [Path(root, name), Path(root, "Img", name)], Path.is_dir, "Img")
    inner = folder / name
    return inner if inner.is_dir() and not any(map(Path.is_file, folder.iterdir())) else folder


def _list(root, name):
    """Return the path of a list, which must be a regular file of limited size."""
    parent = LISTS[name]
    paths = [
        Path(root, *inner, name + end) for end in (".txt", ".csv") for inner in ((), (parent,))
    ]
    path = _find(root, f"{name}.txt", paths, Path.is_file, parent)
    if path.stat().st_size > MOST_LIST_BYTES:
        raise ValueError(_malformed(path))
    return path


def _find(root, name, paths, is_there, parent):
    """Return the first of the paths that exists, or raise an error that names the file."""
    for path in paths:
        if is_there(path):
            return path
    raise FileNotFoundError(
        f"load_celeba needs {name} in the root or in its folder {parent}. Got the root "
        f"{os.fspath(root)!r} without it instead. Get it from {SOURCE}, or give another root."
    )


def _lists(root):
    """Return the attributes, indexed by file name, and the split of each row."""
    paths = _list(root, "list_attr_celeba"), _list(root, "list_eval_partition")
    attributes, partition = _attributes(paths[0]), _partition(paths[1])
    if not attributes.index.equals(partition.index):
        raise ValueError(
            f"load_celeba needs {paths[0].name} and {paths[1].name} to list the same files in the "
            f"same order. Got {len(attributes)} and {len(partition)} files that differ instead. "
            f"Get both again."
        )
    return attributes, np.array(SPLITS)[partition.to_numpy()]


def _attributes(path):
    if path.suffix == ".csv":
        table = _table(path, index_col=0)
        count = len(table)
    else:
        try:
            with open(path) as file:
                count = int(file.readline())
        except ValueError as error:
            raise ValueError(_malformed(path)) from error
        table = _table(path, sep=r"\s+", skiprows=1)
    if not table.isin([-1, 1]).all(axis=None):
        raise ValueError(_malformed(path))
    if len(table) != count:
        raise ValueError(
            f"load_celeba needs {path.name} to have as many rows as its first line says, {count}. "
            f"Got {len(table)} instead. Get the file again."
        )
    _check_names(table.index, path)
    return table == 1


def _partition(path):
    if path.suffix == ".csv":
        table = _table(path, index_col=0)
    else:
        table = _table(path, sep=r"\s+", header=None, index_col=0)
    if table.shape[1] != 1 or not table.isin([0, 1, 2]).all(axis=None):
        raise ValueError(_malformed(path))
    return table.iloc[:, 0]


def _table(path, **options):
    """Return a list as a DataFrame whose index has no name."""
    pandas = import_pandas("load_celeba", "the attributes")
    try:
        return pandas.read_csv(path, **options).rename_axis(index=None)
    except ValueError as error:
        raise ValueError(_malformed(path)) from error


def _check_names(names, path):
    """Raise an error if a name in a list is not a file in the folder of images itself."""
    for name in names:
        if not isinstance(name, str) or not name.strip(".") or {"/", "\\", "\0"} & set(name):
            raise ValueError(
                f"load_celeba needs {path.name} to name files of the folder of images. Got "
                f"{name!r} instead. Get the file again."
            )


def _malformed(path):
    layout = {
        "list_attr_celeba.txt": "a count, a line of names, and rows of a file and of -1 or 1",
        "list_attr_celeba.csv": "a line of names, and rows of a file and of -1 or 1",
        "list_eval_partition.txt": "rows of a file and 0, 1 or 2",
        "list_eval_partition.csv": "a line of names, and rows of a file and 0, 1 or 2",
    }
    return (
        f"load_celeba needs {path.name} to hold {layout[path.name]}. Got something else instead. "
        f"Get the file again."
    )


def _check_listed(folder, listed):
    unlisted = sorted(set(image_names(folder, "load_celeba")).difference(listed))
    if unlisted:
        raise ValueError(
            f"load_celeba needs every image to be in the list of attributes. Got {len(unlisted)} "
            f"that are not instead, the first of them {unlisted[0]}. Remove them, or get the "
            f"lists again."
        )
