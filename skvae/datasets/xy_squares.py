"""Images whose factors pixel distances do not reveal: squares that move in steps of their size."""

from os import PathLike

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skvae._frames import factor_frame
from skvae._typing import Seed
from skvae.datasets.grids import bunch, check_integer, grid_levels
from skvae.datasets.rows import check_memmap, stacked

__all__ = ["make_xy_squares"]

FUNCTION = "make_xy_squares"
FACTORS = ("pos_x_red", "pos_y_red", "pos_x_green", "pos_y_green", "pos_x_blue", "pos_y_blue")
CHUNK = 2**20  # pixels drawn at once


def make_xy_squares(
    n_samples: int | None = None,
    *,
    size: int = 64,
    square_size: int = 8,
    spacing: int = 8,
    memmap: str | PathLike[str] | None = None,
    as_frame: bool = False,
    random_state: Seed = None,
) -> Bunch:
    r"""Draw a red, a green and a blue square at positions that pixel distances do not order.

    This is a negative control. The six factors are easy to see, but a VAE compares pixels, and has
    no reason to keep them apart. Each square has its own channel, so that squares do not hide each
    other, and stands on a grid of positions :math:`(x, y)`. In one channel, the squared distance of
    two images is

    .. math::
        \lVert a - b \rVert^2 = 255^2 \cdot 2 \left(w^2 - o_x o_y\right), \\
        o_x = \max(0, w - |x_a - x_b|), \quad o_y = \max(0, w - |y_a - y_b|)

    where :math:`w` is the width of a square. If the ``spacing`` of the positions is at least
    :math:`w`, squares at different positions do not overlap, and all positions are equally far from
    each other. The reconstruction error then says whether a square is at its position, but not how
    close it is. Nothing makes the codes of neighbouring positions similar. A smaller ``spacing``
    makes squares overlap, and VAEs can then learn the positions.

    The defaults make 262,144 images, 3 GB. Draw ``n_samples`` of them, set a larger ``spacing``, or
    use ``memmap``.

    Parameters
    ----------
    n_samples : int, default=None
        Number of images to draw uniformly from the grid. Factors are then independent, and an image
        can occur twice. None makes each image of the grid once; the last factor changes fastest.
    size : int, default=64
        Height and width in pixels.
    square_size : int, default=8
        Height and width of the squares in pixels, at most ``size``.
    spacing : int, default=8
        Distance of neighbouring positions in pixels. There are
        ``(size - square_size) // spacing + 1`` positions in each direction.
    memmap : str or path-like, default=None
        A .npy file to write the rows to instead of memory. An existing file is replaced once the
        new one is complete.
    as_frame : bool, default=False
        Whether to also return the values of the factors as a DataFrame. This needs pandas:
        ``pip install skvae[images]``.
    random_state : int, RandomState instance or None, default=None
        Controls which images are drawn. The whole grid is not random.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_images, size * size * 3), uint8, 0 or 255, in C order. With
          ``memmap`` it is a read-only memory map.
        - images : the same memory as (n_images, size, size, 3)
        - factors : ndarray of shape (n_images, 6), int64: the level of each, from 0
        - factor_values : ndarray of shape (n_images, 6), float64: the left and the upper edge of
          each square in pixels
        - factor_names : ("pos_x_red", "pos_y_red", "pos_x_green", "pos_y_green", "pos_x_blue",
          "pos_y_blue")
        - factor_sizes : tuple of int, the number of levels of each factor
        - image_shape : (size, size, 3), for the parameter ``image_shape`` of estimators
        - frame : None; with ``as_frame``, a DataFrame of ``factor_values`` by name

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_sprites : Makes images whose factors pixel distances do reveal.

    References
    ----------
    Michlo, Klein & James (2023), Overlooked implications of the reconstruction loss for VAE
    disentanglement, arXiv:2202.13341.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.datasets import make_xy_squares
    >>> squares = make_xy_squares(size=8, square_size=2, spacing=2, n_samples=3, random_state=0)
    >>> squares.factor_sizes
    (4, 4, 4, 4, 4, 4)
    >>> squares.image_shape
    (8, 8, 3)
    >>> [int(channel.sum()) // 255 for channel in np.moveaxis(squares.images[0], 2, 0)]
    [4, 4, 4]
    """
    check_memmap(memmap, FUNCTION)
    for name, value in (("size", size), ("square_size", square_size), ("spacing", spacing)):
        check_integer(FUNCTION, name, value)
    if square_size > size:
        raise ValueError(
            f"make_xy_squares needs a square_size of at most size, {size}. Got {square_size} "
            f"instead. Set a smaller square_size, or a greater size."
        )
    sizes = ((size - square_size) // spacing + 1,) * len(FACTORS)
    factors = grid_levels(FUNCTION, sizes, n_samples, check_random_state(random_state))
    edges = factors * spacing
    values = edges.astype(np.float64)
    frame = factor_frame(FUNCTION, values, FACTORS) if as_frame else None
    data = stacked(_rows(size, square_size, edges), len(edges), size * size * 3, memmap)
    return bunch(data, factors, values, FACTORS, sizes, (size, size, 3), frame)


def _rows(size, square_size, edges):
    """Yield the pixels of every row, drawn in chunks."""
    n_images = max(1, CHUNK // size**2)
    side = np.arange(square_size)
    for start in range(0, len(edges), n_images):
        left, upper = np.moveaxis(edges[start : start + n_images].reshape(-1, 3, 2), 2, 0)
        images = np.zeros((len(left), size, size, 3), dtype=np.uint8)
        image, channel = np.indices(left.shape)[..., None, None]
        rows = (upper[..., None] + side)[:, :, :, None]
        columns = (left[..., None] + side)[:, :, None, :]
        images[image, rows, columns, channel] = 255
        yield from images.reshape(len(images), -1)
