"""The display of rows and their reconstructions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import indexable

from skvae._typing import Estimator, Floats, Integers, MatrixLike
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.base.validation import dense
from skvae.plotting.figures import Display
from skvae.plotting.image_grids import draw_grid
from skvae.plotting.models import (
    feature_names_of,
    image_shape_of,
    last_that_can,
    named,
    reconstruct,
    rows_before,
)
from skvae.plotting.rows import row_form

__all__ = ["ReconstructionDisplay"]

PANEL = (6.4, 2.0)  # inches


class ReconstructionDisplay(Display):
    """Rows of the data next to their reconstructions by one or several models.

    Use :meth:`from_estimator` or :meth:`from_predictions`. Images are drawn in a grid: the
    originals first, then one row (or column) for each model. Tables have one panel for each row of
    the data; it shows the original and each reconstruction as a line over the features.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The originals.
    reconstructions : dict of ndarray of shape (n_samples, n_features)
        The reconstructions by the name of the model, in the units of ``X``.
    form : RowForm
        How a row is drawn.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        One for images; for tables, one for each row of the data. Set by ``plot``.

    See Also
    --------
    skvae.VAETransformer.reconstruct : The reconstructions.
    ReconstructionErrorDisplay : How much they differ from the originals.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvae import BetaVAETransformer
    >>> from skvae.plotting import ReconstructionDisplay
    >>> X = load_digits().data
    >>> models = [
    ...     BetaVAETransformer(4, beta=beta, max_epochs=5, random_state=0).fit(X)
    ...     for beta in (1.0, 16.0)
    ... ]
    >>> display = ReconstructionDisplay.from_estimator(models, X, image_shape=(8, 8, 1))
    >>> list(display.reconstructions)
    ['beta=1', 'beta=16']
    """

    def __init__(self, X, reconstructions, *, form):
        self.X = X
        self.reconstructions = reconstructions
        self.form = form

    @classmethod
    def from_estimator(
        cls,
        estimators: Estimator | Sequence[Estimator] | Mapping[str, Estimator],
        X: MatrixLike,
        *,
        n_samples: int | None = None,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        feature_names: Collection[str] | None = None,
        standardize: bool = True,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Reconstruct rows by one or several models, and draw them.

        Parameters
        ----------
        estimators : estimator with ``inverse_transform``, or Pipeline or search that holds one; \
or a list or dict of these
            The fitted models. The keys of a dict are their names. Models in a list are named by
            class, or if they have the same class by the parameters that differ, such as "beta=4".
            The earlier steps of a Pipeline transform rows back by ``inverse_transform``. If one of
            them has none, rows are shown as the last step gets them.
        X : array-like of shape (n_rows, n_features)
            Rows of the same kind as the training data. All of them set the range of shown values.
        n_samples : int, default=None
            Number of rows to show; the first ones are shown. None shows at most 10 images, or at
            most 4 rows of a table.
        image_shape : (height, width, channels), default=None
            Shape of the images. None uses that of the first estimator, or draws lines if it has
            none.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if X is within
            this range, and otherwise the smallest and the largest value of X.
        feature_names : sequence of str, default=None
            Names of the features of a table. None uses those of the first estimator, or x0, x1, ...
        standardize : bool, default=True
            Whether table values are shown as standard deviations from the mean of X.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an estimator cannot decode.
        ValueError
            If an argument is out of its range, or ``image_shape`` does not match the rows.
        """
        cls._pyplot()
        estimators = named(estimators)
        first = next(iter(estimators.values()))
        for estimator in estimators.values():
            last_that_can(estimator, "inverse_transform", cls.__name__)
        image_shape = image_shape_of(first, image_shape)
        if n_samples is None:
            n_samples = 4 if image_shape is None else 10
        check_integer("n_samples", n_samples, f"{cls.__name__}.from_estimator")
        (X,) = indexable(X)
        shown = rows_before(first, X)
        reconstructions = {
            name: reconstruct(estimator, X[:n_samples]) for name, estimator in estimators.items()
        }
        form = row_form(
            shown,
            image_shape=image_shape,
            value_range=value_range,
            feature_names=feature_names_of(first) if feature_names is None else feature_names,
            standardize=shown if standardize else None,
        )
        display = cls(*_check_shapes(shown[:n_samples], reconstructions), form=form)
        return display.plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        X: MatrixLike,
        reconstructions: ArrayLike | Mapping[str, ArrayLike],
        *,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        feature_names: Collection[str] | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw all given rows and reconstructions, which were computed before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The originals.
        reconstructions : array-like of shape (n_samples, n_features), or dict of these
            In the units of X. If there are several models, a dict by the name of the model.
        image_shape : (height, width, channels), default=None
            Shape of the images. None draws lines.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if X is within
            this range, and otherwise the smallest and the largest value of X.
        feature_names : sequence of str, default=None
            Names of the features of a table. None uses x0, x1, ...
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``image_shape`` does not match the rows, or a reconstruction does not match X.
        """
        cls._pyplot()
        X = dense(X)
        if not isinstance(reconstructions, Mapping):
            reconstructions = {"reconstruction": reconstructions}
        reconstructions = {name: np.asarray(rows) for name, rows in reconstructions.items()}
        names = {"feature_names": feature_names, "value_range": value_range}
        form = row_form(X, image_shape=image_shape, **names)
        return cls(*_check_shapes(X, reconstructions), form=form).plot(ax=ax, **plot_params)

    def plot(
        self, ax: Any = None, *, orientation: str = "vertical", cmap: Any = "gray", padding: int = 1
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. For tables, a single one is divided into panels.
        orientation : {"vertical", "horizontal"}, default="vertical"
            Whether reconstructed images are below the originals or to the right of them.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.
        padding : int, default=1
            Transparent pixels between images.

        Returns
        -------
        self : ReconstructionDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        check_argument(
            "orientation",
            orientation,
            one_of("vertical", "horizontal"),
            f"{type(self).__name__}.plot",
        )
        if self.form.image_shape is None:
            self._draw_tables(ax)
            return self
        rows = np.stack([self.X, *self.reconstructions.values()])
        labels, style = ["original", *self.reconstructions], {"cmap": cmap, "padding": padding}
        if orientation == "horizontal":
            draw_grid(self, ax, self.form, rows.swapaxes(0, 1), column_labels=labels, **style)
        else:
            draw_grid(self, ax, self.form, rows, row_labels=labels, **style)
        return self

    def _draw_tables(self, ax):
        """Draw a panel for every row of the data; the original has the colour of text."""
        size = (PANEL[0], PANEL[1] * len(self.X) + 0.9)
        axes = self._panels(ax, len(self.X), size=size, share_x=True)
        ink = self._pyplot().rcParams["text.color"]
        styles = [{"color": ink, "marker": "o", "markersize": 3, "label": "original"}]
        styles += [
            {"color": f"C{place}", "label": name} for place, name in enumerate(self.reconstructions)
        ]
        for panel, lines in zip(
            axes, np.stack([self.X, *self.reconstructions.values()], axis=1), strict=True
        ):
            self.form.draw_lines(panel, lines, styles)
            panel.set_ylabel(self.form.unit)
            panel.label_outer()
        axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(styles), frameon=False)


def _check_shapes(X, reconstructions):
    """Return both, or raise an error if a reconstruction does not have the shape of X."""
    for name, rows in reconstructions.items():
        if rows.shape != X.shape:
            raise ValueError(
                f"Reconstructions must have the shape of the originals, {X.shape}. Got "
                f"{rows.shape} of {name!r} instead. Draw it in a figure of its own."
            )
    return X, reconstructions
