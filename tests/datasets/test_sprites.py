import colorsys
import sys

import numpy as np
import pytest
from sentences import exactly

from skvae.datasets import load_dsprites, make_sprites, sprites

SMALL = {"size": 32, "n_scales": 3, "n_orientations": 5, "n_positions": (4, 3)}


def same(made, other):
    """Assert that two results are one, bit for bit."""
    for key in ("data", "images", "factors", "factor_values"):
        np.testing.assert_array_equal(made[key], other[key])


@pytest.fixture(scope="module")
def small():
    """The whole of a small grid."""
    return make_sprites(**SMALL)


def test_the_whole_grid_comes_in_c_order(small):
    sizes = (3, 3, 5, 4, 3)
    rows = np.arange(np.prod(sizes))
    assert small.factor_sizes == sizes
    assert small.factor_names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    np.testing.assert_array_equal(small.factors, np.transpose(np.unravel_index(rows, sizes)))
    assert small.factors.dtype == np.int64
    assert small.factor_values.dtype == np.float64


def test_values_are_those_of_their_levels(small):
    expected = (
        [1, 2, 3],
        [0.5, 0.75, 1],
        2 * np.pi * np.arange(5) / 5,
        [0, 1 / 3, 2 / 3, 1],
        [0, 0.5, 1],
    )
    for column, values in enumerate(expected):
        levels = small.factors[:, column]
        np.testing.assert_allclose(small.factor_values[:, column], np.take(values, levels))


def test_factors_of_one_level_stand_in_the_middle_at_full_size():
    made = make_sprites(size=16, shapes=("heart",), n_scales=1, n_orientations=1, n_positions=1)
    np.testing.assert_array_equal(made.factor_values, [[3, 1, 0, 0.5, 0.5]])


def test_images_are_the_memory_of_data(small):
    assert small.data.dtype == np.uint8
    assert small.data.flags.c_contiguous
    assert small.image_shape == (32, 32, 1)
    assert small.images.shape == (len(small.data), 32, 32)
    assert np.shares_memory(small.images, small.data)
    np.testing.assert_array_equal(np.unique(small.data), [0, 255])
    assert small.frame is None


def test_every_image_of_a_grid_differs_where_orientations_keep_to_a_period():
    for limit in (np.pi / 2, "period"):
        made = make_sprites(
            size=64, n_scales=3, n_orientations=4, n_positions=5, orientation_range=limit
        )
        assert len(np.unique(made.data, axis=0)) == len(made.data)


def test_the_centroid_recovers_the_position(small):
    weights = small.images / small.images.sum(axis=(1, 2), keepdims=True)
    pixels = np.arange(32) + 0.5
    x, y = weights.sum(axis=1) @ pixels, weights.sum(axis=2) @ pixels
    exact = small.factor_values[:, 0] < 3  # the heart's centre is not its centroid
    for found, place in ((x, 3), (y, 4)):
        positions = (found / 32 - 0.25) * 2
        np.testing.assert_allclose(positions[exact], small.factor_values[exact, place], atol=0.02)
        n_levels = small.factor_sizes[place]
        levels = np.rint(positions * (n_levels - 1))
        np.testing.assert_array_equal(levels, small.factors[:, place])


def test_the_area_grows_with_the_scale(small):
    areas = (small.data > 0).sum(axis=1).reshape(small.factor_sizes)
    assert (np.diff(areas, axis=1) > 0).all()


def test_the_range_of_the_orientation_is_its_endpoint():
    limits = {1: np.pi / 2, 2: np.pi, 3: 2 * np.pi}
    for limit in (np.pi / 3, "period"):
        made = make_sprites(50, size=16, orientation_range=limit, random_state=0)
        ends = [limits[shape] for shape in made.factor_values[:, 0]] if limit == "period" else limit
        np.testing.assert_allclose(made.factor_values[:, 2], ends * made.factors[:, 2] / 40)


def test_rows_drawn_are_rows_of_the_grid(small):
    made = make_sprites(2000, **SMALL, random_state=0)
    rows = np.ravel_multi_index(made.factors.T, made.factor_sizes)
    np.testing.assert_array_equal(made.data, small.data[rows])
    np.testing.assert_array_equal(made.factor_values, small.factor_values[rows])


def test_rows_are_drawn_uniformly_and_factors_independently():
    made = make_sprites(60_000, size=8, n_scales=2, n_orientations=2, n_positions=2, random_state=0)
    rows = np.ravel_multi_index(made.factors.T, made.factor_sizes)
    counts = np.bincount(rows, minlength=48)
    chi2 = ((counts - 1250) ** 2 / 1250).sum()
    assert 20 < chi2 < 85  # 47 degrees of freedom: all but 1 in 1000 on either side


def test_an_int_fixes_rows_and_noise_and_leaves_the_global_generator():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    made = make_sprites(20, size=16, noise=0.5, random_state=3)
    same(made, make_sprites(20, size=16, noise=0.5, random_state=3))
    same(made, make_sprites(20, size=16, noise=0.5, random_state=np.random.RandomState(3)))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert (make_sprites(20, size=16, random_state=4).factors != made.factors).any()


@pytest.mark.parametrize("n_samples", [None, 300])
def test_chunks_and_memory_maps_do_not_matter(n_samples, tmp_path, monkeypatch):
    options = {**SMALL, "n_colors": 2, "noise": 0.3, "random_state": 0}
    made = make_sprites(n_samples, **options)
    monkeypatch.setattr(sprites, "CHUNK", 7 * 32 * 32)
    same(made, make_sprites(n_samples, **options))
    mapped = make_sprites(n_samples, **options, memmap=tmp_path / "rows.npy")
    same(made, mapped)
    assert isinstance(mapped.data, np.memmap)
    assert isinstance(mapped.images, np.memmap)
    assert not mapped.data.flags.writeable
    np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), made.data)


def test_colours_are_a_factor_of_evenly_spaced_hues(small):
    made = make_sprites(**SMALL, n_colors=6)
    assert made.factor_names == ("colour", *small.factor_names)
    assert made.factor_sizes == (6, *small.factor_sizes)
    assert made.image_shape == (32, 32, 3)
    assert made.images.shape == (len(made.data), 32, 32, 3)
    n = len(small.data)
    palette = [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]]
    for level, rgb in enumerate(palette):
        rows = slice(level * n, (level + 1) * n)
        np.testing.assert_array_equal(made.images[rows], (small.images > 0)[..., None] * [rgb])
        np.testing.assert_allclose(made.factor_values[rows, 0], level / 6)
    # A hue between those of the primary colours, and one level, which is red.
    made = make_sprites(**SMALL, n_colors=7)
    rgb = np.rint(255 * np.array(colorsys.hsv_to_rgb(5 / 7, 1, 1)))
    np.testing.assert_array_equal(made.images[made.factors[:, 0] == 5].max(axis=(0, 1, 2)), rgb)
    red = make_sprites(**SMALL, n_colors=1)
    np.testing.assert_array_equal(red.images[..., 0], small.images)
    assert not red.images[..., 1:].any()


@pytest.mark.parametrize("n_colors", [None, 3])
def test_noise_is_uniform_on_the_background_alone(n_colors):
    clean = make_sprites(**SMALL, n_colors=n_colors)
    noisy = make_sprites(**SMALL, n_colors=n_colors, noise=0.2, random_state=0)
    shape = clean.images > 0
    if n_colors:
        shape = shape.any(axis=-1, keepdims=True) & np.ones(3, dtype=bool)
    np.testing.assert_array_equal(noisy.images[shape], clean.images[shape])
    counts = np.bincount(noisy.images[~shape], minlength=256)
    assert not counts[52:].any()  # 0.2 * 255 = 51
    np.testing.assert_allclose(counts[:52] * 52 / counts.sum(), 1, atol=0.08)
    assert make_sprites(5, size=16, noise=1.0, random_state=0).data.max() == 255


def test_a_frame_holds_the_values_by_name(small):
    made = make_sprites(**SMALL, as_frame=True)
    assert tuple(made.frame.columns) == made.factor_names
    np.testing.assert_array_equal(made.frame.to_numpy(), small.factor_values)


def test_without_pandas_a_frame_is_refused_with_the_extras_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    text = (
        "make_sprites needs pandas for as_frame=True. Got none that can be imported instead. "
        "Install it: pip install skvae[images]"
    )
    with pytest.raises(ImportError, match=exactly(text)):
        make_sprites(2, as_frame=True)
    assert make_sprites(2, size=8).frame is None


def test_keys_are_those_of_load_dsprites_and_more(small, tmp_path):
    levels = np.zeros((1, 6), dtype=np.int64)
    path = tmp_path / "dsprites.npz"
    imgs = np.zeros((1, 8, 8), dtype=np.uint8)
    np.savez(path, imgs=imgs, latents_classes=levels, latents_values=levels)
    loaded = load_dsprites(path)
    assert set(small) == {*loaded, "images", "frame"}
    assert make_sprites(1, size=8, n_colors=1).factor_names == loaded.factor_names


INTEGER = (
    "make_sprites needs {0} to be an integer of {1} or more. Got {2!r} instead. Give one, as in "
    "{0}={1}."
)
SHAPE_NAMES = (
    "make_sprites needs shapes to be a list or tuple of 'square', 'ellipse' and 'heart', each at "
    "most once. Got {!r} instead. Give one or more of them, as in shapes=('heart',)."
)
RANGE = (
    "make_sprites needs orientation_range to be a number in (0, 2 pi] or 'period'. Got {!r} "
    "instead. Give radians, as in orientation_range=numpy.pi / 2."
)
ERRORS = [
    *(
        (name, value, INTEGER.format(name, 1, value))
        for name in ("n_samples", "n_scales", "n_orientations", "n_positions", "n_colors")
        for value in (0, 2.0, True, "4")
    ),
    ("size", 7, INTEGER.format("size", 8, 7)),
    ("n_positions", (3, 0), INTEGER.format("n_positions", 1, 0)),
    (
        "n_positions",
        (3, 4, 5),
        "make_sprites needs n_positions to be an integer or a pair of them. Got (3, 4, 5) instead. "
        "Give one, as in n_positions=(16, 8).",
    ),
    *(
        ("noise", value, text)
        for value in (-0.1, 1.1, np.nan, "0.5")
        for text in [
            f"make_sprites needs noise to be a number in [0, 1]. Got {value!r} instead. Give one "
            f"in that range."
        ]
    ),
    *(
        ("shapes", value, SHAPE_NAMES.format(value))
        for value in ("heart", (), ("heart", "circle"), ["heart", "heart"], [["heart"]], None)
    ),
    *(
        ("orientation_range", value, RANGE.format(value))
        for value in (0, 7.0, np.nan, True, "turn", None, np.ones(2))
    ),
    (
        "memmap",
        True,
        "make_sprites needs a memmap of None or the path of a file in a folder that exists. Got "
        "True instead. Make the folder, or give another path.",
    ),
]


@pytest.mark.parametrize(("name", "value", "text"), ERRORS)
def test_what_is_out_of_range_is_named(name, value, text):
    with pytest.raises(ValueError, match=exactly(text)):
        make_sprites(**{name: value})
