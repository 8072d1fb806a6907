"""The display of anomaly scores, and of the features that cause them."""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skvae._typing import Estimator, Integers, MatrixLike
from skvae.plotting.figures import Display
from skvae.plotting.groups import groups_of
from skvae.plotting.rows import row_form
from skvae.plotting.scores import ERROR, SQUARED, anomaly_scores

__all__ = ["ReconstructionErrorDisplay"]

PANEL = (4.8, 3.2)  # inches
MOST_FEATURES = 15


class ReconstructionErrorDisplay(Display):
    """A histogram of anomaly scores, and the contributions of the features of one row.

    The scores of a transformer are its reconstruction errors. The scores of a detector are minus
    its ``score_samples``.

    Use :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    errors : ndarray of shape (n_samples,)
        The score of every row; higher is more anomalous.
    y : ndarray of shape (n_samples,), default=None
        Groups. Each one gets its own histogram.
    threshold : float, default=None
        Drawn as a vertical line.
    contributions : ndarray of shape (n_features,), default=None
        The contributions of the features of one row, drawn in a second panel.
    row : int, default=None
        The number of this row, for the title.
    score_name : str, default="reconstruction error"
        The name of the scores, for the axis label.
    unit : str, default=None
        The unit of the scores, for the axis label.
    form : RowForm, default=None
        How a row is drawn.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        The histogram, and the contributions if there are any. Set by ``plot``.

    See Also
    --------
    skvae.VAETransformer.reconstruction_error : The numbers that are drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvae import VAETransformer
    >>> from skvae.plotting import ReconstructionErrorDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> vae = VAETransformer(4, max_epochs=5, random_state=0).fit(X[y != 4])
    >>> display = ReconstructionErrorDisplay.from_estimator(
    ...     vae, X, y == 4, row=4, image_shape=(8, 8, 1)
    ... )
    >>> display.errors.shape, display.contributions.shape
    ((1797,), (64,))
    """

    def __init__(
        self,
        errors,
        *,
        y=None,
        threshold=None,
        contributions=None,
        row=None,
        score_name=ERROR,
        unit=None,
        form=None,
    ):
        self.errors = errors
        self.y = y
        self.threshold = threshold
        self.contributions = contributions
        self.row = row
        self.score_name = score_name
        self.unit = unit
        self.form = form

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: MatrixLike,
        y: Any = None,
        *,
        threshold: float | None = None,
        row: int | None = None,
        image_shape: Integers | None = None,
        feature_names: Collection[str] | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Compute the scores of the rows of X, and draw them.

        Parameters
        ----------
        estimator : detector, estimator with ``reconstruction_error``, or Pipeline that ends in one
            The fitted model. For a Pipeline, the scores are those of its last step: if this follows
            a scaler, every feature has the same weight.
        X : array-like of shape (n_samples, n_features)
            Rows of the same kind as the training data.
        y : array-like of shape (n_samples,), default=None
            Groups, such as normal and anomalous rows.
        threshold : float, default=None
            Drawn as a vertical line. None uses the threshold of a detector.
        row : int, default=None
            The row of X whose contributions are drawn for each feature. For a detector they are how
            much each feature raises the anomaly score, from ``explain``; otherwise they are squared
            errors.
        image_shape : (height, width, channels), default=None
            Shape of the contributions as an image; channels are averaged. None uses the shape of
            the estimator, or draws bars if it has none.
        feature_names : sequence of str, default=None
            Names for the bars. None uses those of the last step, or x0, x1, ...
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        ReconstructionErrorDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator is not a detector and has no ``reconstruction_error``.
        ValueError
            If X has no such ``row``, or ``image_shape`` does not match the rows.
        """
        cls._pyplot()
        given = {
            "threshold": threshold,
            "image_shape": image_shape,
            "feature_names": feature_names,
        }
        scores = anomaly_scores(estimator, X, row, cls.__name__)
        scores |= {name: value for name, value in given.items() if value is not None}
        return cls.from_predictions(
            scores.pop("errors"), y, row=row, ax=ax, **scores, **plot_params
        )

    @classmethod
    def from_predictions(
        cls,
        errors: ArrayLike,
        y: Any = None,
        *,
        threshold: float | None = None,
        contributions: ArrayLike | None = None,
        row: int | None = None,
        image_shape: Integers | None = None,
        feature_names: Collection[str] | None = None,
        score_name: str = ERROR,
        unit: str | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw scores that were computed before.

        Parameters
        ----------
        errors : array-like of shape (n_samples,)
            As returned by ``reconstruction_error(X)``, or other scores; higher is more anomalous.
        y : array-like of shape (n_samples,), default=None
            Groups, such as normal and anomalous rows.
        threshold : float, default=None
            Drawn as a vertical line.
        contributions : array-like of shape (n_features,), default=None
            The contributions of the features of one row, such as a row of
            ``reconstruction_error(X, per_feature=True)``.
        row : int, default=None
            The number of this row, for the title.
        image_shape : (height, width, channels), default=None
            Shape of the contributions as an image; channels are averaged. None draws bars.
        feature_names : sequence of str, default=None
            Names for the bars. None uses x0, x1, ...
        score_name : str, default="reconstruction error"
            The name of the scores, for the axis label.
        unit : str, default=None
            The unit of the scores, such as "nats". None means "squared units of X" for a
            reconstruction error, and no unit for other scores.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        ReconstructionErrorDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``y`` and ``errors`` differ in length, or ``image_shape`` does not match the rows.
        """
        cls._pyplot()
        errors, form = np.asarray(errors), None
        y = groups_of(errors, y)
        if unit is None and score_name == ERROR:
            unit = SQUARED
        if contributions is not None:
            contributions = np.asarray(contributions)
            form = row_form(
                contributions[None], image_shape=image_shape, feature_names=feature_names
            )
        values = {"y": y, "threshold": threshold, "contributions": contributions}
        names = {"score_name": score_name, "unit": unit}
        return cls(errors, **values, row=row, **names, form=form).plot(ax=ax, **plot_params)

    def plot(self, ax: Any = None, *, bins: Any = 50, cmap: Any = "viridis") -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. With contributions, a single one is divided into
            two panels.
        bins : int or sequence, default=50
            Bins of the histogram. All groups have the same bins.
        cmap : str or Colormap, default="viridis"
            Colour map for contributions as an image.

        Returns
        -------
        self : ReconstructionErrorDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        n_panels = 1 if self.contributions is None else 2
        axes = self._panels(ax, n_panels, size=(PANEL[0], PANEL[1] * n_panels))
        finite = self.errors[np.isfinite(self.errors)]
        self._draw_errors(axes[0], np.histogram_bin_edges(finite, bins))
        if self.contributions is not None:
            what = "squared error" if self.score_name == ERROR else "contribution"
            row = "" if self.row is None else f", row {self.row}"
            axes[1].set_title(f"{what} by feature{row}")
            name = what if self.score_name == ERROR else f"raises the {self.score_name}"
            self._draw_contributions(axes[1], cmap, self._in_unit(name))
        if self.y is not None or self.threshold is not None:
            self._legend_above(axes[0], is_own=ax is None)
        return self

    def _in_unit(self, name):
        """Return the name of a quantity, followed by its unit if there is one."""
        return name if self.unit is None else f"{name} ({self.unit})"

    def _draw_errors(self, axes, edges):
        """Draw counts of all rows, or densities of groups, because groups differ in size."""
        if self.y is None:
            axes.hist(self.errors, edges, color="C0", alpha=0.6)
            axes.set_ylabel("rows")
        else:
            groups = np.unique(self.y)
            for group, color in zip(groups, self._colours(len(groups)), strict=True):
                errors = self.errors[self.y == group]
                label = f"{group} ({len(errors)} rows)"
                axes.hist(errors, edges, density=True, color=color, alpha=0.35, label=label)
                axes.hist(errors, edges, density=True, color=color, histtype="step")
            axes.set_ylabel("density")
        if self.threshold is not None:
            ink = self._pyplot().rcParams["text.color"]
            label = f"threshold {self.threshold:.3g}"
            axes.axvline(self.threshold, color=ink, linestyle="--", linewidth=1, label=label)
        axes.set_xlabel(
            f"{self._in_unit(self.score_name)}\nhigher is more anomalous $\\rightarrow$"
        )
        axes.spines[["top", "right"]].set_visible(False)

    def _draw_contributions(self, axes, cmap, name):
        """Draw the contributions of one row, as an image or as bars for the largest."""
        if self.form.image_shape is not None:
            image = self.contributions.reshape(self.form.image_shape).mean(axis=-1)
            shown = axes.imshow(image, cmap=cmap, vmin=0, origin="upper", interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            axes.figure.colorbar(shown, ax=axes, label=name)
            return
        largest = np.argsort(-self.contributions, kind="stable")[:MOST_FEATURES]  # NaN comes last
        largest = largest[~np.isnan(self.contributions[largest])]
        places = np.arange(len(largest))
        axes.barh(places, self.contributions[largest], color="C0")
        axes.set_yticks(places, self.form.feature_names[largest])
        axes.invert_yaxis()
        axes.set_xlabel(name)
        axes.spines[["top", "right"]].set_visible(False)
