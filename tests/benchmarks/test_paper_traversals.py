"""The first figure of the paper's experiment: what its rows are named, and when they are grey."""

from dataclasses import replace

import _paper_traversals
import numpy as np
import pytest
from _paper_fits import Model
from _paper_pictures import DPI
from _paper_traversals import (
    CELL,
    NO_CHANGE,
    NO_TELLING,
    Rows,
    _informative_rows,
    _named_rows,
    caption,
    draw_traversals,
    is_seen,
    pale,
    tells,
    traversal,
)
from made_up_images import SIDE, pictures, quarters
from matplotlib.figure import Figure
from PIL import Image

from skvae.plotting.rows import row_form


@pytest.fixture(scope="module")
def images():
    return quarters()


class Shift:
    """Codes are the first two pixels; decoding shows each code in two pixels."""

    def transform(self, X):
        return X[:, :2].astype(float)

    def inverse_transform(self, codes):
        return np.repeat(codes, 2, axis=1)


class Planted:
    """Codes: the quarter, noise, a grey that is not decoded; an even image of their sum."""

    def __init__(self, heard=(10.0, 10.0, 0.0)):
        self.heard = np.array(heard)

    def transform(self, X):
        maps = X.reshape(len(X), 2, SIDE // 2, 2, SIDE // 2).mean((2, 4))
        grey = maps.min((1, 2))
        noise = np.random.default_rng(0).standard_normal(len(X))
        return np.stack([maps.reshape(len(X), 4).argmax(1), noise, grey / 10], axis=1)

    def inverse_transform(self, codes):
        return np.repeat(codes @ self.heard[:, None], SIDE**2, axis=1)


def test_a_traversal_moves_one_dimension_between_its_quantiles():
    spread = np.linspace([0.0, -100.0], [100.0, 0.0], 101)
    rows, ends = traversal(Shift(), spread, np.array([[7.0, 9.0, 0.0]]), [1, 0, 1])
    np.testing.assert_allclose(ends, [[-99, -1], [1, 99], [-99, -1]])
    np.testing.assert_allclose(rows[0, :, 2], np.linspace(-99, -1, 5))
    assert (rows[0, :, :2] == 7).all()
    assert (rows[1, :, 2:] == 9).all()
    np.testing.assert_array_equal(rows[0], rows[2])


def test_a_row_is_grey_where_its_dimension_changes_nothing(images):
    rows = _named_rows(Planted(), images, images.test[:1], 0)
    assert rows.names == ["baldness", "grey", "hair"]
    assert rows.words == [None, NO_CHANGE, None]
    bald, grey, hair = rows.labels
    assert bald.startswith("$z_{0}$  gap 0.")
    assert grey == "$z_{2}$  no change\n[0.0, 9.0]"
    assert hair.startswith("$z_{0}$  gap 0.9")


def test_a_row_is_grey_where_its_dimension_tells_nothing_of_its_factor(images):
    rng = np.random.default_rng(1)
    shuffled = images.factors_train.copy()
    shuffled[:, 1] = rng.permutation(shuffled[:, 1])
    rows = _named_rows(
        Planted((10, 10, 10)), replace(images, factors_train=shuffled), images.test[:1], 0
    )
    assert rows.words == [None, NO_TELLING, None]
    assert "tells nothing" in rows.labels[1]


def test_rows_without_names_say_which_dimension_changes_nothing(images):
    rows = _informative_rows(Planted(), images, images.test[:1], 0)
    assert rows.names == []
    assert [text.partition("  ")[0] for text in rows.labels] == ["$z_{2}$", "$z_{0}$", "$z_{1}$"]
    assert rows.words == [NO_CHANGE, None, None]
    assert rows.labels[1].startswith("$z_{0}$  variance 1.3\n")


def test_a_change_is_seen_from_a_share_of_the_range_on():
    row = np.full((5, 4), 100.0)
    assert not is_seen(row)
    row[0] += 0.014 * 255
    assert not is_seen(row)
    row[0, 0] += 0.01 * 255
    assert is_seen(row)


@pytest.mark.parametrize("n_images", [400, 10_000])
@pytest.mark.parametrize("n_levels", [2, 26])
def test_chance_tells_nothing(n_images, n_levels):
    rng = np.random.default_rng(0)
    levels = rng.integers(0, n_levels, n_images)
    chance = 19 * (n_levels - 1) / (2 * n_images)  # the mean of independent ones, 20 bins
    assert not tells(chance, levels, 32)
    assert not tells(0.019 * np.log(n_levels), levels, 32)
    assert tells(0.9 * np.log(n_levels), levels, 32)


def test_grey_rows_have_no_colour_and_others_keep_theirs():
    colours = np.random.default_rng(0).integers(0, 256, (2, 5, 4 * 4 * 3)).astype(float)
    rows = Rows(colours, ["a", "b"], [], [None, NO_CHANGE])
    axes = Figure().subplots()
    rows.draw(axes, row_form(colours[0], image_shape=(4, 4, 3), value_range=(0, 255)))
    (shown,) = axes.images
    kept, grey = np.split(np.asarray(shown.get_array()), 2)
    np.testing.assert_allclose(kept[:, :4].reshape(-1), colours[0, 0] / 255)
    assert (np.ptp(grey, axis=-1) < 1e-9).all()
    assert grey.min() >= 0.6 - 1e-9
    assert np.ptp(grey) > 0  # what it shows can be made out
    kept, grey = (text.get_color() for text in axes.get_yticklabels())
    assert kept != grey


def test_black_becomes_a_light_grey_and_white_stays():
    ends = pale(np.array([[0.0, 255.0, -9.0, 300.0]]), (2, 2, 1))
    np.testing.assert_allclose(ends, [[153, 255, 153, 255]])


class Probabilistic(Shift):
    def sample_posterior(self, X, random_state):
        return self.transform(X)


def test_the_caption_says_what_the_quantiles_are_of():
    begin = "A row moves one dimension, from quantile 0.01 to 0.99 (in brackets) of "
    end = ". The other dimensions stay at the code of a held-out image. Grey: no change"
    draws = "draws from the posteriors of training images"
    codes = "the codes of training images"
    assert caption([Probabilistic()], False) == f"{begin}{draws}{end}."
    assert caption([Shift()], False) == f"{begin}{codes}{end}."
    assert caption([Shift(), Probabilistic()], False) == (
        f"{begin}{draws}, or of {codes}, where there is no posterior{end}."
    )
    assert caption([Probabilistic()], True) == (
        "A row moves the dimension that tells most about its feature, from quantile 0.01 to 0.99 "
        f"(in brackets) of {draws}{end}, or it tells nothing about the feature. Gap: the MIG of "
        "the feature."
    )


class Flat:
    """Codes are the first pixels; images are even."""

    def __init__(self, n_components):
        self.n_components = n_components

    def transform(self, X):
        return X[:, : self.n_components].astype(float)

    def inverse_transform(self, codes):
        return np.repeat(codes.sum(1, keepdims=True), SIDE**2, axis=1)


def test_a_figure_is_as_high_as_it_has_rows(images, tmp_path):
    images = replace(images, factors_train=None)
    heights = {}
    for n_components in (2, 6, 8, 12):
        path = tmp_path / f"{n_components}.png"
        draw_traversals(path, {Model("AE", None, n_components): Flat(n_components)}, images, 0)
        with Image.open(path) as picture:
            heights[n_components] = picture.size[1]
    row = CELL * DPI
    assert heights[6] - heights[2] == pytest.approx(4 * row, abs=25)
    assert heights[8] - heights[6] == pytest.approx(2 * row, abs=25)
    assert heights[12] == heights[8]  # no more than eight are shown


def test_a_row_is_as_high_as_its_images(tmp_path, images):
    X, _ = pictures(100, 0)
    square = replace(images, factors_train=None, train=X, test=X)
    high = replace(square, image_shape=(2 * SIDE, SIDE // 2, 1))
    sizes = []
    for shape in (square, high):
        draw_traversals(tmp_path / "t.png", {Model("AE", None, 4): Flat(4)}, shape, 0)
        with Image.open(tmp_path / "t.png") as picture:
            sizes.append(picture.size[1])
    assert sizes[1] - sizes[0] == pytest.approx(4 * CELL * DPI * 3, abs=40)


@pytest.mark.parametrize("n_models", [2, 5])
def test_at_most_three_panels_stand_beside_each_other_and_each_line_names_its_rows(
    n_models, images, tmp_path, monkeypatch
):
    figures = []
    monkeypatch.setattr(_paper_traversals, "keep", lambda figure, path: figures.append(figure))
    fitted = {Model("AE", None, number): Flat(3) for number in range(n_models)}
    draw_traversals(tmp_path / "t.png", fitted, images, 0)
    shown = [axes for axes in figures[0].axes if axes.axison]
    assert len(shown) == n_models
    places = [axes.get_subplotspec().get_topmost_subplotspec().colspan for axes in shown]
    assert [place.start for place in places] == [0, 1, 2, 0, 1][:n_models]
    names = [[text.get_text() for text in axes.texts] for axes in shown]
    assert names == [["baldness", "grey", "hair"] if p.start == 0 else [] for p in places]
    explained = figures[0].get_supxlabel() or figures[0].axes[n_models].texts[0].get_text()
    assert " ".join(explained.split()) == caption(fitted.values(), True)
