"""Rows drawn from models, side by side."""

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
MARGINALS = 3  # in a row
MOST_IN_A_ROW = 16
FEW, MANY = 10, 1_000  # samples that are seen one by one, or by their distribution


class SampleDisplay(Display):
    """Samples of one or of several models.

    Images make a row for every model, or where ``n_columns`` are fewer than its samples a square
    for every model. Of tables whose columns have names the distribution of each column is shown,
    the data grey; beside the name is how far samples are from them, from 0 to 1, and columns where
    that is most come first. Other rows have a panel for every model, with a line for every sample.

    Parameters
    ----------
    samples : dict of {ndarray, DataFrame} of shape (n_samples, n_features)
        Rows by the name of where they come from, in the units of the data.
    form : RowForm or MarginalForm
        How rows are shown.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure drawn in. After ``plot``, as the next.
    axes_ : ndarray of matplotlib Axes
        One where all images are in one grid, and otherwise one for each model.

    See Also
    --------
    skvae.VAETransformer.sample : The samples.

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
    >>> display.form.names[0]  # the column that is met worst
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
            Fitted. A dict has the names; a list takes those of the classes, or of one class
            the parameters that differ. The steps of a Pipeline before the last take samples back
            by their ``inverse_transform``; where one has none, samples are as the last step
            gives them.
        X : array-like of shape (n_rows, n_features), default=None
            Rows of the data, as "data": of named columns all, else the first ``n_samples``.
        n_samples : int, default=None
            Of each model. None: 1,000 of named columns, drawn with the noise of p(x|z), and 10
            of others.
        latent : None, "standard-normal", a fitted density, or dict of these, default=None
            As in ``sample``: where the codes come from. A dict has them by the models'
            names, and those it lacks get None.
        random_state : int, RandomState instance or None, default=None
            One seed for all models: under one density, and as many components, their codes
            are the same.
        image_shape : (height, width, channels), default=None
            Of the rows shown. None takes that of the first estimator, and without one draws
            lines.
        value_range : (low, high), default=None
            The values shown as black and white. None takes 0 to 255 for bytes, 0 to 1 where X
            lies in between, and otherwise its least and greatest value; without X, 0 to 1 also
            where samples are up to 0.25 beyond, and 0 to 1 / ``input_scale`` where there is one.
        feature_names : sequence of str, default=None
            Of tables. None takes those of X or of the first estimator; where there are none, rows
            are lines.
        standardize : bool, default=True
            Whether the lines of tables are in standard deviations of X from its mean,
            where there is X.
        ax : matplotlib Axes or sequence of these, default=None
            Where to draw; None makes a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        SampleDisplay

        Raises
        ------
        ImportError
            If there is no matplotlib.
        TypeError
            If an estimator has no ``sample``.
        ValueError
            If an argument is out of its range, or ``image_shape`` is not that of the rows.
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
        """Draw rows that are there already.

        Parameters
        ----------
        samples : {array-like, DataFrame} of shape (n_samples, n_features), or dict of these
            Rows, or rows by the name of where they come from. The first of a table is what the
            others are compared with, and grey if it is called "data".
        image_shape : (height, width, channels), default=None
            Of the rows. None draws tables.
        value_range : (low, high), default=None
            The values shown as black and white. None takes 0 to 255 for bytes, 0 to 1 where all
            rows lie in between, and otherwise their least and greatest value.
        feature_names : sequence of str, default=None
            Of tables. None takes those of a frame; where there are none, rows are lines.
        ax : matplotlib Axes or sequence of these, default=None
            Where to draw; None makes a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        SampleDisplay

        Raises
        ------
        ImportError
            If there is no matplotlib.
        ValueError
            If ``image_shape`` is not that of the rows, or they differ in their columns.
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
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Where to draw; None makes a figure. A single one is divided among the models.
        n_columns : int, default=None
            Images in a row. None: as many as there are samples, up to 16 of several models; the
            square root of the samples of a single model, or of more. Of named columns the panels in
            a row: three.
        cmap : str or Colormap, default="gray"
            Of images of one channel.
        padding : int, default=1
            Transparent pixels between images.
        n_features : int, default=12
            Named columns that are shown at most, those that differ most.

        Returns
        -------
        self : SampleDisplay
            The display, with what was drawn in.
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
