"""The display of two latent dimensions: the codes, their images, and a decoded grid."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from skvae._typing import Estimator, Floats, Integers, MatrixLike
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.base.pipelines import last_step
from skvae.plotting.figures import Display
from skvae.plotting.groups import draw_images, draw_points, groups_of
from skvae.plotting.models import (
    image_shape_of,
    informativeness,
    last_that_can,
    rows_before,
    to_data_units,
)
from skvae.plotting.planes import plane_of, two_dimensions
from skvae.plotting.rows import row_form

__all__ = ["LatentSpaceDisplay"]

PANEL = 4.4  # inches
NO_SHAPE = "{} needs an image_shape. Got None instead. Give (height, width, channels)."


class LatentSpaceDisplay(Display):
    """A scatter plot of codes in two dimensions, with their images or a decoded grid.

    Use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_components)
        The codes of the rows.
    dimensions : tuple of two int
        The dimensions drawn on the horizontal and the vertical axis.
    y : ndarray of shape (n_samples,), default=None
        Colours of the points. Labels, or at most 30 distinct integers, are groups with a colour and
        a name each. Other numbers have a colour bar.
    images : ndarray of shape (n_samples, n_features), default=None
        The rows of the codes, as images. Some are drawn as thumbnails at their codes.
    manifold : ndarray of shape (n_steps, n_steps, n_features), default=None
        The images decoded from ``grid``, in the units of the data, drawn in a second panel.
    grid : tuple of two ndarray of shape (n_steps,), default=None
        The values of the horizontal and the vertical dimension: ``manifold[i, j]`` is decoded from
        ``grid[0][j]`` and ``grid[1][i]``.
    form : RowForm, default=None
        How images are drawn.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        The codes, and the decoded grid if there is one. Set by ``plot``.

    See Also
    --------
    LatentTraversalDisplay : Moves along one dimension at a time.

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

    def __init__(
        self, codes, dimensions, *, y=None, images=None, manifold=None, grid=None, form=None
    ):
        self.codes = codes
        self.dimensions = dimensions
        self.y = y
        self.images = images
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
        thumbnails: bool = False,
        manifold: bool = False,
        n_steps: int = 15,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Encode X, and draw the codes.

        Parameters
        ----------
        estimator : estimator with ``transform``, or Pipeline or search that holds one
            The fitted model.
        X : array-like of shape (n_samples, n_features)
            Rows of the same kind as the training data.
        y : array-like of shape (n_samples,), default=None
            The colours of the codes.
        dimensions : (int, int), default=None
            The horizontal and the vertical dimension. None uses the two most informative ones: by
            KL divergence from the prior, or by the variance of the code if there is no posterior.
        thumbnails : bool, default=False
            Whether to draw some images of X as thumbnails at their codes.
        manifold : bool, default=False
            Whether to decode a grid of codes into images. The grid spans the quantiles 0.01 to 0.99
            of the codes of X in the two dimensions. All other dimensions are at the mean code.
        n_steps : int, default=15
            Number of images in each row and column of the grid.
        image_shape : (height, width, channels), default=None
            Shape of the images. None uses that of the estimator.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if X is within
            this range, and otherwise the smallest and the largest value of X.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentSpaceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator cannot encode, or cannot decode for ``manifold``.
        ValueError
            If the codes have fewer than two dimensions, or not those in ``dimensions``; if
            ``thumbnails`` or ``manifold`` has no ``image_shape``, or one that does not match.
        """
        cls._pyplot()
        last = last_that_can(estimator, "transform", cls.__name__)
        X_last = last_step(estimator, X)[1]
        codes = np.asarray(last.transform(X_last))
        if dimensions is None and codes.shape[1] > 1:
            values, _ = informativeness(last, X_last)
            dimensions = np.argsort(-values, kind="stable")[:2]
        dimensions = two_dimensions(dimensions, codes.shape[1])
        drawn: dict[str, Any] = {}
        if thumbnails or manifold:
            image_shape = image_shape_of(estimator, image_shape)
            if image_shape is None:
                raise ValueError(
                    NO_SHAPE.format(f"{'manifold' if manifold else 'thumbnails'}=True")
                )
            rows = np.asarray(rows_before(estimator, X))
            drawn["form"] = row_form(rows, image_shape=image_shape, value_range=value_range)
            drawn["images"] = rows if thumbnails else None
        if manifold:
            check_integer("n_steps", n_steps, f"{cls.__name__}.from_estimator", least=2)
            last_that_can(estimator, "inverse_transform", cls.__name__)
            drawn["grid"], plane = plane_of(codes, dimensions, n_steps)
            decoded = last.inverse_transform(plane.reshape(-1, codes.shape[1]))
            decoded = to_data_units(estimator, decoded)
            drawn["manifold"] = decoded.reshape(n_steps, n_steps, -1)
        display = cls(codes, dimensions, y=groups_of(codes, y), **drawn)
        return display.plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        codes: ArrayLike,
        y: Any = None,
        *,
        dimensions: Integers | None = None,
        images: ArrayLike | None = None,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw codes that were computed before.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_components)
            As returned by ``transform``.
        y : array-like of shape (n_samples,), default=None
            The colours of the codes.
        dimensions : (int, int), default=None
            The horizontal and the vertical dimension. None uses the two with the largest variance.
        images : array-like of shape (n_samples, n_features), default=None
            The images of the codes. Some are drawn as thumbnails at their codes.
        image_shape : (height, width, channels), default=None
            Shape of the images.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if the images
            are within this range, and otherwise their smallest and largest value.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentSpaceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the codes have fewer than two dimensions, or not those in ``dimensions``; if codes
            and images differ in number; if ``image_shape`` is missing or does not match.
        """
        cls._pyplot()
        codes = np.asarray(codes)
        if dimensions is None and codes.shape[1] > 1:
            dimensions = np.argsort(-codes.var(axis=0), kind="stable")[:2]
        dimensions = two_dimensions(dimensions, codes.shape[1])
        form = None
        if images is not None:
            if image_shape is None:
                raise ValueError(NO_SHAPE.format("images"))
            images = np.asarray(images)
            check_consistent_length(codes, images)
            form = row_form(images, image_shape=image_shape, value_range=value_range)
        display = cls(codes, dimensions, y=groups_of(codes, y), images=images, form=form)
        return display.plot(ax=ax, **plot_params)

    def plot(
        self,
        ax: Any = None,
        *,
        size: float = 12,
        alpha: float = 0.7,
        cmap: Any = "viridis",
        labels: str = "legend",
        n_thumbnails: int = 40,
        thumbnail_size: float = 0.4,
        image_cmap: Any = "gray",
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. With a decoded grid, a single one is divided
            into two panels.
        size : float, default=12
            Area of a point, in points squared.
        alpha : float, default=0.7
            Opacity of a point.
        cmap : str or Colormap, default="viridis"
            Colour map for numbers. Groups have the colours of the style. If there are more groups,
            the others have colours that are as different as possible.
        labels : {"legend", "medians"}, default="legend"
            Where the names of groups are written: in a legend, or at the centre of each group,
            which is easier to read for many separate groups.
        n_thumbnails : int, default=40
            Maximum number of thumbnails. Fewer are drawn if they would overlap.
        thumbnail_size : float, default=0.4
            The longer side of a thumbnail, in inches.
        image_cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        self : LatentSpaceDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        name = f"{type(self).__name__}.plot"
        check_argument("labels", labels, one_of("legend", "medians"), name)
        check_integer("n_thumbnails", n_thumbnails, name)
        n_panels = 1 if self.manifold is None else 2
        axes = self._panels(ax, n_panels, size=(PANEL, PANEL * n_panels))
        places = self.codes[:, list(self.dimensions)]
        style = {"s": size, "alpha": alpha, "linewidths": 0}
        colours = draw_points(self, axes[0], places, self.y, style, cmap, labels)
        if self.images is not None:
            drawn = {"most": n_thumbnails, "side": thumbnail_size, "cmap": image_cmap}
            draw_images(self, axes[0], places, self.images, self.form, frames=colours, **drawn)
        axes[0].spines[["top", "right"]].set_visible(False)
        for panel in axes:
            panel.set_xlabel(f"$z_{{{self.dimensions[0]}}}$")
            panel.set_ylabel(f"$z_{{{self.dimensions[1]}}}$")
        if self.manifold is not None:
            # The axes end half a step further out, so that each code is at the centre of its image.
            halves = [(values[1] - values[0]) / 2 for values in self.grid]
            ends = [
                (values[0] - half, values[-1] + half)
                for values, half in zip(self.grid, halves, strict=True)
            ]
            upside = self.manifold[::-1]
            self.form.draw_images(axes[1], upside, cmap=image_cmap, extent=[*ends[0], *ends[1]])
        if ax is None:
            self._widen(axes[0])
        return self
