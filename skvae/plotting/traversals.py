"""The display of what each latent dimension does to a decoded row."""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skvae._typing import Estimator, Floats, Integers, MatrixLike, Seed
from skvae.base.hyperparameters import check_argument, check_integer, one_of
from skvae.base.pipelines import last_step
from skvae.plotting.factors import name_dimensions
from skvae.plotting.figures import Display
from skvae.plotting.image_grids import draw_grid
from skvae.plotting.models import (
    feature_names_of,
    image_shape_of,
    informativeness,
    last_that_can,
    one_row,
    rows_before,
    to_data_units,
)
from skvae.plotting.planes import moved_codes
from skvae.plotting.rows import row_form

__all__ = ["LatentTraversalDisplay"]

PANEL = (6.4, 1.6)  # inches


class LatentTraversalDisplay(Display):
    """Rows decoded from codes in which one latent dimension moves at a time.

    Use :meth:`from_estimator`. Images are drawn in a grid, with one row for each dimension and one
    column for each step. Tables have one panel for each dimension; each step is a line over the
    features. If the factors of the rows are known, there is instead one row for each factor, which
    moves the dimension with the most information about it.

    Parameters
    ----------
    rows : ndarray of shape (n_dimensions, n_steps, n_features)
        The decoded rows, in the units of the data.
    codes : ndarray of shape (n_dimensions, n_steps, n_components)
        The codes. Those of ``codes[i]`` differ only in the entry ``dimensions[i]``.
    dimensions : ndarray of int of shape (n_dimensions,)
        The dimensions that move, with the most informative first, or in the order of the factors.
    informativeness : ndarray of shape (n_dimensions,)
        How informative each dimension is.
    measure : {"KL", "variance", "MI"}
        How this is measured. "KL" is the mean divergence of the posterior from the prior, in nats.
        "variance" is that of the code, for models without a posterior. "MI" is the mutual
        information with a factor, divided by the factor's entropy, from 0 to 1.
    form : RowForm
        How a row is drawn.
    names : list of str, default=None
        Names of the factors, one for each row.
    telling : ndarray of bool of shape (n_dimensions,), default=None
        Whether each dimension has more information about its factor than chance explains.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        One for images; for tables, one for each dimension. Set by ``plot``.

    See Also
    --------
    skvae.metrics.latent_summary : The numbers that order the dimensions.
    LatentSummaryDisplay : Draws these numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvae import VAETransformer
    >>> from skvae.plotting import LatentTraversalDisplay
    >>> X = load_digits().data
    >>> vae = VAETransformer(4, max_epochs=5, random_state=0).fit(X)
    >>> display = LatentTraversalDisplay.from_estimator(vae, X, image_shape=(8, 8, 1))
    >>> display.rows.shape
    (4, 9, 64)
    """

    def __init__(
        self,
        rows,
        codes,
        dimensions,
        *,
        informativeness,
        measure,
        form,
        names=None,
        telling=None,
    ):
        self.rows = rows
        self.codes = codes
        self.dimensions = dimensions
        self.informativeness = informativeness
        self.measure = measure
        self.form = form
        self.names = names
        self.telling = telling

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: MatrixLike,
        *,
        x: ArrayLike | None = None,
        factors: MatrixLike | None = None,
        factor_names: Collection[str] | None = None,
        n_dimensions: int | None = 8,
        n_steps: int = 9,
        spread: str = "aggregate",
        quantiles: Floats = (0.01, 0.99),
        random_state: Seed = 0,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        feature_names: Collection[str] | None = None,
        standardize: bool = True,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        r"""Decode codes along the most informative dimensions, and draw the rows.

        Parameters
        ----------
        estimator : estimator with ``inverse_transform``, or Pipeline or search that holds one
            The fitted model. The earlier steps of a Pipeline transform decoded rows back by
            ``inverse_transform``. If one of them has none, rows are shown as the last step gets
            them.
        X : array-like of shape (n_samples, n_features)
            Rows of the same kind as the training data. They determine the order of the dimensions
            and how far each one moves.
        x : array-like of shape (n_features,) or (1, n_features), default=None
            The row whose code sets the dimensions that do not move. None uses the mean of the
            prior, 0, or for models without a prior the mean of the codes of X.
        factors : {array-like, DataFrame} of shape (n_samples, n_factors), default=None
            Known factors of the rows of X, such as ``make_sprites`` returns. Each distinct value is
            a level. There is then one row for each factor that varies, in their order. It moves the
            dimension with the largest mutual information with the factor. Several factors can share
            one dimension.
        factor_names : sequence of str of shape (n_factors,), default=None
            Names of the factors. None uses the columns of a frame, or "factor 0", "factor 1", ...
        n_dimensions : int or None, default=8
            Maximum number of rows. None shows all.
        n_steps : int, default=9
            Number of evenly spaced values of each dimension.
        spread : {"aggregate", "prior"}, default="aggregate"
            The distribution whose quantiles are the ends of the movement. "aggregate" is the
            aggregate posterior, from draws of q(z|x) for the rows of X (or the codes, if there is
            no posterior). "prior" is N(0, 1).
        quantiles : (float, float), default=(0.01, 0.99)
            The probabilities of the two ends.
        random_state : int, RandomState instance or None, default=0
            Seed of the draws from q(z|x).
        image_shape : (height, width, channels), default=None
            Shape of the images. None uses that of the estimator, or draws lines if it has none.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if X is within
            this range, and otherwise the smallest and the largest value of X.
        feature_names : sequence of str, default=None
            Names of the features of a table. None uses those of the estimator, or x0, x1, ...
        standardize : bool, default=True
            Whether table values are shown as standard deviations from the mean of X.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentTraversalDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator cannot decode.
        ValueError
            If an argument is out of its range; if ``image_shape`` does not match the rows; if a
            column of ``factors`` has more than one level for every two rows.
        """
        cls._pyplot()
        _check(n_dimensions, n_steps, spread, quantiles)
        last = last_that_can(estimator, "inverse_transform", cls.__name__)
        shown = rows_before(estimator, X)
        form = row_form(
            shown,
            image_shape=image_shape_of(estimator, image_shape),
            value_range=value_range,
            feature_names=feature_names_of(estimator) if feature_names is None else feature_names,
            standardize=shown if standardize else None,
        )
        _, X = last_step(estimator, X)
        dimensions, carried = _moving(last, X, factors, factor_names, n_dimensions, cls.__name__)
        if hasattr(last, "sample_posterior"):
            codes, centre = last.sample_posterior(X, random_state=random_state), 0.0
        else:
            codes = np.asarray(last.transform(X))
            centre = codes.mean(axis=0)
        if x is not None:
            centre = np.asarray(last.transform(last_step(estimator, one_row(x))[1]))[0]
        moved = moved_codes(codes, centre, dimensions, n_steps, spread, quantiles)
        rows = last.inverse_transform(moved.reshape(-1, codes.shape[1]))
        rows = to_data_units(estimator, rows).reshape(len(dimensions), n_steps, -1)
        display = cls(rows, moved, dimensions, **carried, form=form)
        return display.plot(ax=ax, **plot_params)

    def plot(self, ax: Any = None, *, cmap: Any = None, padding: int = 1) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. For tables, a single one is divided into panels.
        cmap : str or Colormap, default=None
            Colour map of images with one channel, by default "gray", or of the steps of a table, by
            default "viridis".
        padding : int, default=1
            Transparent pixels between images.

        Returns
        -------
        self : LatentTraversalDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        n_dimensions = len(self.rows)
        labels = self._labels()
        stops = [codes[:, d] for codes, d in zip(self.codes, self.dimensions, strict=True)]
        if self.form.image_shape is None:
            size = (PANEL[0], PANEL[1] * n_dimensions + 0.6)
            axes = self._panels(ax, n_dimensions, size=size, share_x=True)
            for panel in zip(axes, self.rows, stops, labels, strict=True):
                self._draw_table(*panel, "viridis" if cmap is None else cmap)
            return self
        labels = [
            f"{name}\n[{z[0]:.1f}, {z[-1]:.1f}]" for name, z in zip(labels, stops, strict=True)
        ]
        style = {"cmap": "gray" if cmap is None else cmap, "padding": padding}
        draw_grid(self, ax, self.form, self.rows, row_labels=labels, **style)
        return self

    def _labels(self):
        """Return the label of every row: its factor, its dimension and how informative that is."""
        name = {"KL": "KL {:.2f}", "variance": "var. {:.3g}", "MI": "MI {:.2f}"}[self.measure]
        labels = [
            f"$z_{{{dimension}}}$   {name.format(value)}"
            for dimension, value in zip(self.dimensions, self.informativeness, strict=True)
        ]
        if self.names is None:
            return labels
        return [
            f"{factor}\n{label if tells else label.split('   ')[0] + '   tells nothing'}"
            for factor, label, tells in zip(self.names, labels, self.telling, strict=True)
        ]

    def _draw_table(self, axes, rows, stops, label, cmap):
        """Draw the steps of one dimension; the colour of a line shows the value of the code."""
        pyplot = self._pyplot()
        scale = pyplot.cm.ScalarMappable(pyplot.Normalize(stops[0], stops[-1]), cmap)
        self.form.draw_lines(axes, rows, [{"color": scale.to_rgba(stop)} for stop in stops])
        axes.set_ylabel(self.form.unit)
        axes.label_outer()
        axes.set_title(label, loc="left")
        axes.figure.colorbar(scale, ax=axes, ticks=[stops[0], stops[-1]], format="%.1f", pad=0.01)


def _moving(last, X, factors, factor_names, n_dimensions, name):
    """Return the dimensions that move, and by name what the display says of each."""
    if factors is None:
        values, measure = informativeness(last, X)
        # The sort is stable: equally informative dimensions keep their order.
        dimensions = np.argsort(-values, kind="stable")[:n_dimensions]
        return dimensions, {"informativeness": values[dimensions], "measure": measure}
    naming = name_dimensions(last.transform(X), factors, factor_names, name)
    return naming.dimensions[:n_dimensions], {
        "informativeness": naming.shares[:n_dimensions],
        "measure": "MI",
        "names": naming.names[:n_dimensions],
        "telling": naming.telling[:n_dimensions],
    }


def _check(n_dimensions, n_steps, spread, quantiles):
    """Raise an error if an argument is out of its range."""
    name = "LatentTraversalDisplay.from_estimator"
    if n_dimensions is not None:
        check_integer("n_dimensions", n_dimensions, name)
    check_integer("n_steps", n_steps, name, least=2)
    check_argument("spread", spread, one_of("aggregate", "prior"), name)
    if np.size(quantiles) != 2 or not 0 < quantiles[0] < quantiles[1] < 1:
        raise ValueError(
            f"quantiles must be two probabilities, 0 < low < high < 1. Got {quantiles!r} instead. "
            f"Use (0.01, 0.99)."
        )
