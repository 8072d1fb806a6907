import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from image_files import pixels
from sentences import exactly

from skvae.datasets import load_factor_images

# The first three that benchmarks/avatars draws.
AVATARS = Path(__file__).parent / "avatars.npz"
LEVELS = {"glasses": ["none", "none", "round", "none", "shades"], "skin": ["dark", "light"]}
DAMAGED = exactly(
    "load_factor_images needs a .npz file of arrays. Got faces.npz instead, which is damaged, "
    "encrypted or of another kind, or has arrays of objects. Write it by numpy.savez_compressed."
)


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
    with pytest.raises(FileNotFoundError, match=exactly(text)):
        load_factor_images(path)


def test_a_folder_is_no_file(tmp_path):
    text = (
        f"load_factor_images needs a file of images. Got {str(tmp_path)!r} instead, which is none. "
        "Give the path of a .npz file."
    )
    with pytest.raises(FileNotFoundError, match=exactly(text)):
        load_factor_images(tmp_path)


def test_a_path_may_be_bytes_as_it_may_for_open(tmp_path, arrays):
    path = written(tmp_path, arrays)
    expected = load_factor_images(path)
    np.testing.assert_array_equal(load_factor_images(os.fsencode(path)).data, expected.data)


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
    with pytest.raises(ValueError, match=DAMAGED):
        load_factor_images(path)


@pytest.mark.parametrize("key", ["X", "factors", "factor_names", "factor_levels"])
def test_arrays_of_objects_are_refused(tmp_path, arrays, key):
    arrays[key] = arrays[key].astype(object)
    with pytest.raises(ValueError, match=DAMAGED):
        load_factor_images(written(tmp_path, arrays))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (6, 1),  # its bit 0: encrypted
        (6, 0x20),  # a patch
        (8, 97),  # a method of compression that Python does not have
        (8, zipfile.ZIP_LZMA),  # the bytes are none of it
        (8, zipfile.ZIP_BZIP2),
    ],
)
def test_archives_that_python_does_not_read_are_said(tmp_path, arrays, place, value):
    path = written(tmp_path, arrays)
    content = bytearray(path.read_bytes())
    for begin, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):  # of a member, of its entry
        start = content.index(begin)
        content[start + place + shift] = value
    path.write_bytes(content)
    with pytest.raises(ValueError, match=DAMAGED):
        load_factor_images(path)


def outcome(path):
    """Return the sentence that refuses a file, or what is read."""
    try:
        return "", load_factor_images(path)
    except ValueError as error:
        return str(error), None


def flat(images):
    """Return the arrays of images as lists."""
    return {"data": images.data.tolist(), "factors": images.factors.tolist()}


@pytest.mark.parametrize(("write", "mask"), [(np.savez, 0x80), (np.savez_compressed, 1)])
def test_a_file_with_a_wrong_byte_is_refused_or_read_right(tmp_path, write, mask):
    path = tmp_path / "faces.npz"
    arrays = {
        "X": pixels(2, 1, 2),
        "factors": np.array([[0], [1]], dtype=np.int8),
        "factor_names": np.array(["skin"]),
        "factor_levels": np.array('{"skin":["dark","light"]}'),
    }
    write(path, **arrays)
    expected, whole = load_factor_images(path), path.read_bytes()
    n_read = 0
    for place, byte in enumerate(whole):
        path.write_bytes(whole[:place] + bytes([byte ^ mask]) + whole[place + 1 :])
        message, found = outcome(path)
        if found is None:
            assert message.startswith("load_factor_images needs "), message
        else:
            n_read += 1
            assert {**found, **flat(found)} == {**expected, **flat(expected)}, place
    assert 0 < n_read < len(whole)  # dates and the like say nothing of the arrays


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9, 0.99])
def test_half_a_file_is_damaged(tmp_path, arrays, share):
    path = written(tmp_path, arrays)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=DAMAGED):
        load_factor_images(path)


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, arrays, monkeypatch):
    def refuse(*arguments):
        raise PermissionError("denied")

    path = written(tmp_path, arrays)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(PermissionError, match="denied"):
        load_factor_images(path)


def test_missing_keys_are_named(tmp_path, arrays):
    text = (
        "load_factor_images needs a file with X and factors. Got faces.npz without factors "
        "instead. Write both, or read X by numpy.load."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_factor_images(written(tmp_path, {"X": arrays["X"]}))


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"X": np.zeros((6, 8, 9))}, "X (6, 8, 9) of float64 and factors (6, 3) of int16"),
        ({"X": np.zeros((5, 8, 9), np.uint8)}, "X (5, 8, 9) of uint8 and factors (6, 3) of int16"),
        ({"factors": np.zeros((6, 3), bool)}, "X (6, 8, 9, 3) of uint8 and factors (6, 3) of bool"),
        ({"factors": np.zeros(6, int)}, "X (6, 8, 9, 3) of uint8 and factors (6,) of int64"),
        ({"factors": np.zeros((6, 3))}, "X (6, 8, 9, 3) of uint8 and factors (6, 3) of float64"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, change, got):
    text = (
        "load_factor_images needs X of shape (n, height, width) or (n, height, width, channels) "
        f"and uint8, and factors of shape (n, n_factors), integers. Got {got} instead. Write them "
        "so."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_factor_images(written(tmp_path, {**arrays, **change}))


@pytest.mark.parametrize(
    ("names", "got"),
    [
        (["glasses", "skin", "skin"], "'glasses', 'skin', 'skin'"),
        (["glasses", "skin"], "'glasses', 'skin'"),
        (["glasses", "", "x"], "'glasses', '', 'x'"),
        (["glasses", " ", "x"], "'glasses', ' ', 'x'"),
        ([b"glasses", b"skin", b"x"], "b'glasses', b'skin', b'x'"),
        ([0, 1, 2], "0, 1, 2"),
    ],
)
def test_every_factor_needs_a_name_of_its_own(tmp_path, arrays, names, got):
    arrays["factor_names"] = np.array(names)
    text = (
        "load_factor_images needs 3 different factor_names of text, one for each column of "
        f"factors. Got {got} instead. Name every column."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_factor_images(written(tmp_path, arrays))


@pytest.mark.parametrize(
    "levels",
    [
        "none, round",
        '["none"]',
        '{"hats": ["none"]}',
        '{"skin": "dark"}',
        '{"skin": []}',
        '{"skin": null}',
        '{"skin": ["dark", null]}',
        '{"skin": ["dark", ""]}',
        '{"skin": ["dark", ["light"]]}',
        '{"skin": ["dark", true]}',
        b'{"skin": ["dark", "light"]}',
        ['{"skin": ["dark", "light"]}'],
    ],
)
def test_names_of_levels_are_lists_by_factor(tmp_path, arrays, levels):
    levels = np.array(levels)
    text = (
        "load_factor_images needs factor_levels to be JSON, an object with lists of names for "
        f"factors of factor_names. Got {levels!s} instead. Write it by json.dumps."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_factor_images(written(tmp_path, {**arrays, "factor_levels": levels}))


def test_numbers_are_their_own_names(tmp_path, arrays):
    arrays["factor_levels"] = np.array('{"skin": [0.5, 2]}')
    assert load_factor_images(written(tmp_path, arrays)).factor_levels[1] == ("0.5", "2")


@pytest.mark.parametrize(("shift", "got"), [(0, "0 to 4"), (-1, "-1 to 3")])
def test_every_level_needs_a_name(tmp_path, arrays, shift, got):
    arrays["factor_levels"] = np.array(json.dumps({"glasses": ["none", "round"]}))
    arrays["factors"] += shift
    text = (
        "load_factor_images needs integers from 0 to 1 of the factor 'glasses', whose "
        f"factor_levels are 2. Got {got} instead. Name every level, or none."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_factor_images(written(tmp_path, arrays))
