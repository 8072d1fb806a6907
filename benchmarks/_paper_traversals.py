"""Latent traversals of the paper's experiment: its first figure, with labelled rows."""

import textwrap
from dataclasses import dataclass

import numpy as np
from _paper_data import some
from _paper_factors import features_of, figure_rows, name_dimensions
from _paper_pictures import BYTES, keep
from _paper_tables import label
from matplotlib.figure import Figure
from scipy.stats import chi2, entropy

from skvae.plotting.models import informativeness
from skvae.plotting.rows import row_form

__all__ = ["draw_traversals", "is_seen", "tells", "traversal"]

MOST_ROWS = 10_000
N_FEATURES = 8  # rows
N_STEPS = 5
QUANTILES = (0.01, 0.99)
MOST_BESIDE = 3  # panels; with more, each would be small on a page
CELL = 0.55  # inches, for an image
NAMES, LABELS = 1.05, 1.15  # inches: the names of rows, and the labels of a panel
CHARACTERS = 13  # of the caption, per inch
NO_CHANGE, NO_TELLING = "no change", "tells nothing"  # words for a grey row
# The contrast that an eye can barely see, as a share of the range: a root mean square over the
# pixels. On drawn faces, collapsed dimensions are below .014, and active ones are .018 or more.
SEEN = 0.015
N_BINS = 20  # bins of the codes, as in ``name_dimensions``
LEVEL = 0.01  # significance level of the test for all dimensions together
# Share of a factor's entropy. With 10,000 images, chance alone gives .001 for two levels, and .007
# for 26 levels. A dimension with less than this share moves something else, and would give its row
# a wrong name.
LEAST_TOLD = 0.02
PALE, PALE_TEXT = 0.4, "0.5"  # the strength of a grey row, and the colour of its label


def draw_traversals(path, fitted, images, seed):
    """Draw the effect of single dimensions on one held-out image, with a panel for each model.

    If the images have factors, each row has the name of a factor. Every model moves the dimension
    with the most information about it. Otherwise, the dimensions with the most information in each
    model are moved. A row is grey, and says why, if its dimension changes nothing, or has no
    information about the factor.
    """
    named = images.factors_train is not None
    typical = some(images.test, MOST_ROWS)
    distances = ((typical - typical.mean(0, dtype=np.float32)) ** 2).sum(1)
    image = typical[[distances.argmin()]]
    of_models = [
        (_named_rows if named else _informative_rows)(estimator, images, image, seed)
        for estimator in fitted.values()
    ]
    n_rows = max(len(rows.pictures) for rows in of_models)
    height, width, _ = images.image_shape
    n_beside = min(len(fitted), MOST_BESIDE)
    n_below = -(-len(fitted) // n_beside)
    size = (
        NAMES + n_beside * (LABELS + CELL * N_STEPS),
        0.4 + n_below * (0.3 + CELL * n_rows * height / width),
    )
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(n_below, n_beside, squeeze=False)
    form = row_form(image, image_shape=images.image_shape, value_range=BYTES)
    for axes, model, rows in zip(panels.flat, fitted, of_models, strict=False):
        rows.draw(axes, form)
        axes.set_title(label(model), fontsize=11)
    if named:
        for axes in panels[:, 0]:
            _name_rows(axes, of_models[0].names, height)
    _explain(figure, panels.flat[len(fitted) :], caption(fitted.values(), named))
    keep(figure, path)


def caption(estimators, named):
    """Return the caption of a figure of traversals: the meaning of rows, and of their ends."""
    have = {hasattr(estimator, "sample_posterior") for estimator in estimators}
    ends = ["draws from the posteriors of training images"] * (True in have)
    if False in have:
        ends += ["the codes of training images" + ", where there is no posterior" * (True in have)]
    what = "the dimension that tells most about its feature" if named else "one dimension"
    rest = f", or it {NO_TELLING} about the feature. Gap: the MIG of the feature." if named else "."
    return (
        f"A row moves {what}, from quantile {QUANTILES[0]} to {QUANTILES[1]} (in brackets) of "
        f"{', or of '.join(ends)}. The other dimensions stay at the code of a held-out image. "
        f"Grey: {NO_CHANGE}{rest}"
    )


def _explain(figure, free, text):
    """Write the caption into the first free panel, or below all panels."""
    for axes in free:
        axes.set_axis_off()
    if not len(free):
        text = textwrap.fill(text, int(CHARACTERS * figure.get_figwidth()))
        figure.supxlabel(text, fontsize=9)
        return
    text = textwrap.fill(text, int(CHARACTERS * CELL * N_STEPS))
    free[0].text(0, 1, text, transform=free[0].transAxes, va="top", fontsize=10, linespacing=1.4)


@dataclass(frozen=True)
class Rows:
    """The rows of a model's panel.

    Attributes
    ----------
    pictures : ndarray of shape (n_rows, N_STEPS, n_features)
    labels : list of str
    names : list of str, of the features; may be empty
    words : list of str or None
        Why a row is grey, or None for the other rows.
    """

    pictures: np.ndarray
    labels: list
    names: list
    words: list

    def draw(self, axes, form):
        """Draw the rows. Those with a word are grey and pale."""
        pictures = np.stack(
            [
                rows if word is None else pale(rows, form.image_shape)
                for rows, word in zip(self.pictures, self.words, strict=True)
            ]
        )
        form.draw_images(axes, pictures, row_labels=self.labels)
        axes.tick_params(labelsize=8)
        for text, word in zip(axes.get_yticklabels(), self.words, strict=True):
            text.set_color("black" if word is None else PALE_TEXT)


def pale(pictures, image_shape):
    """Return images without colour, and paler."""
    grey = pictures.reshape(len(pictures), -1, image_shape[-1]).mean(-1, keepdims=True)
    faded = BYTES[1] - PALE * (BYTES[1] - np.clip(grey, *BYTES))
    return np.repeat(faded, image_shape[-1], axis=-1).reshape(pictures.shape)


def is_seen(pictures):
    """Return whether an eye can see that images of a row differ from the middle one."""
    changes = pictures - pictures[len(pictures) // 2]
    return bool(np.sqrt((changes**2).mean(-1)).max() >= SEEN * (BYTES[1] - BYTES[0]))


def tells(information, levels, n_dimensions):
    """Return whether the most informative dimension has real information about a factor.

    The information must exceed that of independent dimensions, by a likelihood-ratio test of 20
    bins against the levels, at 1 % for all dimensions together. It must also exceed the share
    LEAST_TOLD of the factor's entropy.

    Parameters
    ----------
    information : float
        Of the dimension about the factor, in nats, from ``name_dimensions``.
    levels : ndarray of shape (n_images,)
        The levels of the factor.
    n_dimensions : int
    """
    _, counts = np.unique(levels, return_counts=True)
    freedom = (N_BINS - 1) * (len(counts) - 1)
    chance = chi2.isf(LEVEL / n_dimensions, freedom) / (2 * len(levels))
    return bool(information > max(chance, LEAST_TOLD * entropy(counts)))


def _spread(estimator, images, seed):
    """Return draws from the posteriors of training images, or their codes without posteriors."""
    X = some(images.train, MOST_ROWS)
    if hasattr(estimator, "sample_posterior"):
        return estimator.sample_posterior(X, random_state=seed)
    return estimator.transform(X)


def traversal(estimator, spread, image, dimensions):
    """Return an image decoded with one dimension moved at a time, and the ends of the moves.

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


def _named_rows(estimator, images, image, seed):
    """Return the rows of the dimensions with the most information about the figure's features."""
    codes = estimator.transform(some(images.train, MOST_ROWS))
    factors, features = some(images.factors_train, MOST_ROWS), features_of(images)
    naming = name_dimensions(codes, factors, images.factor_names, features.values())
    names = figure_rows(naming, N_FEATURES)
    told = [naming.of_factor(name) for name in names]
    dimensions = [of_name["dimension"] for of_name in told]
    pictures, ends = traversal(estimator, _spread(estimator, images, seed), image, dimensions)
    words = []
    for name, of_name, rows in zip(names, told, pictures, strict=True):
        known = features[name].of(factors) if name in features else None
        if known is None:
            known = factors[:, images.factor_names.index(name)]
        telling = tells(of_name["information"], known, codes.shape[1])
        words.append(_word(is_seen(rows), telling))
    amounts = [f"gap {of_name['gap']:.2f}" for of_name in told]
    return Rows(pictures, _labels(dimensions, amounts, words, ends), names, words)


def _informative_rows(estimator, images, image, seed):
    """Return the rows of the dimensions with the most information."""
    values, measure = informativeness(estimator, some(images.train, MOST_ROWS))
    dimensions = np.argsort(-values, kind="stable")[:N_FEATURES]
    pictures, ends = traversal(estimator, _spread(estimator, images, seed), image, dimensions)
    words = [_word(is_seen(rows)) for rows in pictures]
    amounts = [f"{measure} {value:.2g}" for value in values[dimensions]]
    return Rows(pictures, _labels(dimensions, amounts, words, ends), [], words)


def _word(seen, telling=True):
    """Return why a row is grey, or None if it is not."""
    if not seen:
        return NO_CHANGE
    return None if telling else NO_TELLING


def _labels(dimensions, amounts, words, ends):
    """Return the labels of rows: the dimension, its information or a word, and the ends."""
    return [
        f"$z_{{{dimension}}}$  {amount if word is None else word}\n[{low:.1f}, {high:.1f}]"
        for dimension, amount, word, (low, high) in zip(
            dimensions, amounts, words, ends, strict=True
        )
    ]


def _name_rows(axes, names, height):
    """Write the names of the features to the left of a panel."""
    left = -LABELS / (CELL * N_STEPS)
    for place, name in enumerate(names):
        axes.text(
            left,
            (place + 0.5) * height,
            name.replace("_", " "),
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=10,
        )
