"""The pictures of the disentanglement benchmark: the trade-off, and traversals."""

from statistics import median

import joblib
import numpy as np
from _disentanglement_fits import MODELS
from matplotlib.figure import Figure

from skvae.plotting import LatentTraversalDisplay

__all__ = ["draw_trade_off", "draw_traversals"]

MARKERS = dict(zip(MODELS, "Xsovd^.", strict=True))
N_COLUMNS = 3  # columns of panels
N_DIMENSIONS = 6
N_ROWS = 3000  # rows that rank the dimensions and give the range of the codes
DPI = 110


def draw_trade_off(measures, path):
    """Draw the gap against the squared error: a mark for each fit, and betas beside medians."""
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for number, model in enumerate(MODELS):
        settings = sorted({fit.beta or 0.0 for fit in measures if fit.model == model})
        for beta in settings:
            points = [
                (values["squared_error"], values["mig"])
                for fit, values in measures.items()
                if fit.model == model and (fit.beta or 0.0) == beta
            ]
            style = {"color": f"C{number}", "marker": MARKERS[model], "linestyle": "none"}
            label = model if beta == settings[0] else None
            axes.plot(*zip(*points, strict=True), alpha=0.7, label=label, **style)
            if beta:
                middle = [median(column) for column in zip(*points, strict=True)]
                axes.annotate(f"{beta:g}", middle, (6, 5), textcoords="offset points", fontsize=8)
    axes.set_xlabel("mean squared error of a pixel (better to the left)")
    axes.set_ylabel("mutual information gap")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=DPI)


def draw_traversals(fits, results, images, path):
    """Draw the traversals of the most informative codes of some fits, with a panel for each fit."""
    n_rows = -(-len(fits) // N_COLUMNS)
    figure = Figure(figsize=(4.4 * N_COLUMNS, 2.7 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, N_COLUMNS, squeeze=False).ravel()
    for unused in panels[len(fits) :]:
        unused.remove()
    chosen = np.random.default_rng(0).permutation(len(images.X))[:N_ROWS]
    for axes, fit in zip(panels, fits, strict=False):
        LatentTraversalDisplay.from_estimator(
            joblib.load(results[fit].estimator_path),
            images.X[chosen],
            n_dimensions=N_DIMENSIONS,
            image_shape=images.image_shape,
            value_range=(0, 1 / images.input_scale),
            x=images.X[len(images.X) // 2],
            ax=axes,
        )
        beta = "" if fit.beta is None else f", beta {fit.beta:g}"
        axes.set_title(f"{fit.model}{beta}, seed {fit.seed}", fontsize=9)
    figure.savefig(path, dpi=DPI)
