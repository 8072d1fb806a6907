"""The three figures of the paper's experiment, from fitted models."""

from io import BytesIO

import numpy as np
from _paper_measures import some
from _paper_tables import label
from matplotlib.figure import Figure
from PIL import Image

from skvae.metrics import latent_summary

__all__ = ["draw_betas", "draw_samples", "draw_traversals"]

MOST_ROWS = 10_000
N_FEATURES = 8  # dimensions of a traversal
QUANTILES = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
N_SHOWN = 10
DPI = 100


def tile(rows, image_shape, step=1):
    """Return rows of images, an array (n, m, pixels), as one image for imshow."""
    height, _, channels = image_shape
    images = np.asarray(rows).reshape(len(rows), -1, *image_shape)
    images = images.clip(0, 255).astype(np.uint8)
    grid = images.transpose(0, 2, 1, 3, 4).reshape(len(rows) * height, -1, channels)
    grid = grid[: len(grid) // step * step, : grid.shape[1] // step * step]
    grid = grid.reshape(len(grid) // step, step, -1, step, channels).mean((1, 3)).astype(np.uint8)
    return grid[..., 0] if channels == 1 else grid[..., :3]


def show(axes, rows, image_shape, labels=None, step=1):
    """Draw rows of images with a label each."""
    grid = tile(rows, image_shape, step)
    axes.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    height = len(grid) / len(rows)
    places = height * (np.arange(len(rows)) + 0.5)
    axes.set_yticks(places, labels or [""] * len(rows), fontsize=7)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def keep(figure, path):
    """Write a figure with 256 colours, a third of the size of one with all."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, bbox_inches="tight")
    Image.open(buffer).convert("RGB").quantize(256, kmeans=1).save(path, optimize=True)


def traversal(model, estimator, images, seed):
    """Return the images along the most informative dimensions, and what each is called."""
    train = some(images.train, MOST_ROWS)
    if model.name == "AE":
        codes = estimator.transform(train)
        order, name = codes.var(0), "var."
    else:
        codes = estimator.sample_posterior(train, random_state=seed)
        order, name = latent_summary(estimator, train)["kl"], "KL"
    chosen = np.argsort(-order)[:N_FEATURES]
    start = estimator.transform(images.test[:1])
    rows, labels = [], []
    for dimension in chosen:
        stops = np.quantile(codes[:, dimension], QUANTILES)
        moved = np.repeat(start, len(stops), axis=0)
        moved[:, dimension] = stops
        rows.append(estimator.inverse_transform(moved))
        labels.append(f"{name} {order[dimension]:.2f}\n[{stops[0]:.1f}, {stops[-1]:.1f}]")
    return np.stack(rows), labels


def draw_traversals(path, fitted, images, seed):
    """Draw what the dimensions of every model do to one held-out image."""
    figure = Figure(figsize=(13, 0.5 + 2.8 * N_FEATURES / len(QUANTILES)), layout="constrained")
    for axes, (model, estimator) in zip(
        figure.subplots(1, len(fitted)), fitted.items(), strict=True
    ):
        rows, labels = traversal(model, estimator, images, seed)
        show(axes, rows, images.image_shape, labels, step=2)
        axes.set_title(label(model), fontsize=9)
    low, high = QUANTILES[0], QUANTILES[-1]
    figure.supxlabel(
        f"each row moves one dimension over its quantiles {low} to {high} (in brackets) among the "
        "codes of training images; the others stay at a held-out image's code",
        fontsize=8,
    )
    keep(figure, path)


def draw_samples(path, fitted, images, seed):
    """Draw samples of every model, and held-out images."""
    rows, labels = [images.test[:: len(images.test) // N_SHOWN][:N_SHOWN]], ["held out"]
    for model, estimator in fitted.items():
        latents = {"prior": None}
        if model.name == "AE":
            latents = {"N(0, I)": "standard-normal", "its Gaussian": None}
        for density, latent in latents.items():
            rows.append(estimator.sample(N_SHOWN, latent=latent, random_state=seed))
            labels.append(f"{label(model)}\n{density}")
    figure = Figure(figsize=(7.5, 0.7 * len(rows)), layout="constrained")
    show(figure.subplots(), np.stack(rows), images.image_shape, labels)
    keep(figure, path)


def draw_betas(path, sweeps, autoencoder, images):
    """Draw one held-out image and its reconstructions by the AE and over beta."""
    image = images.test[:1]
    first = [image, autoencoder.reconstruct(image)]
    figure = Figure(figsize=(7.5, 1.75 * len(sweeps)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(sweeps), 1))
    for axes, fitted in zip(panels, sweeps, strict=True):
        shown = [*first, *(estimator.reconstruct(image) for estimator in fitted.values())]
        show(axes, np.stack(shown, 1), images.image_shape)
        width = images.image_shape[1]
        names = ["held out", "AE", *map(label, fitted)]
        axes.set_xticks(width * (np.arange(len(shown)) + 0.5), names, fontsize=8)
    keep(figure, path)
