"""Images that were made to do harm, or are merely odd, end in pixels or a sentence, and soon."""

import os
import socket
import warnings

import numpy as np
import pytest
from image_files import pixels, save
from named_pipes import has_pipes
from PIL import Image
from sentences import exactly

from skvae.datasets import load_images

KINDS = "JPEG, PNG, WebP, BMP or TIFF images"
LOST = "missing, corrupt, of another kind or smaller than the crop"


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "images" / "good.png", pixels(8, 8, 3))
    return tmp_path / "images"


def only_the_good(folder, *names):
    text = (
        f"load_images needs files that are {KINDS}. Got {len(names)} of {len(names) + 1} that are "
        f"{LOST} instead: {', '.join(names)}. They have no row; mend or remove them."
    )
    with pytest.warns(UserWarning, match=exactly(text)):
        assert load_images(folder, (8, 8, 3)).filenames.tolist() == ["good.png"]


@has_pipes
def test_pipes_sockets_and_devices_are_no_images_and_nobody_waits_for_them(folder):
    os.mkfifo(folder / "pipe.png")
    server = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    os.chdir(folder)  # the path of a socket is short
    try:
        server.bind("socket.png")
    finally:
        os.chdir(before)
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "nothing.png").symlink_to(folder / "missing")
    with server:
        only_the_good(folder, "nothing.png", "pipe.png", "socket.png", "zero.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_small_file_of_too_many_pixels_is_not_unpacked(folder):
    Image.new("1", (10_000, 10_000)).save(folder / "big.png")
    assert (folder / "big.png").stat().st_size < 20_000
    only_the_good(folder, "big.png")


@pytest.mark.parametrize("suffix", ["webp", "bmp", "tif", "tiff", "BMP"])
@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3), (6, 5, 4)])
def test_further_formats_give_their_pixels_bit_by_bit(tmp_path, suffix, shape):
    image = pixels(*shape)
    if shape[-1] == 4:
        image[..., 3] = 255  # BMP may drop an alpha
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    save(tmp_path / f"image.{suffix}", image, **options)
    read = load_images(tmp_path, (*shape, 1)[:3], on_error="raise").data
    np.testing.assert_array_equal(read, image.reshape(1, -1))


def test_the_high_byte_is_kept_of_a_tiff_of_16_bits(tmp_path):
    deep = np.random.RandomState(0).randint(0, 2**16, (6, 5)).astype(np.uint16)
    save(tmp_path / "deep.tif", deep)
    read = load_images(tmp_path, (6, 5, 1), on_error="raise").data
    np.testing.assert_array_equal(read, (deep >> 8).reshape(1, -1))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_tiff_of_32_bits_has_no_black_and_white(folder, dtype):
    save(folder / "deep.tif", np.full((8, 8), 0.5).astype(dtype))
    only_the_good(folder, "deep.tif")


def test_of_several_images_in_a_file_the_first_is_taken(tmp_path):
    first, second = Image.fromarray(pixels(6, 5, 3)), Image.new("RGB", (5, 6))
    first.save(tmp_path / "two.tif", save_all=True, append_images=[second])
    read = load_images(tmp_path, (6, 5, 3), on_error="raise").data
    np.testing.assert_array_equal(read, pixels(6, 5, 3).reshape(1, -1))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif"])
def test_damaged_images_are_read_or_named(tmp_path, suffix):
    save(tmp_path / "good.png", pixels(16, 16, 3))
    save(tmp_path / f"x.{suffix}", pixels(16, 16, 3))
    whole = (tmp_path / f"x.{suffix}").read_bytes()
    rng = np.random.RandomState(0)
    for _ in range(40):
        broken = bytearray(whole[: rng.randint(1, len(whole) + 1)])
        for _ in range(rng.randint(4)):
            broken[rng.randint(len(broken))] = rng.randint(256)
        (tmp_path / f"x.{suffix}").write_bytes(broken)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = load_images(tmp_path, (8, 8, 3)).data
        named = [f"instead: x.{suffix}. They" in str(warning.message) for warning in caught]
        assert len(data) == 2 or any(named)
