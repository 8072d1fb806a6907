"""Points in a plane: the colours and names of their groups, and thumbnails of some points."""

import numpy as np
from sklearn.utils import check_consistent_length

from skvae.plotting.figures import legend_that_fits
from skvae.plotting.rows import tile

__all__ = ["are_classes", "draw_images", "draw_points", "groups_of", "spread_out"]

MOST_CLASSES = 30  # integers with more distinct values are numbers, not classes; 26 are letters
GAP = 1.15  # distance of two thumbnails' centres, relative to their side; leaves room for frames


def groups_of(rows, y):
    """Return y as an array with one entry for each row, or None."""
    if y is not None:
        y = np.asarray(y)
        check_consistent_length(rows, y)
    return y


def are_classes(y):
    """Return whether y has class labels: not numeric, or few distinct integers."""
    if y.dtype.kind not in "biuf":
        return True
    return len(np.unique(y)) <= MOST_CLASSES and bool((y == np.floor(y)).all())


def spread_out(places, size, most):
    """Choose places without overlap: first the most central one, then always the farthest.

    Parameters
    ----------
    places : ndarray of shape (n_rows, 2)
    size : ndarray of shape (2,)
        Two places do not overlap if they differ by ``size[0]`` across or by ``size[1]`` up.
    most : int
        Maximum number of places.

    Returns
    -------
    ndarray of int of shape (n_chosen,)

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.plotting.groups import spread_out
    >>> spread_out(np.array([[0.0, 0], [0.4, 0], [2, 0], [9, 0]]), np.ones(2), 10)
    array([1, 3, 2])
    """
    places = places / size
    chosen = [int(np.abs(places - np.median(places, axis=0)).max(axis=1).argmin())]
    nearest = np.full(len(places), np.inf)
    while True:
        apart = np.abs(places - places[chosen[-1]]).max(axis=1)
        nearest = np.minimum(nearest, apart)
        farthest = int(nearest.argmax())
        if len(chosen) >= most or nearest[farthest] < 1:
            return np.array(chosen)
        chosen.append(farthest)


def draw_points(display, axes, places, y, style, cmap, labels):
    """Draw points coloured by y, with names for groups or a colour bar for numbers.

    Parameters
    ----------
    display : Display
    axes : Axes
    places : ndarray of shape (n_rows, 2)
    y : ndarray of shape (n_rows,) or None
    style : dict
        Passed to ``Axes.scatter``.
    cmap : str or Colormap
        Colour map for numbers.
    labels : {"legend", "medians"}
        Where the names of the groups are written.

    Returns
    -------
    ndarray of shape (n_rows, 3 or 4), or colour
        The colours of the points.
    """
    if y is None:
        axes.scatter(*places.T, color="C0", **style)
        return "C0"
    if not are_classes(y):
        points = axes.scatter(*places.T, c=y, cmap=cmap, **style)
        axes.figure.colorbar(points, ax=axes, label="y").solids.set_alpha(1)
        return points.cmap(points.norm(y))
    groups, of_row = np.unique(y, return_inverse=True)
    colours = display._colours(len(groups))
    for place, group in enumerate(groups):
        own = places[of_row == place]
        axes.scatter(*own.T, color=colours[place], label=group, **style)
        if labels == "medians":
            _write(axes, group, np.median(own, axis=0), colours[place])
    if labels == "legend":
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5), "markerscale": 2}
        legend_that_fits(axes, axes.get_window_extent().height, **beside)
    return colours[of_row]


def _write(axes, name, place, colour):
    """Write the name of a group at a point, in a box with the group's colour."""
    box = {"boxstyle": "round,pad=0.15", "facecolor": axes.get_facecolor(), "edgecolor": colour}
    axes.text(*place, name, bbox={**box, "alpha": 0.85}, ha="center", va="center", size="small")


def draw_images(display, axes, places, images, form, *, frames, most, side, cmap):
    """Draw images centred at some of the points, chosen so that no two overlap.

    Parameters
    ----------
    display : Display
    axes : Axes
        The points must already be drawn, so that the axis limits are set.
    places : ndarray of shape (n_rows, 2)
    images : ndarray of shape (n_rows, n_features)
    form : RowForm
    frames : ndarray of shape (n_rows, 3 or 4), or colour
        The colours of the frames.
    most : int
        Maximum number of images.
    side : float
        The longer side of an image, in inches.
    cmap : str or Colormap
        Colour map of images with one channel.
    """
    height, width, _ = form.image_shape
    sides = side * np.array([width, height]) / max(height, width)
    panel = axes.get_window_extent()
    inches = np.array([panel.width, panel.height]) / axes.figure.dpi
    limits = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    for row in spread_out(places, GAP * sides * limits / inches, most):
        display._place_image(
            axes,
            tile(images[None, [row]], form.image_shape, form.value_range),
            places[row],
            side=side,
            frame=frames if isinstance(frames, str) else frames[row],
            cmap=cmap,
            value_range=form.value_range,
        )
