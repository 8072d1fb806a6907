"""The pictures of the disentanglement benchmark: the trade-off, and traversals."""

from statistics import median

import joblib
import numpy as np
from _disentanglement_fits import MODELS
from matplotlib.figure import Figure

__all__ = ["draw_trade_off", "draw_traversals"]

MARKERS = dict(zip(MODELS, "Xsovd^.", strict=True))
N_STEPS = 9
N_DIMENSIONS = 6
QUANTILES = (0.01, 0.99)
DPI = 110


def draw_trade_off(measures, path):
    """Draw the gap against the squared error: a mark for each fit, betas beside the medians."""
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
    """Draw what the most informative codes of some fits move, a panel for each.

    A row moves one code between the quantiles of its values, the others at their medians; rows are
    in the order of the codes' variance.
    """
    figure = Figure(figsize=(3.1 * len(fits), 2.4), layout="constrained")
    for axes, fit in zip(np.atleast_1d(figure.subplots(1, len(fits))), fits, strict=True):
        codes = results[fit].codes
        order = np.argsort(-codes.var(axis=0))[:N_DIMENSIONS]
        moved = np.tile(np.median(codes, axis=0), (len(order), N_STEPS, 1))
        for row, code in enumerate(order):
            moved[row, :, code] = np.linspace(*np.quantile(codes[:, code], QUANTILES), N_STEPS)
        estimator = joblib.load(results[fit].estimator_path)
        decoded = estimator.inverse_transform(moved.reshape(-1, codes.shape[1]))
        height, width, channels = images.image_shape
        grid = (decoded * images.input_scale).clip(0, 1)
        grid = grid.reshape(len(order), N_STEPS, height, width, channels)
        grid = grid.transpose(0, 2, 1, 3, 4).reshape(len(order) * height, N_STEPS * width, channels)
        axes.imshow(grid if channels == 3 else grid[..., 0], cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
        beta = "" if fit.beta is None else f", beta {fit.beta:g}"
        axes.set_title(f"{fit.model}{beta}, seed {fit.seed}", fontsize=9)
    figure.savefig(path, dpi=DPI)
