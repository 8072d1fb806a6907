"""Images like dSprites: shapes on black with known factors of variation."""

import colorsys
from collections.abc import Collection
from numbers import Real
from os import PathLike

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skvae._frames import factor_frame
from skvae._typing import Integers, Seed
from skvae.datasets.drawing import SHAPES, draw
from skvae.datasets.grids import bunch, check_integer, check_number, grid_levels
from skvae.datasets.rows import check_memmap, stacked

__all__ = ["make_sprites"]

FUNCTION = "make_sprites"
FACTORS = ("colour", "shape", "scale", "orientation", "pos_x", "pos_y")
PERIODS = np.array([np.pi / 2, np.pi, 2 * np.pi])  # of the three SHAPES
CHUNK = 2**20  # pixels drawn at once, so that the arrays fit into the processor's cache


def make_sprites(
    n_samples: int | None = None,
    *,
    size: int = 64,
    shapes: Collection[str] = ("square", "ellipse", "heart"),
    n_scales: int = 6,
    n_orientations: int = 40,
    n_positions: int | Integers = 32,
    orientation_range: float | str = 2 * np.pi,
    n_colors: int | None = None,
    noise: float = 0.0,
    memmap: str | PathLike[str] | None = None,
    as_frame: bool = False,
    random_state: Seed = None,
) -> Bunch:
    r"""Draw images like dSprites, shapes on black, from known factors.

    The image has sides of length 1, and y points down. A shape of scale :math:`s`, rotated by
    :math:`\theta`, has its centre at :math:`c = \frac14 + \frac12 (p_x, p_y)`. Let
    :math:`(d_x, d_y)` point from :math:`c` to the centre of a pixel. In the coordinates of the
    shape this is

    .. math::
        u = (d_x \cos\theta - d_y \sin\theta) / s, \quad v = (d_x \sin\theta + d_y \cos\theta) / s

    and the pixel is white if this point is inside

    - the square :math:`|u|, |v| < 0.15`;
    - the ellipse :math:`(u / 0.2)^2 + (v / 0.1125)^2 < 1`;
    - the heart bounded by :math:`u = 0.15 \sin^3 t`,
      :math:`v = -k (13 \cos t - 5 \cos 2t - 2 \cos 3t - \cos 4t) - 0.0225`, of height 0.3.

    Edges are not smoothed, as in dSprites (Matthey et al., 2017), and the images are the same
    except for a few pixels at the edges. Two things differ. White is 255 instead of 1. The
    orientations exclude their endpoint: dSprites counts 0 and :math:`2 \pi` as two levels, although
    they give the same image, so that no code could distinguish them.

    The defaults make 737,280 images, 3 GB. Draw ``n_samples`` of them, choose a smaller grid, or
    use ``memmap``.

    Parameters
    ----------
    n_samples : int, default=None
        Number of images to draw uniformly from the grid. Factors are then independent, and an image
        can occur twice. None makes each image of the grid once; the last factor changes fastest.
    size : int, default=64
        Height and width in pixels, at least 8. In small images, neighbouring levels can look the
        same. Below 16 the smallest shapes can have no pixels.
    shapes : sequence of {"square", "ellipse", "heart"}, default=("square", "ellipse", "heart")
        The levels of the shape.
    n_scales : int, default=6
        Number of scales, in equal steps from 0.5 to 1. A single scale is 1.
    n_orientations : int, default=40
        Number of orientations, in equal anticlockwise steps from 0, without the endpoint.
    n_positions : int or (int, int), default=32
        Number of horizontal and vertical positions, in equal steps from 0 to 1. A single position
        is 0.5, the middle.
    orientation_range : float or "period", default=2*pi
        The endpoint of the orientations in radians, in (0, 2 pi]. A square rotated by
        :math:`\pi/2` and an ellipse rotated by :math:`\pi` look the same as before. With the
        default, the orientation of these shapes therefore cannot be seen in their images. It can be
        seen for all shapes with ``numpy.pi / 2``. It can also be seen with "period", which gives
        every shape its own endpoint: level ``i`` is :math:`i / n` of :math:`\pi/2`, :math:`\pi` or
        :math:`2\pi`.
    n_colors : int, default=None
        Number of colours, with evenly spaced hues starting at red, full saturation and full
        brightness. The colour becomes the first factor, and images have three channels. None draws
        white shapes.
    noise : float, default=0.0
        In [0, 1]. The brightness of the background is uniform on [0, noise], independently in every
        pixel and channel. The shapes have no noise.
    memmap : str or path-like, default=None
        A .npy file to write the rows to instead of memory. An existing file is replaced once the
        new one is complete.
    as_frame : bool, default=False
        Whether to also return the values of the factors as a DataFrame. This needs pandas:
        ``pip install skvae[images]``.
    random_state : int, RandomState instance or None, default=None
        Controls which images are drawn, and the noise. The whole grid without noise is not random.
    Returns
    -------
    Bunch
        Here n_factors is 5, or 6 with colours.

        - data : ndarray of shape (n_images, size * size * channels), uint8, 0 to 255, in C order;
          ``input_scale=1/255`` scales it to [0, 1]. With ``memmap`` it is a read-only memory map.
        - images : the same memory as (n_images, size, size), or (n_images, size, size, 3)
        - factors : ndarray of shape (n_images, n_factors), int64: the level of each, from 0
        - factor_values : ndarray of shape (n_images, n_factors), float64: the value of this
          level. The shape is 1 (square), 2 (ellipse) or 3 (heart), the orientation is in radians,
          positions are in [0, 1], and the colour is its hue in [0, 1)
        - factor_names : ("shape", "scale", "orientation", "pos_x", "pos_y"); with colours, "colour"
          comes first
        - factor_sizes : tuple of int, the number of levels of each factor
        - image_shape : (size, size, channels), for the parameter ``image_shape`` of estimators
        - frame : None; with ``as_frame``, a DataFrame of ``factor_values`` by name

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    load_dsprites : Reads the original dSprites from its file.
    make_xy_squares : Makes images whose factors pixel distances do not reveal.

    References
    ----------
    Matthey, Higgins, Hassabis & Lerchner (2017), dSprites: Disentanglement testing Sprites
    dataset.

    Examples
    --------
    >>> from skvae.datasets import make_sprites
    >>> sprites = make_sprites(size=16, n_scales=2, n_orientations=4, n_positions=(3, 2))
    >>> sprites.data.shape
    (144, 256)
    >>> sprites.factor_sizes
    (3, 2, 4, 3, 2)
    >>> sprites.factor_values[1]
    array([1. , 0.5, 0. , 0. , 1. ])
    >>> sprites.images[1, 10:14, 2:6]
    array([[  0,   0,   0,   0],
           [  0, 255, 255,   0],
           [  0, 255, 255,   0],
           [  0,   0,   0,   0]], dtype=uint8)
    """
    check_memmap(memmap, FUNCTION)
    check_integer(FUNCTION, "size", size, 8)
    check_number(FUNCTION, "noise", noise, lambda value: 0 <= value <= 1, "[0, 1]")
    levels = _levels(shapes, n_scales, n_orientations, n_positions, n_colors)
    sizes = tuple(len(level) for level in levels)
    period = _period(orientation_range)
    rng = check_random_state(random_state)
    factors = grid_levels(FUNCTION, sizes, n_samples, rng)
    values = np.stack([level[column] for level, column in zip(levels, factors.T, strict=True)], 1)
    values[:, 3] *= period[values[:, 1].astype(np.intp) - 1]
    channels, first = (1, 1) if n_colors is None else (3, 0)
    names, columns = FACTORS[first:], values[:, first:]
    frame = factor_frame(FUNCTION, columns, names) if as_frame else None
    rows = _rows(size, values, noise, rng, colored=n_colors is not None)
    data = stacked(rows, len(values), size * size * channels, memmap)
    image_shape = (size, size, channels)
    return bunch(data, factors[:, first:], columns, names, sizes[first:], image_shape, frame)


def _levels(shapes, n_scales, n_orientations, n_positions, n_colors):
    """Return the values of each factor's levels; orientations are fractions of their range."""
    names = tuple(shapes) if isinstance(shapes, list | tuple) else ()
    if not names or any(name not in SHAPES or names.count(name) > 1 for name in names):
        raise ValueError(
            f"make_sprites needs shapes to be a list or tuple of 'square', 'ellipse' and 'heart', "
            f"each at most once. Got {shapes!r} instead. Give one or more of them, as in "
            f"shapes=('heart',)."
        )
    pair = n_positions if isinstance(n_positions, list | tuple) else (n_positions, n_positions)
    if len(pair) != 2:
        raise ValueError(
            f"make_sprites needs n_positions to be an integer or a pair of them. Got "
            f"{n_positions!r} instead. Give one, as in n_positions=(16, 8)."
        )
    n_colors = 1 if n_colors is None else n_colors
    check_integer(FUNCTION, "n_scales", n_scales)
    check_integer(FUNCTION, "n_orientations", n_orientations)
    for number in pair:
        check_integer(FUNCTION, "n_positions", number)
    check_integer(FUNCTION, "n_colors", n_colors)
    return (
        np.arange(n_colors) / n_colors,
        np.array([SHAPES.index(name) + 1.0 for name in names]),
        np.linspace(0.5, 1, n_scales) if n_scales > 1 else np.ones(1),
        np.arange(n_orientations) / n_orientations,
        *(np.linspace(0, 1, number) if number > 1 else np.full(1, 0.5) for number in pair),
    )


def _period(orientation_range):
    """Return the endpoint of the orientations of every shape."""
    if isinstance(orientation_range, str) and orientation_range == "period":
        return PERIODS
    number = isinstance(orientation_range, Real) and not isinstance(orientation_range, bool)
    if not number or not 0 < orientation_range <= 2 * np.pi:
        raise ValueError(
            f"make_sprites needs orientation_range to be a number in (0, 2 pi] or 'period'. Got "
            f"{orientation_range!r} instead. Give radians, as in orientation_range=numpy.pi / 2."
        )
    return np.full(len(SHAPES), float(orientation_range))


def _rows(size, values, noise, rng, colored):
    """Yield the pixels of every row, drawn in chunks."""
    n_pixels = size**2
    n_images = max(1, CHUNK // n_pixels)
    for start in range(0, len(values), n_images):
        chunk = values[start : start + n_images]
        inside = np.flatnonzero(draw(size, chunk[:, 1:]))
        paint = _rgb(chunk[:, 0]) if colored else np.full((len(chunk), 1), 255, dtype=np.uint8)
        images = np.zeros((len(chunk), n_pixels, paint.shape[1]), dtype=np.uint8)
        if noise:
            for image in images:  # one by one, to stay within the processor's cache
                image[...] = rng.random_sample(image.shape) * (round(255 * noise) + 1)
        images.reshape(-1, paint.shape[1])[inside] = paint[inside // n_pixels]
        yield from images.reshape(len(chunk), -1)


def _rgb(hues):
    """Return the colours of hues as (n_hues, 3) uint8."""
    unique, places = np.unique(hues, return_inverse=True)
    rgb = [colorsys.hsv_to_rgb(hue, 1.0, 1.0) for hue in unique]
    return np.rint(255 * np.array(rgb)).astype(np.uint8)[places]
