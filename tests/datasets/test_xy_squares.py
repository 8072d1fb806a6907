import sys

import numpy as np
import pytest
from sentences import exactly

from skvae.datasets import make_sprites, make_xy_squares, xy_squares

SMALL = {"size": 9, "square_size": 3, "spacing": 3}


@pytest.fixture(scope="module")
def small():
    """The whole of a small grid."""
    return make_xy_squares(**SMALL)


def distances(images):
    """Squared distances between all images, in pixels of one channel."""
    rows = images.reshape(len(images), -1) / 255.0
    squares = (rows**2).sum(axis=1)
    return squares[:, None] + squares - 2 * rows @ rows.T


def test_each_square_stands_in_its_channel_where_its_factors_say(small):
    assert small.factor_sizes == (3,) * 6
    np.testing.assert_array_equal(small.factor_values, 3.0 * small.factors)
    rows, columns = np.indices((9, 9))
    for channel in range(3):
        left, upper = small.factor_values[:, 2 * channel : 2 * channel + 2].T[..., None, None]
        inside = (left <= columns) & (columns < left + 3) & (upper <= rows) & (rows < upper + 3)
        np.testing.assert_array_equal(small.images[..., channel], 255 * inside)


def test_the_whole_grid_comes_in_c_order(small):
    rows = np.ravel_multi_index(small.factors.T, small.factor_sizes)
    np.testing.assert_array_equal(rows, np.arange(3**6))
    assert len(np.unique(small.data, axis=0)) == 3**6


def test_keys_are_those_of_make_sprites(small):
    sprites = make_sprites(1, size=8, n_colors=1)
    assert set(small) == set(sprites)
    for key, value in sprites.items():
        assert type(small[key]) is type(value)
        assert getattr(small[key], "dtype", None) == getattr(value, "dtype", None)
    assert small.image_shape == (9, 9, 3)
    assert np.shares_memory(small.images, small.data)


@pytest.mark.parametrize(("size", "square_size", "spacing"), [(64, 8, 8), (21, 3, 6)])
def test_all_positions_are_equally_far_from_each_other(size, square_size, spacing):
    made = make_xy_squares(400, size=size, square_size=square_size, spacing=spacing, random_state=0)
    places = made.factors.reshape(400, 3, 2)
    n_moved = (places[:, None] != places).any(axis=-1).sum(axis=-1)
    np.testing.assert_allclose(distances(made.images), 2 * square_size**2 * n_moved, atol=1e-9)


@pytest.mark.parametrize("spacing", [1, 2, 3, 4])
def test_distances_are_those_of_the_formula(spacing):
    made = make_xy_squares(300, size=12, square_size=4, spacing=spacing, random_state=0)
    edges = made.factor_values.reshape(300, 3, 2)
    overlap = np.maximum(0, 4 - np.abs(edges[:, None] - edges)).prod(axis=-1)
    expected = 2 * (16 - overlap).sum(axis=-1)
    np.testing.assert_allclose(distances(made.images), expected, atol=1e-9)


def test_rows_drawn_are_rows_of_the_grid_and_an_int_fixes_them(small):
    made = make_xy_squares(500, **SMALL, random_state=0)
    rows = np.ravel_multi_index(made.factors.T, made.factor_sizes)
    assert len(np.unique(rows)) > 300
    np.testing.assert_array_equal(made.data, small.data[rows])
    again = make_xy_squares(500, **SMALL, random_state=0)
    np.testing.assert_array_equal(made.factors, again.factors)


def test_chunks_and_memory_maps_do_not_matter(small, tmp_path, monkeypatch):
    monkeypatch.setattr(xy_squares, "CHUNK", 7 * 9 * 9)
    mapped = make_xy_squares(**SMALL, memmap=tmp_path / "rows.npy")
    assert isinstance(mapped.data, np.memmap)
    np.testing.assert_array_equal(mapped.data, small.data)


def test_a_frame_holds_the_values_by_name(small, monkeypatch):
    made = make_xy_squares(**SMALL, as_frame=True)
    assert tuple(made.frame.columns) == made.factor_names
    np.testing.assert_array_equal(made.frame.to_numpy(), small.factor_values)
    monkeypatch.setitem(sys.modules, "pandas", None)
    text = (
        "make_xy_squares needs pandas for as_frame=True. Got none that can be imported instead. "
        "Install it: pip install skvae[images]"
    )
    with pytest.raises(ImportError, match=exactly(text)):
        make_xy_squares(1, as_frame=True)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        *(
            (
                {name: value},
                f"make_xy_squares needs {name} to be an integer of 1 or more. Got {value!r} "
                f"instead. Give one, as in {name}=1.",
            )
            for name in ("n_samples", "size", "square_size", "spacing")
            for value in (0, 2.5)
        ),
        (
            {"size": 8, "square_size": 9},
            "make_xy_squares needs a square_size of at most size, 8. Got 9 instead. Set a smaller "
            "square_size, or a greater size.",
        ),
        (
            {"memmap": 1},
            "make_xy_squares needs a memmap of None or the path of a file in a folder that exists. "
            "Got 1 instead. Make the folder, or give another path.",
        ),
    ],
)
def test_what_is_out_of_range_is_named(options, text):
    with pytest.raises(ValueError, match=exactly(text)):
        make_xy_squares(**options)
