"""Images in one grid, or in one square for each model, with labels."""

from math import ceil

import numpy as np

from skvae.plotting.figures import WIDEST
from skvae.plotting.rows import label_width

__all__ = ["draw_grid", "draw_squares"]

CELL = (0.4, 0.7)  # inches: smallest and largest size of an image
SQUARE = 4  # inches: largest size of one model's square


def draw_grid(display, ax, form, rows, *, row_labels=None, column_labels=None, cmap, padding):
    """Draw rows of images in one grid, and label them.

    Parameters
    ----------
    display : Display
    ax : Axes, sequence of these or None
        None creates a figure.
    form : RowForm
    rows : ndarray of shape (n_rows, n_columns, n_features)
    row_labels, column_labels : list of str, default=None
    cmap : str or Colormap
    padding : int
        Transparent pixels between images.
    """
    n_rows, n_columns, _ = rows.shape
    height, width, _ = form.image_shape
    margin = 0.1 if row_labels is None else 0.1 + label_width(row_labels)
    cell = np.clip((WIDEST - margin) / n_columns, *CELL)
    if column_labels is not None:
        cell = max(cell, label_width(column_labels))
    above = 0.1 if column_labels is None else 0.3
    size = (cell * n_columns + margin, cell * n_rows * height / width + above)
    (axes,) = display._panels(ax, size=size, layout="compressed")
    labels = {"row_labels": row_labels, "column_labels": column_labels}
    form.draw_images(axes, rows, **labels, cmap=cmap, padding=padding)


def draw_squares(display, ax, form, samples, *, n_columns, cmap, padding):
    """Draw a square of images for every model, next to each other.

    Parameters
    ----------
    display : Display
    ax : Axes, sequence of these or None
        None creates a figure.
    form : RowForm
    samples : dict of ndarray of shape (n_samples, n_features)
        The samples of each model by its name.
    n_columns : int
        Number of images in a row.
    cmap : str or Colormap
    padding : int
        Transparent pixels between images.
    """
    n_models = len(samples)
    n_rows = ceil(max(map(len, samples.values())) / n_columns)
    height, width, _ = form.image_shape
    cell = min(CELL[1], SQUARE / max(n_columns, n_rows), WIDEST / (n_models * n_columns))
    size = (n_models * (cell * n_columns + 0.1), cell * n_rows * height / width + 0.3)
    axes = display._panels(ax, n_models, n_models, size=size, layout="compressed")
    for panel, (name, rows) in zip(axes, samples.items(), strict=True):
        # If the samples do not fill the last row, its end stays empty.
        full = np.full((n_rows * n_columns, rows.shape[1]), np.nan)
        full[: len(rows)] = rows
        full = full.reshape(n_rows, n_columns, -1)
        form.draw_images(panel, full, cmap=cmap, padding=padding)
        if n_models > 1:
            panel.set_title(name)
