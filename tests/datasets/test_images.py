import shutil
import sys
import tracemalloc

import numpy as np
import pytest
from image_files import pixels, save
from sentences import exactly

from skvae.datasets import load_images


@pytest.fixture
def folder(tmp_path):
    """Ten images of random pixels, the sixth of which breaks off."""
    root = tmp_path / "images"
    for number in range(10):
        save(root / f"{number}.png", pixels(12, 10, 3, seed=number))
    whole = (root / "5.png").read_bytes()
    (root / "5.png").write_bytes(whole[: len(whole) // 2])
    return root


@pytest.fixture
def readable(folder):
    (folder / "5.png").unlink()
    return folder


def test_files_of_all_folders_come_sorted_by_path(tmp_path):
    for grey, name in enumerate(["b.png", "a/z.png", "C.PNG", "a/b/c.png", "a10.png", "a9.PnG"]):
        save(tmp_path / name, np.full((4, 4), 40 * grey, dtype=np.uint8))
    for name in [".hidden.png", ".hidden/a.png", "notes.txt", "png"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no image")
    images = load_images(tmp_path, (4, 4, 1))
    names = ["C.PNG", "a/b/c.png", "a/z.png", "a10.png", "a9.PnG", "b.png"]
    assert images.filenames.tolist() == names
    assert images.data[:, 0].tolist() == [80, 120, 40, 160, 200, 0]


# ------------------------------------------------------------------ files that cannot be read


@pytest.mark.parametrize("in_file", [False, True])
def test_a_corrupt_file_is_named_and_has_no_row(folder, tmp_path, in_file):
    memmap = tmp_path / "rows.npy" if in_file else None
    text = (
        "load_images needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 1 of 10 that are "
        "missing, corrupt, of another kind or smaller than the crop instead: 5.png. "
        "They have no row; mend or remove them."
    )
    with pytest.warns(UserWarning, match=exactly(text)) as caught:
        images = load_images(folder, (12, 10, 3), memmap=memmap)
    assert [warning.filename for warning in caught] == [__file__]
    good = [0, 1, 2, 3, 4, 6, 7, 8, 9]
    expected = np.stack([pixels(12, 10, 3, seed=number) for number in good]).reshape(9, -1)
    np.testing.assert_array_equal(images.data, expected)
    assert images.filenames.tolist() == [f"{number}.png" for number in good]


@pytest.mark.parametrize("junk", [b"", b"no image", b"GIF89a\1\0\1\0\0\0\0;", b"\xff\xd8\xff\xe0"])
def test_whatever_is_no_jpeg_or_png_is_corrupt(readable, junk):
    for number in range(6):
        (readable / f"0{number}.jpg").write_bytes(junk)
    text = (
        "load_images needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 6 of 15 that are "
        "missing, corrupt, of another kind or smaller than the crop instead: "
        "00.jpg, 01.jpg, 02.jpg, 03.jpg, 04.jpg, .... They have no row; mend or "
        "remove them."
    )
    with pytest.warns(UserWarning, match=exactly(text)):
        assert len(load_images(readable, (12, 10, 3)).data) == 9


@pytest.mark.parametrize("in_file", [False, True])
def test_a_corrupt_file_is_raised_when_asked_and_leaves_no_file(folder, tmp_path, in_file):
    memmap = tmp_path / "rows.npy" if in_file else None
    text = (
        "load_images needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 5.png instead, which is "
        "missing, corrupt or of another kind. Mend or remove it, or set on_error='warn'."
    )
    with pytest.raises(ValueError, match=exactly(text)) as caught:
        load_images(folder, (12, 10, 3), memmap=memmap, on_error="raise")
    assert isinstance(caught.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_of_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    (tmp_path / "b.png").write_text("no image")
    text = (
        "load_images needs files that are JPEG, PNG, WebP, BMP or TIFF images. "
        "Got 2 that are all "
        "missing, corrupt, of another kind or smaller than the crop instead, the first of them "
        "a.png. Get them again, or crop less."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(tmp_path, (8, 8, 3))


# ------------------------------------------------------------------ memory maps


def test_the_memory_map_is_the_array_bit_by_bit(readable, tmp_path):
    path = tmp_path / "rows.npy"
    path.write_text("what was here before")
    images = load_images(readable, (8, 9, 3), memmap=path)
    expected = load_images(readable, (8, 9, 3))
    assert isinstance(images.data, np.memmap)
    assert not images.data.flags.writeable
    assert images.data.shape == expected.data.shape == (9, 216)
    np.testing.assert_array_equal(images.data, expected.data)
    np.testing.assert_array_equal(np.load(path), expected.data)
    assert images.filenames.tolist() == expected.filenames.tolist()
    assert sorted(tmp_path.iterdir()) == [readable, path]


def test_a_load_that_fails_leaves_the_file_of_the_one_before(readable, tmp_path):
    path = tmp_path / "rows.npy"
    before = load_images(readable, (8, 9, 3), memmap=path).data.copy()
    with pytest.raises(ValueError, match="smaller than the crop"):
        load_images(readable, (8, 9, 3), memmap=path, crop=(0, 0, 12, 12))
    np.testing.assert_array_equal(np.load(path), before)
    assert sorted(tmp_path.iterdir()) == [readable, path]


def test_a_memory_map_takes_the_memory_of_a_few_images(tmp_path):
    save(tmp_path / "images" / "000.png", pixels(256, 256, 3), compress_level=0)
    for number in range(1, 300):
        shutil.copy(tmp_path / "images" / "000.png", tmp_path / "images" / f"{number:03}.png")
    tracemalloc.start()
    images = load_images(tmp_path / "images", (256, 256, 3), memmap=tmp_path / "rows.npy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert images.data.nbytes == 300 * 256 * 256 * 3  # 59 MB
    assert peak < 4e6


# ------------------------------------------------------------------ arguments


@pytest.mark.parametrize(
    "image_shape",
    [(64, 64), (64, 64, 2), (0, 64, 3), (64.0, 64, 3), (64, 64, True), 64, "RGB", None],
)
def test_an_image_shape_is_height_width_and_channels(readable, image_shape):
    text = (
        "load_images needs an image_shape of (height, width, channels) with 1, 3 or 4 channels. "
        f"Got {image_shape!r} instead. Give three such integers, as in (64, 64, 3)."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(readable, image_shape)


@pytest.mark.parametrize("crop", [(0, 0, 8), (-1, 0, 8, 8), (0, 0, 8, 0), (0, 0, 8.5, 8), "paper"])
def test_a_crop_is_four_integers(readable, crop):
    text = (
        "load_images needs a crop of (left, top, width, height) in pixels. "
        f"Got {crop!r} instead. Give four such integers, as in (0, 0, 64, 64), or None."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(readable, (8, 8, 3), crop=crop)


def test_an_image_smaller_than_the_crop_is_named(readable):
    save(readable / "wide.png", pixels(11, 20, 3))
    text = (
        "load_images needs images of at least 10 x 12 pixels (width x height) for "
        "crop=(2, 3, 8, 9). Got wide.png of 20 x 11 instead. Set a smaller crop, or remove the "
        "file."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(readable, (8, 8, 3), crop=(2, 3, 8, 9), on_error="raise")
    with pytest.warns(UserWarning, match="smaller than the crop instead: wide.png"):
        assert "wide.png" not in load_images(readable, (8, 8, 3), crop=(2, 3, 8, 9)).filenames


def test_on_error_is_one_of_two(readable):
    text = (
        "load_images needs an on_error of 'warn' or 'raise'. Got 'ignore' instead. Choose one of "
        "the two."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(readable, (8, 8, 3), on_error="ignore")


@pytest.mark.parametrize("memmap", [True, "", "missing/rows.npy", "."])
def test_a_memmap_is_the_path_of_a_file(readable, memmap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        "load_images needs a memmap of None or the path of a file in a folder that exists. "
        f"Got {memmap!r} instead. Make the folder, or give another path."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(readable, (8, 8, 3), memmap=memmap)


def test_a_missing_folder_and_an_empty_one_are_named(tmp_path):
    missing = str(tmp_path / "missing")
    text = (
        f"load_images needs a folder of images. Got {missing!r} instead, which is none. Give the "
        "path of one that exists."
    )
    with pytest.raises(FileNotFoundError, match=exactly(text)):
        load_images(missing, (8, 8, 3))
    text = (
        "load_images needs a folder with files of .jpg, .jpeg, .png, .webp, .bmp, .tif, .tiff. Got "
        f"{str(tmp_path)!r} instead, which has none. Give the folder that holds them."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        load_images(tmp_path, (8, 8, 3))


def test_without_pillow_a_sentence_names_the_extra(readable, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    text = (
        "Reading images needs Pillow. Got none that can be imported instead. Install it: "
        "pip install skvae[images]"
    )
    with pytest.raises(ImportError, match=exactly(text)):
        load_images(readable, (8, 8, 3))


def test_the_progress_bar_is_shown_when_asked(readable, capsys):
    load_images(readable, (8, 8, 3))
    assert capsys.readouterr() == ("", "")
    load_images(readable, (8, 8, 3), verbose=1)
    assert "9/9" in capsys.readouterr().err
