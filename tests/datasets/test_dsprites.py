import io
import itertools
import zipfile

import numpy as np
import pytest
from sentences import exactly

from skvae.datasets import load_dsprites

SIZES = (1, 3, 2, 4, 2, 3)
NAMES = ("colour", "shape", "scale", "orientation", "pos_x", "pos_y")


class Bomb:
    """Unpickling it raises."""

    def __reduce__(self):
        return exec, ("raise AssertionError('the metadata were unpickled')",)


@pytest.fixture
def arrays():
    """The arrays of the official file, of a smaller grid."""
    classes = np.array(list(itertools.product(*map(range, SIZES))), dtype=np.int64)
    levels = [np.linspace(0.5, 1, size) for size in SIZES]
    values = np.stack([level[column] for level, column in zip(levels, classes.T, strict=True)], 1)
    imgs = np.random.RandomState(0).randint(0, 2, (len(classes), 64, 64), dtype=np.uint8)
    return {
        "metadata": np.array(Bomb(), dtype=object),
        "imgs": imgs,
        "latents_classes": classes,
        "latents_values": values,
    }


@pytest.fixture
def path(tmp_path, arrays):
    np.savez_compressed(tmp_path / "dsprites.npz", **arrays)
    return tmp_path / "dsprites.npz"


@pytest.mark.parametrize("in_file", [False, True])
def test_images_and_factors_are_those_of_the_file(path, arrays, tmp_path, in_file):
    sprites = load_dsprites(path, memmap=tmp_path / "rows.npy" if in_file else None)
    assert isinstance(sprites.data, np.memmap) == in_file
    assert sprites.data.dtype == np.uint8
    np.testing.assert_array_equal(sprites.data, arrays["imgs"].reshape(-1, 4096))
    np.testing.assert_array_equal(sprites.factors, arrays["latents_classes"])
    np.testing.assert_array_equal(sprites.factor_values, arrays["latents_values"])
    assert sprites.factors.dtype == np.int64
    assert sprites.factor_values.dtype == np.float64
    assert sprites.factor_names == NAMES
    assert sprites.factor_sizes == SIZES
    assert sprites.image_shape == (64, 64, 1)
    if in_file:
        assert not sprites.data.flags.writeable
        np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), sprites.data)
        assert sorted(tmp_path.iterdir()) == [path, tmp_path / "rows.npy"]


def test_the_order_of_rows_is_that_of_the_grid(path):
    sprites = load_dsprites(path)
    rows = np.ravel_multi_index(sprites.factors.T, sprites.factor_sizes)
    np.testing.assert_array_equal(rows, np.arange(len(sprites.data)))


def test_a_factor_of_one_level_is_left_out_when_asked(path, arrays):
    sprites = load_dsprites(path, drop_constant=True)
    assert sprites.factor_names == NAMES[1:]
    assert sprites.factor_sizes == SIZES[1:]
    np.testing.assert_array_equal(sprites.factors, arrays["latents_classes"][:, 1:])
    np.testing.assert_array_equal(sprites.factor_values, arrays["latents_values"][:, 1:])


def test_the_keys_that_another_file_lacks_are_named(tmp_path, arrays):
    np.savez(tmp_path / "other.npz", imgs=arrays["imgs"], X=arrays["imgs"])
    text = (
        "load_dsprites needs a file with imgs, latents_classes and latents_values. Got other.npz "
        "without latents_classes, latents_values instead. Give the official .npz file of dSprites."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(tmp_path / "other.npz")


@pytest.mark.parametrize("kept", [0, 100, 3000, -1])
def test_a_damaged_file_is_named_and_leaves_no_other(path, tmp_path, kept):
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    text = (
        "load_dsprites needs the official .npz file of dSprites. Got dsprites.npz instead, which "
        "is damaged or of another kind. Get it again."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(path, memmap=tmp_path / "rows.npy")
    middle = len(whole) // 2  # among the pixels
    path.write_bytes(whole[:middle] + b"\0\0\0\0" + whole[middle + 4 :])
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(path, memmap=tmp_path / "rows.npy")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("n_missing", [1, 4095])
@pytest.mark.parametrize("in_file", [False, True])
def test_a_file_with_too_few_pixels_leaves_what_was_there(tmp_path, arrays, n_missing, in_file):
    np.savez(tmp_path / "whole.npz", **arrays)
    short = io.BytesIO()
    np.save(short, arrays["imgs"])
    with (
        zipfile.ZipFile(tmp_path / "whole.npz") as whole,
        zipfile.ZipFile(tmp_path / "short.npz", "w") as archive,
    ):
        for name in whole.namelist():
            content = short.getvalue()[:-n_missing] if name == "imgs.npy" else whole.read(name)
            archive.writestr(name, content)
    (tmp_path / "rows.npy").write_bytes(b"before")
    memmap = tmp_path / "rows.npy" if in_file else None
    with pytest.raises(ValueError, match=r"^load_dsprites needs the official .npz file"):
        load_dsprites(tmp_path / "short.npz", memmap=memmap)
    assert (tmp_path / "rows.npy").read_bytes() == b"before"


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("imgs", np.zeros((144, 64, 64))),
        ("imgs", np.zeros((144, 4096), dtype=np.uint8)),
        ("imgs", np.zeros((143, 64, 64), dtype=np.uint8)),
        ("imgs", np.uint8(0)),
        ("latents_classes", np.zeros((144, 5), dtype=np.int64)),
        ("latents_classes", np.zeros((144, 6))),
        ("latents_values", np.zeros(144)),
    ],
)
def test_arrays_of_another_layout_are_refused(tmp_path, arrays, key, changed):
    arrays[key] = np.asarray(changed)
    np.savez_compressed(tmp_path / "dsprites.npz", **arrays)
    imgs, classes, values = (arrays[key] for key in ("imgs", "latents_classes", "latents_values"))
    text = (
        "load_dsprites needs imgs of shape (n, height, width) and uint8, in C order, and latents "
        f"of shape (n, 6), the classes integers. Got imgs {imgs.shape} of {imgs.dtype}, "
        f"latents_classes {classes.shape} of {classes.dtype} and latents_values {values.shape} "
        "instead. Give the official .npz file of dSprites."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(tmp_path / "dsprites.npz")


def test_a_missing_file_and_a_memmap_of_another_kind_are_named(path, tmp_path):
    missing = str(tmp_path / "missing.npz")
    text = (
        f"load_dsprites needs the file of the images. Got {missing!r} instead, which is none. Get "
        "it from github.com/google-deepmind/dsprites-dataset."
    )
    with pytest.raises(FileNotFoundError, match=exactly(text)):
        load_dsprites(missing)
    text = (
        "load_dsprites needs a memmap of None or the path of a file in a folder that exists. Got "
        "True instead. Make the folder, or give another path."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_dsprites(path, memmap=True)
