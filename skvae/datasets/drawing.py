"""Sprites drawn by formulas: a pixel belongs to a shape if its centre is inside."""

import numpy as np

__all__ = ["SHAPES", "draw"]

HALF_SIDE = 0.15  # of the square, and half the heart's width, at scale 1; the image's side is 1
SEMI_AXES = (0.2, 0.1125)
HEART_UNIT = 0.3 / 28.9217782714  # the height of the heart curve is 28.92 in its own units
HEART_LIFT = 0.0225
SHRINKING = 1 - 1e-9  # a centre exactly on an edge counts as outside, despite rounding


def _in_square(u, v):
    return (np.abs(u) < HALF_SIDE) & (np.abs(v) < HALF_SIDE)


def _in_ellipse(u, v):
    u /= SEMI_AXES[0]
    v /= SEMI_AXES[1]
    u *= u
    v *= v
    u += v
    return u < 1


def _in_heart(u, v):
    # With q = sin(t)^2, the curve's two branches at u are middle(q) - arm(q) and + arm(q).
    u /= HALF_SIDE
    u *= u
    q = np.cbrt(u)
    middle = ((8 * q - 18) * q + 6) * HEART_UNIT - HEART_LIFT
    arm = (8 * q + 11) * HEART_UNIT
    v -= middle
    v *= v
    arm *= arm
    arm *= 1 - q
    return v < arm


# For each shape: a test of points, which may overwrite them, and the largest radius of the shape.
TESTS = {
    "square": (_in_square, HALF_SIDE * np.sqrt(2)),
    "ellipse": (_in_ellipse, SEMI_AXES[0]),
    "heart": (_in_heart, 0.18),
}
SHAPES = tuple(TESTS)


def draw(size, factor_values):
    """Return one mask for each row of factor values.

    Parameters
    ----------
    size : int
        Height and width in pixels.
    factor_values : ndarray of shape (n_images, 5)
        Shape (1 square, 2 ellipse, 3 heart), scale in (0, 1], orientation in radians, and the
        horizontal and vertical position in [0, 1].

    Returns
    -------
    ndarray of shape (n_images, size, size), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.datasets.drawing import draw
    >>> draw(8, np.array([[1, 1, 0, 0.5, 0.5]]))[0, 2:6].astype(int)
    array([[0, 0, 0, 0, 0, 0, 0, 0],
           [0, 0, 0, 1, 1, 0, 0, 0],
           [0, 0, 0, 1, 1, 0, 0, 0],
           [0, 0, 0, 0, 0, 0, 0, 0]])
    """
    masks = np.zeros((len(factor_values), size, size), dtype=bool)
    kinds, kind = np.unique(factor_values[:, :2], axis=0, return_inverse=True)
    for place, (shape, scale) in enumerate(kinds):
        images = np.flatnonzero(kind == place)
        name = SHAPES[int(shape) - 1]
        rows, columns, inside = _window(size, name, scale, *factor_values[images, 2:].T)
        masks[images[:, None, None], rows[:, :, None], columns[:, None, :]] = inside
    return masks


def _window(size, shape, scale, orientation, pos_x, pos_y):
    """Return the rows, the columns and the mask of the pixels that the shape can reach."""
    contains, radius = TESTS[shape]
    radius = radius * scale
    n_pixels = min(int(2 * radius * size) + 1, size)
    rows, y = _pixels(size, n_pixels, pos_y, radius)
    columns, x = _pixels(size, n_pixels, pos_x, radius)
    x, y = x / (scale * SHRINKING), y / (scale * SHRINKING)
    cos, sin = np.cos(orientation)[:, None], np.sin(orientation)[:, None]
    u = (cos * x)[:, None, :] - (sin * y)[:, :, None]
    v = (sin * x)[:, None, :] + (cos * y)[:, :, None]
    return rows, columns, contains(u, v)


def _pixels(size, n_pixels, position, radius):
    """Return the pixels around each position, and the distances of their centres from it."""
    centre = 0.25 + 0.5 * position
    first = np.ceil((centre - radius) * size - 0.5).astype(np.intp)
    pixels = np.clip(first, 0, size - n_pixels)[:, None] + np.arange(n_pixels)
    return pixels, (pixels + 0.5) / size - centre[:, None]
