"""The three figures of the paper's experiment, from fitted models."""

from io import BytesIO
from pathlib import Path

import numpy as np
from _common import write_whole
from _paper_data import some
from _paper_factors import features_of, figure_rows, name_dimensions
from _paper_tables import label
from matplotlib.figure import Figure
from PIL import Image

from skvae.plotting import LatentTraversalDisplay, ReconstructionDisplay, SampleDisplay
from skvae.plotting.rows import row_form

__all__ = ["draw_betas", "draw_samples", "draw_traversals", "telling_images", "traversal"]

MOST_ROWS = 10_000
N_FEATURES = 8  # rows of a traversal
N_STEPS = 5
QUANTILES = (0.01, 0.99)
BYTES = (0, 255)
N_SHOWN = 10  # samples
N_RECONSTRUCTED = 4
DPI = 100
MOST_BYTES = 400_000  # of a file, in a repository
COLOURS = (256, 128, 64)
CELL = 0.5  # inches, an image
NAMES, LABELS = 1.0, 0.85  # inches: the names of rows, the labels of a panel


def keep(figure, path):
    """Write a figure with 256 colours, a third of the size of one with all, or fewer if large."""
    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, bbox_inches="tight")
    picture = Image.open(buffer).convert("RGB")
    for n_colours in COLOURS:
        written = BytesIO()
        picture.quantize(n_colours, kmeans=1).save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    write_whole(Path(path), lambda part: part.write_bytes(written.getvalue()))


def draw_traversals(path, fitted, images, seed):
    """Draw what dimensions do to one held-out image, a panel a model.

    Of images with factors a row has the name of one, and every model moves the dimension that
    tells most of it; of others the dimensions of each model that carry the most are moved.
    """
    named = images.factors_train is not None
    n_known = len(images.factor_names) + len(features_of(images)) if named else N_FEATURES
    width = NAMES + len(fitted) * (LABELS + CELL * N_STEPS)
    height = 0.7 + CELL * min(N_FEATURES, n_known)
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(fitted)))
    typical = some(images.test, MOST_ROWS)
    distances = ((typical - typical.mean(0, dtype=np.float32)) ** 2).sum(1)
    image = typical[[distances.argmin()]]
    draw = _draw_named if named else _draw_informative
    for axes, (model, estimator) in zip(panels, fitted.items(), strict=True):
        draw(axes, estimator, images, image, seed)
        axes.tick_params(labelsize=7)
        axes.set_title(label(model), fontsize=9)
    if named:
        _name_rows(panels[0], fitted, images)
    what = "the dimension that tells most of its feature" if named else "one dimension"
    figure.supxlabel(
        f"a row moves {what} from quantile {QUANTILES[0]} to {QUANTILES[1]} (in brackets) of the "
        "codes of training images; the others stay at the code of a held-out image"
        + ("; gap: MIG of the feature" if named else ""),
        fontsize=8,
    )
    keep(figure, path)


def _naming(estimator, images):
    """Return the Naming of a model's dimensions."""
    codes = estimator.transform(some(images.train, MOST_ROWS))
    factors = some(images.factors_train, MOST_ROWS)
    features = features_of(images).values()
    return name_dimensions(codes, factors, images.factor_names, features)


def _spread(estimator, images, seed):
    """Return draws from the posteriors of training images; their codes, where there are none."""
    X = some(images.train, MOST_ROWS)
    if hasattr(estimator, "sample_posterior"):
        return estimator.sample_posterior(X, random_state=seed)
    return estimator.transform(X)


def traversal(estimator, spread, image, dimensions):
    """Return an image decoded with one dimension moved at a time, and between which values.

    Parameters
    ----------
    estimator : object with transform and inverse_transform
    spread : ndarray of shape (n_rows, n_components)
        Codes whose quantiles are the ends.
    image : ndarray of shape (1, n_features)
    dimensions : sequence of int

    Returns
    -------
    rows : ndarray of shape (n_dimensions, N_STEPS, n_features)
    ends : ndarray of shape (n_dimensions, 2)
    """
    ends = np.quantile(spread[:, dimensions], QUANTILES, axis=0).T
    moved = np.repeat(estimator.transform(image), len(dimensions) * N_STEPS, axis=0)
    moved = moved.reshape(len(dimensions), N_STEPS, -1)
    for place, dimension in enumerate(dimensions):
        moved[place, :, dimension] = np.linspace(*ends[place], N_STEPS)
    rows = estimator.inverse_transform(moved.reshape(-1, moved.shape[-1]))
    return rows.reshape(*moved.shape[:2], -1), ends


def _draw_named(axes, estimator, images, image, seed):
    """Draw the dimensions that tell most of the features of the figure."""
    naming = _naming(estimator, images)
    told = [naming.of_factor(name) for name in figure_rows(naming, N_FEATURES)]
    dimensions = [of_name["dimension"] for of_name in told]
    rows, ends = traversal(estimator, _spread(estimator, images, seed), image, dimensions)
    labels = [
        f"$z_{{{of_name['dimension']}}}$  gap {of_name['gap']:.2f}\n[{low:.1f}, {high:.1f}]"
        for of_name, (low, high) in zip(told, ends, strict=True)
    ]
    form = row_form(image, image_shape=images.image_shape, value_range=BYTES)
    form.draw_images(axes, rows, row_labels=labels)


def _name_rows(axes, fitted, images):
    """Write the names of the features to the left of the first panel."""
    naming = _naming(next(iter(fitted.values())), images)
    height, left = images.image_shape[0], -LABELS / (CELL * N_STEPS)
    for place, name in enumerate(figure_rows(naming, N_FEATURES)):
        axes.text(
            left,
            (place + 0.5) * height,
            name.replace("_", " "),
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=9,
        )


def _draw_informative(axes, estimator, images, image, seed):
    """Draw the dimensions that carry the most."""
    LatentTraversalDisplay.from_estimator(
        estimator,
        some(images.train, MOST_ROWS),
        x=image,
        n_dimensions=N_FEATURES,
        n_steps=N_STEPS,
        quantiles=QUANTILES,
        random_state=seed,
        image_shape=images.image_shape,
        ax=axes,
        padding=0,
    )


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


def telling_images(images):
    """Return a few held-out images: with features that get lost first, then any others."""
    rows = []
    for feature in features_of(images).values() if images.factors_train is not None else ():
        having = np.flatnonzero(feature.of(images.factors_test))
        rows += [row for row in having if row not in rows][:1]
    others = np.linspace(0, len(images.test) - 1, N_RECONSTRUCTED).astype(int)
    return images.test[list(dict.fromkeys([*rows, *others]))[:N_RECONSTRUCTED]]


def draw_betas(path, sweeps, others, images):
    """Draw held-out images and their reconstructions, by other models and over beta."""
    shown = telling_images(images)
    n_columns = 1 + len(others) + max(map(len, sweeps))
    size = (0.8 * n_columns, len(sweeps) * (0.8 * len(shown) + 0.4))
    figure = Figure(figsize=size, layout="constrained")
    style = {"image_shape": images.image_shape, "orientation": "horizontal", "padding": 0}
    panels = np.atleast_1d(figure.subplots(len(sweeps), 1))
    for axes, fitted in zip(panels, sweeps, strict=True):
        models = {
            label(model).replace(" ", "\n"): estimator
            for model, estimator in {**others, **fitted}.items()
        }
        ReconstructionDisplay.from_estimator(models, shown, ax=axes, **style)
        axes.tick_params(labelsize=8)
    keep(figure, path)
