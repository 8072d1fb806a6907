import json
from pathlib import Path

import numpy as np
import pytest
from image_files import pixels, sentence

from skvae.datasets import load_factor_images

# The first three that benchmarks/avatars draws.
AVATARS = Path(__file__).parent / "avatars.npz"
LEVELS = {"glasses": ["none", "none", "round", "none", "shades"], "skin": ["dark", "light"]}


def rgb(name):
    """Return the colour of a name such as "ff488e"."""
    return list(bytes.fromhex(name))


@pytest.fixture
def arrays():
    factors = [[0, 0, -6], [4, 1, 6], [1, 1, 0], [2, 0, 6], [3, 0, 0], [2, 1, -6]]
    return {
        "X": pixels(6, 8, 9, 3),
        "factors": np.array(factors, dtype=np.int16),
        "factor_names": np.array(["glasses", "skin", "x"]),
        "factor_levels": np.array(json.dumps(LEVELS)),
    }


def written(folder, arrays):
    np.savez_compressed(folder / "faces.npz", **arrays)
    return folder / "faces.npz"


@pytest.fixture
def avatars():
    return load_factor_images(AVATARS)


def level(images, row, factor):
    """Return the level that an image has of a factor, by name."""
    place = images.factor_names.index(factor)
    return images.factor_levels[place][images.factors[row, place]]


def test_the_background_of_a_face_is_the_one_that_its_factors_name(avatars):
    images = avatars.data.reshape(-1, *avatars.image_shape)
    assert len({level(avatars, row, "background") for row in range(len(images))}) == 3
    for row, image in enumerate(images):
        corners = image[[0, 0], [0, -1]]
        np.testing.assert_array_equal(corners, [rgb(level(avatars, row, "background"))] * 2)


def test_the_skin_of_a_face_is_the_one_that_its_factors_name(avatars):
    skins = avatars.factor_levels[avatars.factor_names.index("skin")]
    for row, image in enumerate(avatars.data.reshape(len(avatars.data), -1, 3)):
        counts = {name: np.all(image == rgb(name), axis=1).sum() for name in skins}
        assert max(counts, key=counts.get) == level(avatars, row, "skin")
        assert counts[level(avatars, row, "skin")] > 100  # pixels of 4096


def test_levels_of_one_name_are_one(tmp_path, arrays):
    images = load_factor_images(written(tmp_path, arrays))
    assert images.factor_levels == (("none", "round", "shades"), ("dark", "light"), (-6, 0, 6))
    assert images.factor_sizes == (3, 2, 3)
    np.testing.assert_array_equal(images.factors[:, 0], [0, 2, 0, 1, 0, 1])
    np.testing.assert_array_equal(images.factors[:, 2], [0, 2, 1, 2, 1, 0])
    for row, numbers in enumerate(arrays["factors"]):
        names = [LEVELS["glasses"][numbers[0]], LEVELS["skin"][numbers[1]], numbers[2]]
        assert [level(images, row, name) for name in images.factor_names] == names


def test_pixels_are_those_of_the_file(tmp_path, arrays):
    images = load_factor_images(written(tmp_path, arrays))
    assert images.image_shape == (8, 9, 3)
    assert images.factors.dtype == np.int64
    np.testing.assert_array_equal(images.data, arrays["X"].reshape(6, -1))
    grey = load_factor_images(written(tmp_path, {**arrays, "X": arrays["X"][..., 0]}))
    assert grey.image_shape == (8, 9, 1)


def test_names_are_optional(tmp_path, arrays):
    del arrays["factor_names"], arrays["factor_levels"]
    images = load_factor_images(written(tmp_path, arrays))
    assert images.factor_names == ("factor0", "factor1", "factor2")
    assert images.factor_levels == ((0, 1, 2, 3, 4), (0, 1), (-6, 0, 6))


def test_a_missing_file_is_said(tmp_path):
    path = tmp_path / "none.npz"
    text = (
        f"load_factor_images needs a file of images. Got {str(path)!r} instead, which is none. "
        "Give the path of a .npz file."
    )
    with pytest.raises(FileNotFoundError, match=sentence(text)):
        load_factor_images(path)


@pytest.mark.parametrize("kind", ["text", "npy", "objects"])
def test_another_kind_of_file_is_said(tmp_path, arrays, kind):
    path = tmp_path / "faces.npz"
    if kind == "text":
        path.write_text("X")
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, arrays["X"])
    else:
        written(tmp_path, {**arrays, "factor_names": np.array([{}], dtype=object)})
    text = (
        "load_factor_images needs a .npz file of arrays. Got faces.npz instead, which is damaged "
        "or of another kind. Write it by numpy.savez_compressed."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(path)


def test_missing_keys_are_named(tmp_path, arrays):
    text = (
        "load_factor_images needs a file with X and factors. Got faces.npz without factors "
        "instead. Write both, or read X by numpy.load."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(written(tmp_path, {"X": arrays["X"]}))


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"X": np.zeros((6, 8, 9))}, "X (6, 8, 9) of float64 and factors (6, 3) of int16"),
        ({"X": np.zeros((5, 8, 9), np.uint8)}, "X (5, 8, 9) of uint8 and factors (6, 3) of int16"),
        ({"factors": np.zeros((6, 3))}, "X (6, 8, 9, 3) of uint8 and factors (6, 3) of float64"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, change, got):
    text = (
        "load_factor_images needs X of shape (n, height, width) or (n, height, width, channels) "
        f"and uint8, and factors of shape (n, n_factors), integers. Got {got} instead. Write them "
        "so."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(written(tmp_path, {**arrays, **change}))


def test_every_factor_needs_a_name_of_its_own(tmp_path, arrays):
    arrays["factor_names"] = np.array(["glasses", "skin", "skin"])
    text = (
        "load_factor_images needs 3 different factor_names, one for each column of factors. Got "
        "glasses, skin, skin instead. Name every column."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(written(tmp_path, arrays))


@pytest.mark.parametrize("levels", ["none, round", '["none"]', '{"hats": []}', '{"skin": "dark"}'])
def test_names_of_levels_are_lists_by_factor(tmp_path, arrays, levels):
    text = (
        "load_factor_images needs factor_levels to be JSON, an object with lists of names for "
        f"factors of factor_names. Got {levels} instead. Write it by json.dumps."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(written(tmp_path, {**arrays, "factor_levels": np.array(levels)}))


def test_every_level_needs_a_name(tmp_path, arrays):
    arrays["factor_levels"] = np.array(json.dumps({"glasses": ["none", "round"]}))
    text = (
        "load_factor_images needs integers from 0 to 1 of the factor 'glasses', whose "
        "factor_levels are 2. Got 0 to 4 instead. Name every level, or none."
    )
    with pytest.raises(ValueError, match=sentence(text)):
        load_factor_images(written(tmp_path, arrays))
