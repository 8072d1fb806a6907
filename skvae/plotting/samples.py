"""The display of samples from models."""

from collections.abc import Collection, Mapping, Sequence
from math import ceil, sqrt
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skvae._typing import Estimator, Floats, Integers, MatrixLike, Seed
from skvae.base.hyperparameters import check_integer
from skvae.plotting.drawn import drawn, range_of_bytes, same_columns, valid_data
from skvae.plotting.figures import Display
from skvae.plotting.image_grids import draw_grid, draw_squares
from skvae.plotting.marginals import SIZE, MarginalForm, marginal_form
from skvae.plotting.models import (
    feature_names_of,
    image_shape_of,
    last_that_can,
    named,
    table_before,
)
from skvae.plotting.rows import row_form
from skvae.tabular.reading import is_frame

__all__ = ["SampleDisplay"]

PANEL = (6.4, 2.0)  # inches
MARGINALS = 3  # panels in a row
MOST_IN_A_ROW = 16
FEW, MANY = 10, 1_000  # samples to draw one by one, or to estimate their distribution


class SampleDisplay(Display):
    """Samples of one or several models.

    Images have one row for each model, or one square for each model if ``n_columns`` is smaller
    than the number of samples. For tables with column names, the distribution of each column is
    drawn, with the data in grey. The number next to the name says how much the samples differ from
    the data, from 0 to 1; columns with the largest difference come first. Other rows have one panel
    for each model, with one line for each sample.

    Parameters
    ----------
    samples : dict of {ndarray, DataFrame} of shape (n_samples, n_features)
        Rows by the name of their model (or "data"), in the units of the data.
    form : RowForm or MarginalForm
        How rows are drawn.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        One if all images are in one grid, or else one for each model or column. Set by ``plot``.

    See Also
    --------
    skvae.VAETransformer.sample : Returns the samples.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skvae import AutoencoderTransformer, VAETransformer
    >>> from skvae.plotting import SampleDisplay
    >>> X = load_digits().data
    >>> models = [AutoencoderTransformer(4, max_epochs=5, random_state=0).fit(X)]
    >>> models += [VAETransformer(4, max_epochs=5, random_state=0).fit(X)]
    >>> display = SampleDisplay.from_estimator(models, random_state=0, image_shape=(8, 8, 1))
    >>> list(display.samples)
    ['AutoencoderTransformer', 'VAETransformer']
    >>> from sklearn.datasets import load_iris
    >>> table = load_iris(as_frame=True).data
    >>> vae = VAETransformer(2, noise_variance="per-feature", max_epochs=200, random_state=0)
    >>> display = SampleDisplay.from_estimator(vae.fit(table), table, random_state=0)
    >>> display.form.names[0]  # the column that differs most
    'petal length (cm)'
    """

    def __init__(self, samples, *, form):
        self.samples = samples
        self.form = form

    @classmethod
    def from_estimator(
        cls,
        estimators: Estimator | Sequence[Estimator] | Mapping[str, Estimator],
        X: MatrixLike | None = None,
        *,
        n_samples: int | None = None,
        latent: Any = None,
        random_state: Seed = None,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        feature_names: Collection[str] | None = None,
        standardize: bool = True,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw samples of one model or of several.

        Parameters
        ----------
        estimators : estimator with ``sample``, or Pipeline or search that holds one; or a list \
or dict of these
            The fitted models. The keys of a dict are their names. Models in a list are named by
            class, or if they have the same class by the parameters that differ. The earlier steps
            of a Pipeline transform samples back by ``inverse_transform``. If one of them has none,
            samples are shown as the last step returns them.
        X : array-like of shape (n_rows, n_features), default=None
            Rows of the data, shown as "data": all rows if columns have names, or else the first
            ``n_samples``.
        n_samples : int, default=None
            Number of samples of each model. None draws 1,000 samples with the noise of p(x|z) if
            columns have names, and 10 otherwise.
        latent : None, "standard-normal", a fitted density, or dict of these, default=None
            Where the codes come from, as in ``sample``. A dict gives it by the name of the model;
            models that are not in it get None.
        random_state : int, RandomState instance or None, default=None
            All models use the same seed. With the same density and the same number of components,
            their codes are the same.
        image_shape : (height, width, channels), default=None
            Shape of the images. None uses that of the first estimator, or draws lines if it has
            none.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if X is within
            this range, and otherwise the smallest and the largest value of X. Without X it uses 0
            to 1 also if samples exceed it by up to 0.25, and 0 to 1 / ``input_scale`` for a model
            that has an ``input_scale``.
        feature_names : sequence of str, default=None
            Names of the columns of a table. None uses those of X or of the first estimator. Without
            names, rows are drawn as lines.
        standardize : bool, default=True
            Whether table values are shown as standard deviations from the mean of X, if X is given.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        SampleDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If an estimator has no ``sample``.
        ValueError
            If an argument is out of its range, or ``image_shape`` does not match the rows.
        """
        cls._pyplot()
        if n_samples is not None:
            check_integer("n_samples", n_samples, f"{cls.__name__}.from_estimator")
        estimators = named(estimators)
        seed = check_random_state(random_state).randint(2**31 - 1)
        first = next(iter(estimators.values()))
        shape = image_shape_of(first, image_shape)
        table = None if X is None else table_before(first, X)
        if feature_names is None:
            feature_names = list(table.columns) if is_frame(table) else feature_names_of(first)
        by_column = shape is None and feature_names is not None
        if n_samples is None:
            n_samples = MANY if by_column else FEW
        for estimator in estimators.values():
            last_that_can(estimator, "sample", cls.__name__)
        samples = {} if table is None else {"data": valid_data(table, by_column)}
        samples |= drawn(estimators, n_samples, latent, seed, by_column)
        same_columns(samples)
        if by_column:
            form = marginal_form(samples, feature_names)
            return cls(samples, form=form).plot(ax=ax, **plot_params)
        X = samples.get("data")
        if X is not None:
            samples["data"] = X[:n_samples]
        elif value_range is None:
            value_range = range_of_bytes(first)
        form = row_form(
            np.concatenate(list(samples.values())) if X is None else X,
            image_shape=shape,
            value_range=value_range,
            standardize=X if standardize else None,
            decoded=X is None,
        )
        return cls(samples, form=form).plot(ax=ax, **plot_params)

    @classmethod
    def from_predictions(
        cls,
        samples: ArrayLike | Mapping[str, ArrayLike],
        *,
        image_shape: Integers | None = None,
        value_range: Floats | None = None,
        feature_names: Collection[str] | None = None,
        ax: Any = None,
        **plot_params: Any,
    ) -> Self:
        """Draw samples that were computed before.

        Parameters
        ----------
        samples : {array-like, DataFrame} of shape (n_samples, n_features), or dict of these
            The samples, or samples by name. For tables, the first one is the reference for the
            others, and it is grey if its name is "data".
        image_shape : (height, width, channels), default=None
            Shape of the images. None draws tables.
        value_range : (low, high), default=None
            The values shown as black and white. None uses 0 to 255 for uint8, 0 to 1 if all rows
            are within this range, and otherwise their smallest and largest value.
        feature_names : sequence of str, default=None
            Names of the columns of a table. None uses those of a frame. Without names, rows are
            drawn as lines.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        SampleDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ``image_shape`` does not match the rows, or samples differ in their columns.
        """
        cls._pyplot()
        samples = samples if isinstance(samples, Mapping) else {"samples": samples}
        first = next(iter(samples.values()))
        if feature_names is None and is_frame(first):
            feature_names = list(first.columns)
        if image_shape is None and feature_names is not None:
            samples = {n: x if is_frame(x) else np.asarray(x) for n, x in samples.items()}
            form = marginal_form(same_columns(samples), feature_names)
        else:
            samples = same_columns({name: np.asarray(rows) for name, rows in samples.items()})
            every = np.concatenate(list(samples.values()))
            form = row_form(every, image_shape=image_shape, value_range=value_range)
        return cls(samples, form=form).plot(ax=ax, **plot_params)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int | None = None,
        cmap: Any = "gray",
        padding: int = 1,
        n_features: int = 12,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. A single one is divided into panels.
        n_columns : int, default=None
            Number of images in a row. None shows all samples of a model in one row if there are
            several models with at most 16 samples each. Otherwise each model has a square. For
            tables with column names, the number of panels in a row; None means three.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.
        padding : int, default=1
            Transparent pixels between images.
        n_features : int, default=12
            Maximum number of named columns to show. Those that differ most are shown.

        Returns
        -------
        self : SampleDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        if isinstance(self.form, MarginalForm):
            self._draw_marginals(ax, n_columns or MARGINALS, n_features)
            return self
        n_samples = max(map(len, self.samples.values()))
        if n_columns is None:
            in_a_row = len(self.samples) > 1 and n_samples <= MOST_IN_A_ROW
            n_columns = n_samples if in_a_row else ceil(sqrt(n_samples))
        style = {"cmap": cmap, "padding": padding}
        if self.form.image_shape is None:
            self._draw_tables(ax)
        elif n_columns >= n_samples and len({len(rows) for rows in self.samples.values()}) == 1:
            rows = np.stack(list(self.samples.values()))
            labels = list(self.samples) if len(rows) > 1 else None
            draw_grid(self, ax, self.form, rows, row_labels=labels, **style)
        else:
            draw_squares(self, ax, self.form, self.samples, n_columns=n_columns, **style)
        return self

    def _draw_marginals(self, ax, n_columns, n_features):
        n_panels = min(n_features, len(self.form.names))
        n_columns = min(n_columns, n_panels)
        size = (SIZE[0] * n_columns, SIZE[1] * ceil(n_panels / n_columns) + 0.3)
        panels = self._panels(ax, n_panels, n_columns, size=size)
        self.form.draw(panels)
        self.form.name_tables(self.figure_ if ax is None else panels[0], panels[0])

    def _draw_tables(self, ax):
        n_models = len(self.samples)
        size = (PANEL[0], PANEL[1] * n_models + 0.6)
        axes = self._panels(ax, n_models, size=size, share_x=True)
        for panel, (name, rows) in zip(axes, self.samples.items(), strict=True):
            style = {"color": "C0", "alpha": max(0.1, min(0.7, 5 / len(rows)))}
            self.form.draw_lines(panel, rows, [style] * len(rows))
            panel.label_outer()
            panel.set_title(name, loc="left")
            panel.set_ylabel(self.form.unit)
