"""The display of fits at several values of beta."""

from collections.abc import Collection
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from skvae._typing import Estimator, MatrixLike
from skvae.model_selection import BetaCurve, beta_curve
from skvae.plotting.figures import Display

__all__ = ["BetaCurveDisplay"]

PANEL = (3.2, 2.4)  # inches
MOST_COLUMNS = 2
MOST_TICKS = 8
LABELS = {
    "kl": "rate (KL), nats",
    "reconstruction": "distortion, nats",
    "elbo": "ELBO, nats",
    "mutual_information": "mutual information, nats",
    "total_correlation": "total correlation, nats",
    "dimension_wise_kl": "dimension-wise KL, nats",
    "active_units": "active units",
}
DEFAULT = ("kl", "reconstruction", "total_correlation", "active_units")


class BetaCurveDisplay(Display):
    """Rate, distortion, total correlation and active units against beta, one panel for each.

    Parameters
    ----------
    curve : BetaCurve
        As returned by :func:`skvae.model_selection.beta_curve`. With several splits, a line shows
        their mean and a band shows one standard deviation on either side.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes
        One for each quantity. Set by ``plot``.

    See Also
    --------
    skvae.model_selection.beta_curve : The numbers that are drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import BetaVAETransformer
    >>> from skvae.plotting import BetaCurveDisplay
    >>> X = load_iris().data
    >>> vae = BetaVAETransformer(2, max_epochs=10, lr=0.01, random_state=0)
    >>> display = BetaCurveDisplay.from_estimator(vae, X, betas=[1, 5, 25])
    >>> display.curve
    BetaCurve(beta: 3 values, 1 to 25)
    """

    def __init__(self, curve):
        self.curve = curve

    @classmethod
    def from_curve(cls, curve: BetaCurve, *, ax: Any = None, **plot_params: Any) -> Self:
        """Draw a curve that was computed before.

        Parameters
        ----------
        curve : BetaCurve
            As returned by :func:`skvae.model_selection.beta_curve`.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        BetaCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        cls._pyplot()
        return cls(curve).plot(ax=ax, **plot_params)

    @classmethod
    def from_estimator(
        cls,
        estimator: Estimator,
        X: MatrixLike,
        y: Any = None,
        *,
        betas: ArrayLike,
        quantities: Collection[str] = DEFAULT,
        ax: Any = None,
        **curve_params: Any,
    ) -> Self:
        """Fit at several values of beta, and draw the curve.

        Parameters
        ----------
        estimator : variational autoencoder, or Pipeline that ends in one
            It is not changed: clones are fitted.
        X : array-like of shape (n_samples, n_features)
            Training rows. With ``cv``, all rows.
        y : array-like of shape (n_samples,), default=None
            As in :func:`skvae.model_selection.beta_curve`.
        betas : array-like of shape (n_betas,)
            Numbers of at least 0.
        quantities : sequence of str, default=("kl", "reconstruction", "total_correlation", \
"active_units")
            As in :meth:`plot`.
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure.
        **curve_params : dict
            Passed to :func:`skvae.model_selection.beta_curve`: ``X_val``, ``cv``, ``warm_start``
            and so on.

        Returns
        -------
        BetaCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            As for ``beta_curve``.
        """
        cls._pyplot()
        curve = beta_curve(estimator, X, y, betas=betas, **curve_params)
        return cls(curve).plot(ax=ax, quantities=quantities)

    def plot(self, ax: Any = None, *, quantities: Collection[str] = DEFAULT) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of these, default=None
            Axes to draw on; None creates a figure. A single one is divided into panels.
        quantities : sequence of str, default=("kl", "reconstruction", "total_correlation", \
"active_units")
            One panel for each. "elbo", "mutual_information", "dimension_wise_kl" and the names of
            the curve's scores are possible too.

        Returns
        -------
        self : BetaCurveDisplay
            The display itself, with ``figure_`` and ``axes_`` set.

        Raises
        ------
        ValueError
            If the curve does not have one of the quantities.
        """
        values = {name: getattr(self.curve, name) for name in LABELS} | self.curve.scores
        for name in quantities:
            if name not in values:
                raise ValueError(
                    f"quantities must be among {list(values)}. Got {name!r} instead. Scores are "
                    f"there after beta_curve(..., scoring=...)."
                )
        n_columns = min(len(quantities), MOST_COLUMNS)
        size = (PANEL[0] * n_columns, PANEL[1] * -(-len(quantities) // n_columns))
        axes = self._panels(ax, len(quantities), n_columns, size=size)
        order = np.argsort(self.curve.betas, kind="stable")
        for panel, name in zip(axes, quantities, strict=True):
            ordered = np.asarray(values[name], dtype=np.float64)[order]
            self._draw(panel, order, ordered)
            panel.set_title(LABELS.get(name, name))
            if name == "active_units":
                panel.set_ylim(bottom=0)
                panel.locator_params(axis="y", integer=True)
            if name == "total_correlation" and np.any(self.curve.saturated):
                self._mark_saturated(panel, order, ordered)
        for panel in axes[-n_columns:]:
            panel.set_xlabel(self.curve.param_name.rpartition("__")[2])
        return self

    def _draw(self, axes, order, values):
        """Draw one quantity, (n_betas,) or (n_betas, n_splits)."""
        betas = self.curve.betas[order]
        if values.ndim > 1:
            mean, std = values.mean(axis=1), values.std(axis=1)
            axes.fill_between(betas, mean - std, mean + std, alpha=0.2, color="C0", linewidth=0)
            values = mean
        axes.plot(betas, values, color="C0", marker="o", markersize=4)
        axes.spines[["top", "right"]].set_visible(False)
        if betas[0] > 0:
            axes.set_xscale("log")
            if len(np.unique(betas)) <= MOST_TICKS:
                axes.set_xticks(betas, [f"{beta:g}" for beta in betas])
                axes.minorticks_off()

    def _mark_saturated(self, axes, order, values):
        """Mark the points whose total correlation is too large because there are too few rows."""
        saturated = self.curve.saturated[order]
        if values.ndim > 1:
            saturated, values = saturated.any(axis=1), values.mean(axis=1)
        style = {"marker": "o", "markersize": 9, "fillstyle": "none", "linestyle": "none"}
        betas = self.curve.betas[order][saturated]
        axes.plot(betas, values[saturated], color="C1", label="too few rows", **style)
        axes.legend(frameon=False)
