import numpy as np
import pytest
from matplotlib import pyplot as plt
from pictures import COLOUR, GREY, cells, pixels, texts

from skvae.plotting.rows import row_form, tile

X = pixels(6)


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_images_are_in_their_places(shape, padding):
    axes = plt.figure().add_subplot()
    row_form(X, image_shape=shape).draw_images(axes, X.reshape(2, 3, 12), padding=padding)
    shown = cells(axes, 2, 3, shape, padding)
    np.testing.assert_array_equal(shown, X.reshape(2, 3, *shape))


def test_what_is_between_images_is_transparent():
    grey = tile(X.reshape(2, 3, 12), GREY, (0, 1), 1)
    assert np.isnan(grey[4]).all()
    assert np.isnan(grey[:, [3, 7]]).all()
    colour = tile(X.reshape(2, 3, 12), COLOUR, (0, 1), 1)
    np.testing.assert_array_equal(colour[2, :, 3], 0)
    np.testing.assert_array_equal(colour[:2, :2, 3], 1)


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_a_missing_image_is_transparent(shape):
    rows = np.vstack([X[:1], np.full((1, 12), np.nan)])[None]
    grid = tile(rows, shape, (0, 1))
    empty = grid[:, shape[1] :]
    np.testing.assert_array_equal(np.isnan(empty) if shape == GREY else empty[..., 3] == 0, True)


def test_colours_are_scaled_and_clipped_in_the_picture_only():
    rows = np.linspace(-100, 400, 12)[None, None]
    before = rows.copy()
    grid = tile(rows, COLOUR, (0, 255))
    np.testing.assert_array_equal(grid.ravel(), np.clip(rows.ravel() / 255, 0, 1))
    np.testing.assert_array_equal(rows, before)


def test_grey_values_stay_and_the_colour_map_has_the_range():
    axes = plt.figure().add_subplot()
    rows = np.linspace(-100, 400, 12)[None, None]
    row_form(X, image_shape=GREY, value_range=(0, 255)).draw_images(axes, rows, cmap="cividis")
    (image,) = axes.images
    np.testing.assert_array_equal(image.get_array(), rows.reshape(4, 3))
    assert (image.get_clim(), image.get_cmap().name) == ((0, 255), "cividis")


@pytest.mark.parametrize(
    ("rows", "decoded", "expected"),
    [
        (np.array([[3, 200]], dtype=np.uint8), False, (0, 255)),
        (np.array([[0.1, 0.9]]), False, (0, 1)),
        (np.array([[-0.1, 1.1]]), False, (-0.1, 1.1)),
        (np.array([[-0.1, 1.1]]), True, (0, 1)),
        (np.array([[-0.3, 1.1]]), True, (-0.3, 1.1)),
        (np.array([[0, 16]]), False, (0, 16)),
    ],
)
def test_the_range_shown(rows, decoded, expected):
    assert row_form(rows, decoded=decoded).value_range == expected


def test_labels_stand_at_the_middle_of_their_images():
    axes = plt.figure().add_subplot()
    form = row_form(X, image_shape=GREY)
    form.draw_images(
        axes,
        X.reshape(2, 3, 12),
        row_labels=["a", "b"],
        column_labels=["c", "d", "e"],
        padding=1,
    )
    np.testing.assert_array_equal(axes.get_yticks(), [1.5, 6.5])  # pixels 0 to 3, and 5 to 8
    np.testing.assert_array_equal(axes.get_xticks(), [1, 5, 9])
    assert texts(axes.get_yticklabels()) == ["a", "b"]
    assert texts(axes.get_xticklabels()) == ["c", "d", "e"]


def test_lines_are_in_standard_deviations_from_the_mean():
    data = X.copy()
    data[:, 2] = 7.0
    axes = plt.figure().add_subplot()
    form = row_form(data, standardize=data)
    form.draw_lines(axes, data[:2], [{}, {}])
    std = np.where(np.arange(12) == 2, 1.0, data.std(axis=0))
    for line, row in zip(axes.lines, data, strict=False):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(12))
        np.testing.assert_array_equal(line.get_ydata(), (row - data.mean(axis=0)) / std)
    assert texts(axes.get_xticklabels()) == [f"x{feature}" for feature in range(12)]
    assert (form.unit, row_form(X).unit) == ("std. dev.", "value")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"image_shape": (3, 3, 1)},
            "image_shape=(3, 3, 1) needs rows of 9 columns. Got 12 instead. Give the shape of the "
            "images that the rows are.",
        ),
        (
            {"image_shape": (4, 3)},
            "image_shape must be (height, width, channels), with 1, 3 or 4 channels to be shown. "
            "Got (4, 3) instead. Give all three.",
        ),
        (
            {"image_shape": (4, 3, True)},
            "image_shape must be (height, width, channels), with 1, 3 or 4 channels to be shown. "
            "Got (4, 3, True) instead. Give all three.",
        ),
        (
            {"image_shape": (2, 3, 2)},
            "image_shape must be (height, width, channels), with 1, 3 or 4 channels to be shown. "
            "Got (2, 3, 2) instead. Give all three.",
        ),
        (
            {"feature_names": ["a", "b"]},
            "feature_names must name 12 features. Got 2 names instead. Give one for each column "
            "of the rows.",
        ),
    ],
)
def test_what_does_not_fit_the_rows_is_one_sentence(settings, sentence):
    with pytest.raises(ValueError, match="instead") as raised:
        row_form(X, **settings)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("value", [0.2, -1e6 / 3, 0.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_column_of_one_value_is_shown_in_its_own_unit(value, dtype):
    rows = np.full((3, 1), value, dtype=dtype)
    form = row_form(rows, standardize=rows)
    assert form.std == 1
    np.testing.assert_allclose(form.values(rows + 1), 1, rtol=0.05)
