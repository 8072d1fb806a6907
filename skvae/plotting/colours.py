"""Distinct colours for any number of groups."""

import numpy as np

__all__ = ["group_colours", "perceived"]

# Ottosson (2020), "A perceptual color space for image processing". The first matrix maps linear
# sRGB to the responses of the eye's cones. The second maps their cube roots to lightness and two
# opponent colours.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
LIGHTNESS = (0.4, 0.85)  # between 0 and 1: visible on white and on black
N_LEVELS = 16  # levels of red, green and blue: 4,096 colours to choose from


def perceived(colours):
    """Return colours in OKLab, where equal distances look about equally different.

    Parameters
    ----------
    colours : array-like of shape (n_colours, 3)
        sRGB, each in [0, 1].

    Returns
    -------
    ndarray of shape (n_colours, 3)
        Lightness in [0, 1], and two opponent colours.

    Examples
    --------
    >>> from skvae.plotting.colours import perceived
    >>> perceived([[0, 0, 0], [1, 1, 1]]).round(3)[:, 0]
    array([0., 1.])
    """
    colours = np.asarray(colours, dtype=np.float64)
    # The transfer function of sRGB, IEC 61966-2-1.
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ TO_CONES.T) @ TO_OKLAB.T


def group_colours(n_groups, first):
    """Return the given colours, then colours that are each as far as possible from all others.

    Parameters
    ----------
    n_groups : int
    first : array-like of shape (n_colours, 3)
        sRGB, each in [0, 1]: the colours of the first groups, at least one.

    Returns
    -------
    ndarray of shape (n_groups, 3)

    Examples
    --------
    >>> from skvae.plotting.colours import group_colours
    >>> group_colours(3, [[0.0, 0.0, 1.0]]).round(1)
    array([[0. , 0. , 1. ],
           [0.5, 0.9, 0. ],
           [1. , 0. , 0.4]])
    """
    colours = np.asarray(first, dtype=np.float64)[:n_groups]
    levels = np.linspace(0, 1, N_LEVELS)
    candidates = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    places = perceived(candidates)
    seen = (LIGHTNESS[0] <= places[:, 0]) & (places[:, 0] <= LIGHTNESS[1])
    candidates, places = candidates[seen], places[seen]
    nearest = np.full(len(places), np.inf)
    for place in perceived(colours):
        nearest = np.minimum(nearest, np.linalg.norm(places - place, axis=1))
    added = []
    while len(colours) + len(added) < n_groups:
        farthest = nearest.argmax()
        added.append(candidates[farthest])
        nearest = np.minimum(nearest, np.linalg.norm(places - places[farthest], axis=1))
    return np.vstack([colours, *added])
