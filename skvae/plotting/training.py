"""The display of the terms of the objective over the epochs."""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skvae._typing import Estimator
from skvae.base.pipelines import split_last
from skvae.plotting.figures import Display
from skvae.plotting.models import last_that_can

__all__ = ["TrainingCurveDisplay"]

VALIDATION = "valid_"
PANEL = (3.2, 2.4)  # inches
MOST_COLUMNS = 2


class TrainingCurveDisplay(Display):
    """The terms of the objective over the epochs, one panel for each, because scales differ.

    Parameters
    ----------
    history : dict of array-like of shape (n_epochs,)
        The terms, as in ``history_``: "train_loss", "reconstruction", "kl" and so on. Names with
        the prefix ``valid_`` are those of the validation rows.
    unit : str, default=""
        The unit of the values.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        One for each term, with the loss first. Set by ``plot``.

    See Also
    --------
    BetaCurveDisplay : Shows fits at several values of beta.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.plotting import TrainingCurveDisplay
    >>> vae = VAETransformer(2, early_stopping=True, max_epochs=20, random_state=0)
    >>> display = TrainingCurveDisplay.from_estimator(vae.fit(load_iris().data))
    >>> [axes.get_title() for axes in display.axes_]
    ['loss', 'reconstruction', 'kl']
    """

    def __init__(self, history, *, unit=""):
        self.history = history
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator: Estimator, *, ax: Any = None, **plot_params: Any) -> Self:
        """Draw the ``history_`` of an estimator.

        Parameters
        ----------
        estimator : estimator with ``history_``, or Pipeline or search that holds one
            The fitted model.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        TrainingCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no ``history_``.
        """
        cls._pyplot()
        check_is_fitted(split_last(estimator)[1])
        last = last_that_can(estimator, "history_", cls.__name__)
        unit = "nats" if hasattr(last, "posterior") else "squared units of X"
        return cls(last.history_, unit=unit).plot(ax=ax, **plot_params)

    def plot(self, ax: Any = None, *, terms: Collection[str] | None = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. A single one is divided into panels.
        terms : list of str, default=None
            The terms to draw, such as "loss", "reconstruction" and "kl". None draws all.

        Returns
        -------
        self : TrainingCurveDisplay
            The display itself, with ``figure_`` and ``axes_`` set.

        Raises
        ------
        ValueError
            If a term does not exist.
        """
        curves: dict[str, dict[str, np.ndarray]] = {}
        for name, values in self.history.items():
            kind = "validation" if name.startswith(VALIDATION) else "training"
            term = name.removeprefix(VALIDATION).removeprefix("train_")
            curves.setdefault(term, {})[kind] = np.asarray(values)
        terms = list(curves) if terms is None else list(terms)
        for term in terms:
            if term not in curves:
                raise ValueError(
                    f"terms must be among {list(curves)}. Got {term!r} instead. Leave terms out "
                    f"for all of them."
                )
        n_columns = min(len(terms), MOST_COLUMNS)
        n_rows = -(-len(terms) // n_columns)
        size = (PANEL[0] * n_columns, PANEL[1] * n_rows)
        axes = self._panels(ax, len(terms), n_columns, size=size)
        for panel, term in zip(axes, terms, strict=True):
            for kind, values in curves[term].items():
                epochs = np.arange(1, len(values) + 1)
                marker = "o" if len(values) == 1 else None
                color = {"training": "C0", "validation": "C1"}[kind]
                panel.plot(epochs, values, label=kind, color=color, marker=marker)
            panel.set_title(term.replace("_", " "))
            panel.spines[["top", "right"]].set_visible(False)
        for panel in axes[-n_columns:]:
            panel.set_xlabel("epoch")
        for panel in axes[::n_columns]:
            panel.set_ylabel(self.unit)
        if any(len(curves[term]) > 1 for term in terms):
            axes[0].legend(frameon=False)
        return self
