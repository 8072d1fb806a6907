"""Samples and reconstructions of the paper's experiment, drawn like the paper's figures."""

from io import BytesIO
from pathlib import Path

import numpy as np
from _common import write_whole
from _paper_factors import features_of
from _paper_tables import label
from matplotlib.figure import Figure
from PIL import Image

from skvae.plotting import ReconstructionDisplay, SampleDisplay

__all__ = ["BYTES", "draw_betas", "draw_samples", "keep", "telling_images"]

BYTES = (0, 255)
N_SHOWN = 10  # samples
N_RECONSTRUCTED = 4
CELL = 0.95  # inches, for a reconstruction
DPI = 100
MOST_BYTES = 400_000  # of a file in the repository
COLOURS = (256, 128, 64)


def keep(figure, path):
    """Write a figure with 256 colours, a third of the full size, or with fewer if it is large."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, bbox_inches="tight")
    picture = Image.open(buffer).convert("RGB")
    for n_colours in COLOURS:
        written = BytesIO()
        picture.quantize(n_colours, kmeans=1).save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    write_whole(Path(path), lambda part: part.write_bytes(written.getvalue()))


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
    axes.tick_params(labelsize=9)
    keep(figure, path)


def telling_images(images):
    """Return a few held-out images: first those with features that are easily lost, then others."""
    rows = []
    for feature in features_of(images).values() if images.factors_train is not None else ():
        having = np.flatnonzero(feature.of(images.factors_test))
        rows += [row for row in having if row not in rows][:1]
    others = np.linspace(0, len(images.test) - 1, N_RECONSTRUCTED).astype(int)
    return images.test[list(dict.fromkeys([*rows, *others]))[:N_RECONSTRUCTED]]


def draw_betas(path, sweeps, others, images):
    """Draw held-out images and their reconstructions, by other models and over beta.

    The VAE, with which the sweeps begin, is drawn once.
    """
    shown = telling_images(images)
    models = {
        label(model).replace(" ", "\n"): estimator
        for part in (others, *sweeps)
        for model, estimator in part.items()
    }
    size = (CELL * (1 + len(models)), CELL * len(shown) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    style = {"image_shape": images.image_shape, "orientation": "horizontal", "padding": 0}
    axes = figure.subplots()
    ReconstructionDisplay.from_estimator(models, shown, ax=axes, **style)
    axes.tick_params(labelsize=9)
    keep(figure, path)
