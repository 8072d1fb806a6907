"""Images whose pixels hide their factors: squares that move in steps of their own size."""

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
    r"""Draw three squares, a red, a green and a blue one, whose positions pixels cannot order.

    A negative control: six factors that are plain to see, and that a VAE, which compares pixels,
    has no reason to keep apart. Each square has a channel of its own, so that none hides
    another, and stands on a grid of positions :math:`(x, y)`. In its channel two images differ by
    the squared distance

    .. math::
        \lVert a - b \rVert^2 = 255^2 \cdot 2 \left(w^2 - o_x o_y\right), \\
        o_x = \max(0, w - |x_a - x_b|), \quad o_y = \max(0, w - |y_a - y_b|)

    with :math:`w` the squares' width. Where the ``spacing`` of the positions is at least
    :math:`w`, no two of them overlap, and all are equally far from each other: a
    reconstruction error says whether a square is at its place and never how near, so that nothing
    makes neighbours' codes neighbours. A smaller ``spacing`` restores the overlap, and with it
    what VAEs learn positions from.

    The defaults make 262,144 images, 3 GB: draw ``n_samples`` of them, set a wider ``spacing``, or
    give a ``memmap``.

    Parameters
    ----------
    n_samples : int, default=None
        How many images to draw, each uniformly from the grid: factors are independent, and an
        image may come twice. None makes the whole grid, each image once, in the order in which
        the last factor changes fastest.
    size : int, default=64
        Height and width in pixels.
    square_size : int, default=8
        Height and width of the squares in pixels, at most ``size``.
    spacing : int, default=8
        Step from a position to the next in pixels. There are
        ``(size - square_size) // spacing + 1`` positions either way.
    memmap : str or path-like, default=None
        A .npy file to draw the rows to in place of memory; what has that name already is
        replaced, once the new file is whole.
    as_frame : bool, default=False
        Whether to return the factors' values as a DataFrame too. Needs pandas: ``pip install
        skvae[images]``.
    random_state : int, RandomState instance or None, default=None
        Of the rows drawn. The whole grid has no randomness.

    Returns
    -------
    Bunch
        - data : ndarray of shape (n_images, size * size * 3), uint8, 0 or 255, in C order. With
          ``memmap`` a read-only memory map.
        - images : the same memory as (n_images, size, size, 3)
        - factors : ndarray of shape (n_images, 6), int64: the level of each, from 0
        - factor_values : ndarray of shape (n_images, 6), float64: a square's left and upper edge
          in pixels
        - factor_names : ("pos_x_red", "pos_y_red", "pos_x_green", "pos_y_green", "pos_x_blue",
          "pos_y_blue")
        - factor_sizes : tuple of int, the number of levels
        - image_shape : (size, size, 3), as the estimators' ``image_shape`` takes it
        - frame : None, or with ``as_frame`` a DataFrame of ``factor_values`` by name

    Raises
    ------
    ImportError
        If there is no pandas and ``as_frame`` asks for it.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_sprites : Images whose factors pixels do order.

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
    """Yield the pixels of every row, drawn many at a time."""
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
