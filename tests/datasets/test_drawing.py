import numpy as np
import pytest

from skvae.datasets import drawing, make_sprites

# Foreground pixels of dSprites at orientation 0 and position 0, by scale.
COUNTS = {
    "square": [100, 144, 196, 256, 324, 400],
    "ellipse": [76, 104, 144, 184, 228, 288],
    "heart": [58, 84, 108, 140, 182, 222],
}


@pytest.mark.parametrize("shape", drawing.SHAPES)
def test_shapes_have_the_area_of_those_of_dsprites(shape):
    made = make_sprites(shapes=(shape,), n_orientations=1, n_positions=2)
    at_corner = (made.factors[:, 3:] == 0).all(axis=1)
    counts = (made.images[at_corner] > 0).sum(axis=(1, 2))
    np.testing.assert_allclose(counts, COUNTS[shape], rtol=0, atol=6)


@pytest.mark.parametrize(("shape", "area"), [("square", 0.09), ("ellipse", np.pi * 0.0225)])
def test_the_area_in_many_pixels_is_that_of_the_formula(shape, area):
    made = make_sprites(
        size=512, shapes=(shape,), n_scales=2, n_orientations=3, n_positions=1, orientation_range=1
    )
    turned = made.factors[:, 2] > 0  # else the edges lie along the pixels
    share = (made.data[turned] > 0).mean(axis=1)
    np.testing.assert_allclose(share, area * made.factor_values[turned, 1] ** 2, rtol=5e-3)


def test_the_heart_is_the_polygon_of_its_curve():
    t = np.linspace(0, 2 * np.pi, 1001)
    x = 0.15 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    y = -0.3 / 28.9217782714 * y - 0.0225
    made = make_sprites(size=60, shapes=["heart"], n_scales=1, n_orientations=1, n_positions=1)
    image = made.images[0]
    rows, columns = np.indices(image.shape)
    points = np.stack([columns + 0.5, rows + 0.5], axis=-1) / 60 - 0.5
    edges = np.stack([x, y], axis=-1) - points[:, :, None]
    turns = np.diff(np.unwrap(np.arctan2(edges[..., 1], edges[..., 0])), axis=-1).sum(axis=-1)
    np.testing.assert_array_equal(image > 0, np.abs(turns) > np.pi)


@pytest.mark.parametrize(("shape", "n_periods"), [("square", 4), ("ellipse", 2), ("heart", 1)])
@pytest.mark.parametrize("size", [40, 63, 64])  # at 40 pixels, edges run through pixels' centres
def test_a_turn_through_the_period_gives_the_same_image(shape, n_periods, size):
    made = make_sprites(size=size, shapes=(shape,), n_scales=7, n_orientations=12, n_positions=3)
    images = made.data.reshape(7, 12, 9, -1)
    for turned in range(12):
        equal = (np.roll(images, turned, axis=1) == images).all()
        assert equal == (turned % (12 // n_periods) == 0)


def test_orientations_turn_anticlockwise_and_leave_out_the_endpoint():
    made = make_sprites(shapes=("heart",), n_scales=2, n_orientations=4, n_positions=1)
    images = made.images.reshape(2, 4, 64, 64)
    np.testing.assert_allclose(made.factor_values[:4, 2], np.pi / 2 * np.arange(4))
    for turned in range(4):
        np.testing.assert_array_equal(
            images[:, turned], np.rot90(images[:, 0], turned, axes=(1, 2))
        )


@pytest.mark.parametrize(("size", "step"), [(64, 4), (32, 2), (50, 1)])
def test_a_position_on_whole_pixels_moves_the_image(size, step):
    n_positions = size // 2 // step + 1
    made = make_sprites(size=size, n_scales=2, n_orientations=3, n_positions=n_positions)
    images = made.images.reshape(18, n_positions, n_positions, size, size)
    for i, j in ((0, 1), (1, 0), (n_positions - 1, n_positions // 2)):
        moved = np.roll(images[:, 0, 0], (j * step, i * step), axis=(1, 2))
        np.testing.assert_array_equal(images[:, i, j], moved)


@pytest.mark.parametrize("size", [8, 9, 16, 33, 100])
def test_a_window_loses_no_pixel(size, monkeypatch):
    values = make_sprites(200, size=size, random_state=0).factor_values
    windowed = drawing.draw(size, values)
    unbounded = {name: (test, 10.0) for name, (test, _) in drawing.TESTS.items()}
    monkeypatch.setattr(drawing, "TESTS", unbounded)
    np.testing.assert_array_equal(windowed, drawing.draw(size, values))
