"""The display of how much each latent dimension carries."""

from typing import Any, Self

import numpy as np

from skvae._typing import Estimator, MatrixLike
from skvae.metrics.latents import latent_summary
from skvae.plotting.figures import Display

__all__ = ["LatentSummaryDisplay"]

BAR, HEIGHT = 0.35, 4.2  # inches
MOST_NAMES = 64


class LatentSummaryDisplay(Display):
    """KL divergence and variance of every dimension; collapsed dimensions are pale.

    The upper panel shows the mean KL divergence of the posterior from the prior, in nats. The lower
    panel shows the variance of the posterior mean, and on top of it the mean posterior variance.
    Their sum is the variance of the aggregate posterior. It is 1 if it equals the variance of the
    prior.

    Parameters
    ----------
    summary : LatentSummary, dict or DataFrame of array-like of shape (n_components,)
        As returned by :func:`skvae.metrics.latent_summary`.

    Attributes
    ----------
    order : ndarray of int of shape (n_components,)
        The dimensions, sorted by decreasing divergence.
    figure_ : matplotlib Figure
        The figure that was drawn on. Set by ``plot``.
    axes_ : ndarray of matplotlib Axes of shape (2,)
        The panels of divergences and variances. Set by ``plot``.

    See Also
    --------
    skvae.metrics.latent_summary : The numbers that are drawn.
    LatentTraversalDisplay : Shows what each dimension does.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skvae import VAETransformer
    >>> from skvae.plotting import LatentSummaryDisplay
    >>> X = load_iris().data
    >>> vae = VAETransformer(2, max_epochs=5, random_state=0).fit(X)
    >>> sorted(LatentSummaryDisplay.from_estimator(vae, X).order.tolist())
    [0, 1]
    """

    def __init__(self, summary):
        self.summary = summary
        self.order = np.argsort(-np.asarray(summary["kl"]), kind="stable")

    @classmethod
    def from_estimator(
        cls, estimator: Estimator, X: MatrixLike, *, ax: Any = None, **plot_params: Any
    ) -> Self:
        """Summarise the posteriors of X, and draw the summary.

        Parameters
        ----------
        estimator : estimator with ``posterior``, or Pipeline or search that holds one
            The fitted model.
        X : array-like of shape (n_samples, n_features)
            Rows of the same kind as the training data.
        ax : matplotlib Axes or sequence of two, default=None
            Axes to draw on; None creates a figure.
        **plot_params : dict
            Passed to :meth:`plot`.

        Returns
        -------
        LatentSummaryDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If the estimator has no posterior.
        """
        cls._pyplot()
        return cls(latent_summary(estimator, X)).plot(ax=ax, **plot_params)

    def plot(self, ax: Any = None, *, sort: bool = True) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two, default=None
            Axes to draw on; None creates a figure. A single one is divided into two panels.
        sort : bool, default=True
            If True, dimensions are sorted by divergence, with the largest first; if False, they are
            in their own order.

        Returns
        -------
        self : LatentSummaryDisplay
            The display itself, with ``figure_`` and ``axes_`` set.
        """
        order = self.order if sort else np.arange(len(self.order))
        kl, mean, posterior, active = (
            np.asarray(self.summary[name])[order]
            for name in ("kl", "mean_variance", "posterior_variance", "active")
        )
        size = (max(4.8, BAR * len(order) + 1.2), HEIGHT)
        upper, lower = self._panels(ax, 2, size=size, share_x=True)
        places = np.arange(len(order))
        _bars(upper, places, kl, active, "C0")
        upper.set_ylabel("KL, nats")
        upper.set_title(f"{active.sum()} of {len(order)} dimensions active")
        _bars(lower, places, mean, active, "C0", label="posterior means")
        _bars(
            lower,
            places,
            posterior,
            active,
            "C1",
            bottom=mean,
            label="posteriors, on average",
        )
        ink = self._pyplot().rcParams["axes.edgecolor"]
        lower.axhline(1, color=ink, linewidth=0.8, linestyle=":")
        lower.set_ylabel("variance")
        lower.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        for panel in (upper, lower):
            panel.spines[["top", "right"]].set_visible(False)
        lower.set_xticks(places, [f"$z_{{{dimension}}}$" for dimension in order])
        upper.tick_params(labelbottom=False)
        if len(order) > MOST_NAMES:
            lower.set_xticks([])
            lower.set_xlabel("latent dimension")
        return self


def _bars(axes, places, heights, active, color, label=None, **place):
    """Draw bars; those of inactive dimensions are pale."""
    bars = axes.bar(places, heights, color=color, label=label, **place)
    for bar, is_active in zip(bars, active, strict=True):
        bar.set_alpha(1.0 if is_active else 0.35)
