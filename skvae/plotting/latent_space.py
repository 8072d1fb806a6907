"""Codes in two of their dimensions, and what decodes from the plane."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from skvae._typing import Estimator, Floats, Integers, MatrixLike
from skvae.base.hyperparameters import check_integer
from skvae.base.pipelines import last_step
from skvae.plotting.figures import Display
from skvae.plotting.models import (
    image_shape_of,
    informativeness,
    last_that_can,
    rows_before,
    to_data_units,
)
from skvae.plotting.rows import row_form

__all__ = ["LatentSpaceDisplay"]

PANEL = 4.4  # inches
MOST_CLASSES = 20
QUANTILES = (0.01, 0.99)  # of the codes, which the decoded plane reaches


class LatentSpaceDisplay(Display):
    """Codes in two dimensions, coloured by y, and the images that decode from the plane.

    Use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_components)
        The codes.
    dimensions : tuple of two int
        Those drawn, across and up.
    y : ndarray of shape (n_samples,), default=None
        Labels, or at most 20 different whole numbers, which get a legend; or other numbers,
        which get a colour bar.
    manifold : ndarray of shape (n_steps, n_steps, n_features), default=None
        What decodes from ``grid``, in the units of the data; drawn in a panel of its own.
    grid : tuple of two ndarray of shape (n_steps,), default=None
        The values of the two dimensions, across and up: ``manifold[i, j]`` is decoded from
        ``grid[0][j]`` and ``grid[1][i]``.
    form : RowForm, default=None
        How images are shown.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn in. After ``plot``, as the next.
    axes_ : ndarray of matplotlib Axes
        The codes, and where there is one the decoded plane.

    See Also
    --------
    LatentTraversalDisplay : One dimension at a time.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.plotting import LatentSpaceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> LatentSpaceDisplay.from_estimator(vae, X, y).codes.shape
    (150, 2)
    """

    def __init__(self, codes, dimensions, *, y=None, manifold=None, grid=None, form=None):
        self.codes = codes
        self.dimensions = dimensions
        self.y = y
        self.manifold = manifold
        self.grid = grid
        self.form = form

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: MatrixLike,
        y: Any = None,
        *,
        dimensions: Integers | None = None,
        manifold: bool = False,
        n_steps: int = 15,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Encode X, and draw.

        Parameters
        ----------
        estimator : estimator with ``transform``, or Pipeline or search that holds one
            Fitted.
        X : array-like of shape (n_samples, n_features)
            Rows like those fitted.
        y : array-like of shape (n_samples,), default=None
            What colours the codes.
        dimensions : (int, int), default=None
            Across and up. None takes the two most informative: by the divergence of their
            posterior from the prior, or without a posterior by the variance of the code.
        manifold : bool, default=False
            Whether to decode the plane, for images: codes from the quantile 0.01 to 0.99 of
            those of X in these dimensions, the others at the mean of the codes.
        n_steps : int, default=15
            Images in a row and in a column of the plane.
        image_shape : (height, width, channels), default=None
            Of the images. None takes that of the estimator.
        value_range : (low, high), default=None
            The values shown as black and white. None takes 0 to 255 for bytes, 0 to 1 where X
            lies in between, and otherwise its least and greatest value.
        ax : matplotlib Axes or sequence of these, default=None
            Where to draw; None makes a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentSpaceDisplay

        Raises
        ------
        ImportError
            If there is no matplotlib.
        TypeError
            If the estimator cannot encode, or decode for ``manifold``.
        ValueError
            If the codes have no two dimensions, or no such ones; if ``manifold`` has no
            ``image_shape``, or one that is not that of the rows.
        """
        cls._pyplot()
        last = last_that_can(estimator, "transform", cls.__name__)
        X_last = last_step(estimator, X)[1]
        codes = np.asarray(last.transform(X_last))
        if dimensions is None and codes.shape[1] > 1:
            values, _ = informativeness(last, X_last)
            dimensions = np.argsort(-values, kind="stable")[:2]
        dimensions = _check_dimensions(dimensions, codes.shape[1])
        decoded = {}
        if manifold:
            check_integer("n_steps", n_steps, f"{cls.__name__}.from_estimator", least=2)
            last_that_can(estimator, "inverse_transform", cls.__name__)
            image_shape = image_shape_of(estimator, image_shape)
            if image_shape is None:
                raise ValueError(
                    "manifold=True decodes images, and needs their image_shape. Got none of the "
                    "estimator's nor by argument instead. Give (height, width, channels)."
                )
            form = row_form(
                rows_before(estimator, X), image_shape=image_shape, value_range=value_range
            )
            ends = np.quantile(codes[:, dimensions], QUANTILES, axis=0)
            grid = tuple(np.linspace(low, high, n_steps) for low, high in ends.T)
            plane = np.tile(codes.mean(axis=0), (n_steps, n_steps, 1))
            plane[..., dimensions[0]], plane[..., dimensions[1]] = np.meshgrid(*grid)
            rows = last.inverse_transform(plane.reshape(-1, codes.shape[1]))
            rows = to_data_units(estimator, rows).reshape(n_steps, n_steps, -1)
            decoded = {"manifold": rows, "grid": grid, "form": form}
        display = cls(codes, dimensions, y=_check_y(codes, y), **decoded)
        return display.plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        codes: ArrayLike,
        y: Any = None,
        *,
        dimensions: Integers | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw codes that are there already.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_components)
            As ``transform`` returns them.
        y : array-like of shape (n_samples,), default=None
            What colours them.
        dimensions : (int, int), default=None
            Across and up. None takes the two of the greatest variance.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentSpaceDisplay

        Raises
        ------
        ImportError
            If there is no matplotlib.
        ValueError
            If the codes have no two dimensions, or no such ones.
        """
        cls._pyplot()
        codes = np.asarray(codes)
        if dimensions is None and codes.shape[1] > 1:
            dimensions = np.argsort(-codes.var(axis=0), kind="stable")[:2]
        dimensions = _check_dimensions(dimensions, codes.shape[1])
        return cls(codes, dimensions, y=_check_y(codes, y)).plot(ax=ax, **plot_params)

    def plot(
        self,
        ax: Any = None,
        *,
        size: float = 12,
        alpha: float = 0.7,
        cmap: Any = "viridis",
        image_cmap: Any = "gray",
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Where to draw; None makes a figure. With a decoded plane a single one is divided.
        size : float, default=12
            Area of a point, in points squared.
        alpha : float, default=0.7
            Opacity of a point.
        cmap : str or Colormap, default="viridis"
            Of numbers, and of more classes than the style has colours.
        image_cmap : str or Colormap, default="gray"
            Of images of one channel.

        Returns
        -------
        self : LatentSpaceDisplay
            The display, with what was drawn in.
        """
        n_panels = 1 if self.manifold is None else 2
        inches = (PANEL * n_panels + (1.0 if self.y is not None else 0.0), PANEL)
        axes = self._panels(ax, n_panels, n_panels, size=inches)
        across, up = (self.codes[:, dimension] for dimension in self.dimensions)
        self._scatter(axes[0], across, up, {"s": size, "alpha": alpha, "linewidths": 0}, cmap)
        axes[0].spines[["top", "right"]].set_visible(False)
        for panel in axes:
            panel.set_xlabel(f"$z_{{{self.dimensions[0]}}}$")
            panel.set_ylabel(f"$z_{{{self.dimensions[1]}}}$")
        if self.manifold is not None:
            # Half a step further: a code is in the middle of its image.
            halves = [(values[1] - values[0]) / 2 for values in self.grid]
            ends = [
                (values[0] - half, values[-1] + half)
                for values, half in zip(self.grid, halves, strict=True)
            ]
            upside = self.manifold[::-1]
            self.form.draw_images(axes[1], upside, cmap=image_cmap, extent=[*ends[0], *ends[1]])
        return self

    def _scatter(self, axes, across, up, style, cmap):
        """Draw the codes, with a legend for classes or a colour bar for numbers."""
        if self.y is None:
            axes.scatter(across, up, color="C0", **style)
        elif not _are_classes(self.y):
            points = axes.scatter(across, up, c=self.y, cmap=cmap, **style)
            bar = axes.figure.colorbar(points, ax=axes, label="y")
            bar.solids.set_alpha(1)
        else:
            pyplot = self._pyplot()
            classes = np.unique(self.y)
            colors = pyplot.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"])
            if len(classes) > len(colors):
                colors = pyplot.get_cmap(cmap)(np.linspace(0, 1, len(classes)))
            for label, color in zip(classes, colors, strict=False):
                of_class = self.y == label
                axes.scatter(across[of_class], up[of_class], color=color, label=label, **style)
            legend = axes.legend(
                loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, markerscale=2
            )
            for handle in legend.legend_handles:
                handle.set_alpha(1)


def _are_classes(y):
    """Return whether y is of labels: no numbers, or few whole ones."""
    if y.dtype.kind not in "biuf":
        return True
    return len(np.unique(y)) <= MOST_CLASSES and bool((y == np.floor(y)).all())


def _check_y(codes, y):
    """Return y as an array that has an entry for every code."""
    if y is not None:
        y = np.asarray(y)
        check_consistent_length(codes, y)
    return y


def _check_dimensions(dimensions, n_components):
    """Return two different dimensions of the codes."""
    chosen = () if dimensions is None else tuple(int(dimension) for dimension in dimensions)
    if len(set(chosen)) != 2 or not all(0 <= dimension < n_components for dimension in chosen):
        raise ValueError(
            f"LatentSpaceDisplay needs two different dimensions of the codes, which have "
            f"{n_components}. Got dimensions={dimensions} instead. Count them from 0."
        )
    return chosen
