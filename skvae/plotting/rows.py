"""How a row of the data is drawn: as an image, or as a line over the features."""

import re
from dataclasses import dataclass
from math import prod

import numpy as np

from skvae.base.hyperparameters import is_positive_integer
from skvae.base.validation import generated_feature_names

__all__ = ["RowForm", "label_width", "row_form", "tile"]

BYTE = 255
CHANNELS = (1, 3, 4)
CHARACTER = 0.085  # inches
SLACK = 0.25  # decoded values of data in [0, 1] may be outside by this much
CONSTANT = 10  # rounding errors: the computed mean of three values 0.2 is not exactly 0.2
MATHS = r"\$[^$]*\$"  # the name of a dimension
MOST_NAMES = 40  # feature names on one axis
UPRIGHT_NAMES = 60  # characters that fit next to each other on one axis


@dataclass(frozen=True, eq=False)
class RowForm:
    """How rows are drawn.

    Attributes
    ----------
    image_shape : tuple (height, width, channels) or None
        None for tables.
    value_range : tuple (low, high)
        The values drawn as the darkest and the lightest colour of an image.
    feature_names : ndarray of str of shape (n_features,)
        Names of the features of a table.
    mean, std : ndarray of shape (n_features,) or None
        If given, table values are drawn as standard deviations ``std`` from ``mean``.
    """

    image_shape: tuple | None
    value_range: tuple
    feature_names: np.ndarray
    mean: np.ndarray | None = None
    std: np.ndarray | None = None

    @property
    def unit(self):
        """The unit of the values of a table, for the axis label."""
        return "value" if self.std is None else "std. dev."

    def values(self, rows):
        """Return the rows of a table in the units in which they are drawn."""
        return rows if self.std is None else (rows - self.mean) / self.std

    def draw_images(
        self,
        axes,
        rows,
        *,
        row_labels=None,
        column_labels=None,
        cmap="gray",
        padding=0,
        extent=None,
    ):
        """Draw a grid of images, (n_rows, n_columns, n_features), with labels."""
        grid = tile(rows, self.image_shape, self.value_range, padding)
        low, high = self.value_range
        colours = {} if grid.ndim == 3 else {"cmap": cmap, "vmin": low, "vmax": high}
        place = {"extent": extent, "aspect": "equal" if extent is None else "auto"}
        axes.imshow(grid, origin="upper", interpolation="antialiased", **place, **colours)
        if extent is not None:
            return
        steps = np.add(self.image_shape[:2], padding)
        axes.set_yticks(*_places(row_labels, len(rows), steps[0], padding))
        axes.set_xticks(*_places(column_labels, rows.shape[1], steps[1], padding))
        axes.tick_params(length=0, bottom=False, labelbottom=False, labeltop=True)
        axes.spines[:].set_visible(False)

    def draw_lines(self, axes, rows, styles):
        """Draw rows of a table, (n_rows, n_features), as lines over its features."""
        places = np.arange(rows.shape[-1])
        for row, style in zip(self.values(rows), styles, strict=True):
            axes.plot(places, row, **style)
        axes.set_xlim(-0.5, len(places) - 0.5)
        axes.spines[["top", "right"]].set_visible(False)
        if len(places) > MOST_NAMES:
            axes.set_xlabel("feature")
            return
        crowded = sum(map(len, self.feature_names)) > UPRIGHT_NAMES
        turned = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
        axes.set_xticks(places, self.feature_names, **turned)


def label_width(labels):
    """Return the approximate width of the longest line of the labels, in inches."""
    lines = [line for label in labels for line in re.sub(MATHS, "z0", str(label)).split("\n")]
    return CHARACTER * max(map(len, lines))


def _places(labels, n_labels, step, padding):
    """Return the positions of the labels of images, at the centre of each, and the labels."""
    if labels is None:
        return [], []
    return step * np.arange(n_labels) + (step - padding - 1) / 2, labels


def row_form(
    rows, *, image_shape=None, value_range=None, feature_names=None, standardize=None, decoded=False
):
    """Return how to draw rows like the given ones.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Rows of the data if there are any, or else the rows to draw.
    image_shape : (height, width, channels), default=None
        None draws a table.
    value_range : (low, high), default=None
        None uses 0 to 255 for uint8, 0 to 1 if the rows are within this range, and otherwise their
        smallest and largest value.
    feature_names : sequence of str of shape (n_features,), default=None
        None uses x0, x1, ...
    standardize : ndarray of shape (n_samples, n_features), default=None
        Rows whose mean and standard deviation standardise the values of a table. None does not
        standardise.
    decoded : bool, default=False
        Whether the rows are decoded. Decoded rows of data in [0, 1] can be a little outside.

    Returns
    -------
    RowForm
    """
    rows = np.asarray(rows)
    n_features = rows.shape[-1]
    if image_shape is not None:
        image_shape = _check_shape(image_shape, n_features)
    if value_range is None:
        value_range = _value_range(rows, SLACK if decoded else 0)
    if feature_names is None:
        feature_names = generated_feature_names(n_features)
    elif len(feature_names) != n_features:
        raise ValueError(
            f"feature_names must name {n_features} features. Got {len(feature_names)} names "
            f"instead. Give one for each column of the rows."
        )
    mean = std = None
    if standardize is not None and image_shape is None and len(standardize) > 1:
        mean, std = _spread(np.asarray(standardize))
    return RowForm(image_shape, tuple(value_range), np.array(feature_names), mean, std)


def _spread(rows):
    """Return the mean and std of the observed values of each column; 0 and 1 if there are none."""
    if not np.isnan(rows.min()):
        mean, std = rows.mean(axis=0), rows.std(axis=0)
    else:
        known = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
        mean, std = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    rounded = CONSTANT * np.finfo(std.dtype).eps * np.abs(mean)
    return mean, np.where(std > rounded, std, 1.0)


def _check_shape(image_shape, n_features):
    """Return the shape as a tuple, or raise if rows of this length cannot be drawn in it."""
    shape = tuple(np.atleast_1d(np.asarray(image_shape, dtype=object)))
    integers = all(map(is_positive_integer, shape))
    if len(shape) != 3 or not integers or shape[2] not in CHANNELS:
        raise ValueError(
            f"image_shape must be (height, width, channels), with 1, 3 or 4 channels to be shown. "
            f"Got {shape} instead. Give all three."
        )
    if prod(shape) != n_features:
        raise ValueError(
            f"image_shape={shape} needs rows of {prod(shape)} columns. Got {n_features} instead. "
            f"Give the shape of the images that the rows are."
        )
    return shape


def _value_range(rows, slack):
    """Return the values to draw as the darkest and the lightest colour."""
    low, high = float(rows.min()), float(rows.max())
    if rows.dtype == np.uint8:
        return 0, BYTE
    return (0, 1) if low >= -slack and high <= 1 + slack else (low, high)


def tile(rows, image_shape, value_range, padding=0):
    """Return a grid of images as one image.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns, n_features)
        Images, flat in C order. Rows of NaN are transparent.
    image_shape : (height, width, channels)
        Shape of one image.
    value_range : (low, high)
        In images with several channels, these values become 0 and 1. Images with one channel keep
        their values, because they get a colour map.
    padding : int, default=0
        Transparent pixels between images.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, channels)
        The grid as one image.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.plotting.rows import tile
    >>> tile(np.arange(8).reshape(1, 2, 4), (2, 2, 1), (0, 7))
    array([[0, 1, 4, 5],
           [2, 3, 6, 7]])
    """
    n_rows, n_columns, _ = np.shape(rows)
    height, width, channels = image_shape
    images = np.reshape(rows, (n_rows, n_columns, height, width, channels))
    if channels > 1:
        low, high = value_range
        images = np.clip((images - np.float64(low)) / ((high - low) or 1.0), 0, 1)
        missing = np.isnan(images[..., :1])
        if channels == 3 and (padding or missing.any()):
            images = np.concatenate((np.nan_to_num(images), ~missing), axis=-1)
            channels = 4
    if padding:
        images = _padded(images, padding)
        height, width = height + padding, width + padding
    grid = images.transpose(0, 2, 1, 3, 4).reshape(n_rows * height, n_columns * width, channels)
    grid = grid[: len(grid) - padding, : grid.shape[1] - padding]
    return grid[..., 0] if channels == 1 else grid


def _padded(images, padding):
    """Return images, with one or four channels, with empty pixels below and to the right."""
    margins = ((0, 0), (0, 0), (0, padding), (0, padding), (0, 0))
    empty = np.nan if images.shape[-1] == 1 else 0.0
    return np.pad(images.astype(np.float64, copy=False), margins, constant_values=empty)
