"""The three figures of the paper's experiment, from fitted models."""

from io import BytesIO

import numpy as np
from _paper_measures import some
from _paper_tables import label
from matplotlib.figure import Figure
from PIL import Image

from skvae.plotting import LatentTraversalDisplay, ReconstructionDisplay, SampleDisplay

__all__ = ["draw_betas", "draw_samples", "draw_traversals"]

MOST_ROWS = 10_000
N_FEATURES = 8  # dimensions of a traversal
N_STEPS = 7
QUANTILES = (0.01, 0.99)
BYTES = (0, 255)
N_SHOWN = 10
DPI = 100


def keep(figure, path):
    """Write a figure with 256 colours, a third of the size of one with all."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, bbox_inches="tight")
    Image.open(buffer).convert("RGB").quantize(256, kmeans=1).save(path, optimize=True)


def draw_traversals(path, fitted, images, seed):
    """Draw what the dimensions of every model do to one held-out image."""
    train = some(images.train, MOST_ROWS)
    figure = Figure(figsize=(13, 0.5 + 2.8 * N_FEATURES / N_STEPS), layout="constrained")
    panels = figure.subplots(1, len(fitted))
    for axes, (model, estimator) in zip(panels, fitted.items(), strict=True):
        LatentTraversalDisplay.from_estimator(
            estimator,
            train,
            x=images.test[:1],
            n_dimensions=N_FEATURES,
            n_steps=N_STEPS,
            quantiles=QUANTILES,
            random_state=seed,
            image_shape=images.image_shape,
            ax=axes,
            padding=0,
        )
        axes.tick_params(labelsize=7)
        axes.set_title(label(model), fontsize=9)
    low, high = QUANTILES
    figure.supxlabel(
        f"each row moves one dimension from its quantile {low} to {high} (in brackets) among the "
        "codes of training images; the others stay at a held-out image's code",
        fontsize=8,
    )
    keep(figure, path)


def draw_samples(path, fitted, images, seed):
    """Draw samples of every model, and held-out images."""
    samples = {"held out": images.test[:: len(images.test) // N_SHOWN][:N_SHOWN]}
    for model, estimator in fitted.items():
        latents = {"prior": None}
        if model.name == "AE":
            latents = {"N(0, I)": "standard-normal", "its Gaussian": None}
        for density, latent in latents.items():
            rows = estimator.sample(N_SHOWN, latent=latent, random_state=seed)
            samples[f"{label(model)}\n{density}"] = rows
    figure = Figure(figsize=(7.5, 0.7 * len(samples)), layout="constrained")
    style = {"image_shape": images.image_shape, "value_range": BYTES, "padding": 0}
    axes = figure.subplots()
    SampleDisplay.from_predictions(samples, ax=axes, **style)
    axes.tick_params(labelsize=7)
    keep(figure, path)


def draw_betas(path, sweeps, autoencoder, images):
    """Draw one held-out image and its reconstructions by the AE and over beta."""
    image = images.test[:1]
    figure = Figure(figsize=(7.5, 1.75 * len(sweeps)), layout="constrained")
    style = {"image_shape": images.image_shape, "orientation": "horizontal", "padding": 0}
    panels = np.atleast_1d(figure.subplots(len(sweeps), 1))
    for axes, fitted in zip(panels, sweeps, strict=True):
        models = {label(model): estimator for model, estimator in fitted.items()}
        models = {"AE": autoencoder, **models}
        ReconstructionDisplay.from_estimator(models, image, ax=axes, **style)
        axes.tick_params(labelsize=8)
    keep(figure, path)
