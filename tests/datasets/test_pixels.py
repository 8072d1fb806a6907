import struct
import zlib

import numpy as np
import pytest
from image_files import pixels, save
from PIL import Image

from skvae.datasets import load_images


def loaded(tmp_path, image, image_shape, *, suffix="png", crop=None, **parameters):
    """The pixels of one image after a way over the disk."""
    save(tmp_path / f"image.{suffix}", image, **parameters)
    images = load_images(tmp_path, image_shape, crop=crop, on_error="raise")
    assert images.filenames.tolist() == [f"image.{suffix}"]
    return images.data.reshape(images.image_shape)


def write_deep_png(path, array, colour_type):
    """Write 16-bit samples, which Pillow itself writes of grey images only."""
    height, width = array.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, data in [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]:
            checksum = struct.pack(">I", zlib.crc32(kind + data))
            file.write(struct.pack(">I", len(data)) + kind + data + checksum)


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 3), (12, 10, 4)])
def test_pixels_of_the_right_size_come_back_bit_by_bit_in_c_order(tmp_path, shape):
    image, image_shape = pixels(*shape), (*shape, 1)[:3]
    save(tmp_path / "image.png", image)
    images = load_images(tmp_path, list(image_shape))
    assert images.image_shape == image_shape
    assert images.data.dtype == np.uint8
    assert images.data.flags.c_contiguous
    np.testing.assert_array_equal(images.data, image.reshape(1, -1))


def test_a_jpeg_comes_back_within_its_compression(tmp_path):
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    image = loaded(tmp_path, ramp, (64, 64, 3), suffix="JPEG", quality=95)
    np.testing.assert_allclose(image, np.stack([ramp] * 3, axis=-1), atol=2)


@pytest.mark.parametrize("image_shape", [(8, 8, 3), (64, 48, 3)])
def test_a_constant_image_is_constant_at_every_size(tmp_path, image_shape):
    image = np.full((31, 17, 3), (7, 130, 255), dtype=np.uint8)
    expected = np.full(image_shape, (7, 130, 255), dtype=np.uint8)
    np.testing.assert_array_equal(loaded(tmp_path, image, image_shape), expected)


def test_a_smaller_ramp_has_the_values_at_the_new_centres(tmp_path):
    ramp = np.tile(np.arange(0, 192, 2, dtype=np.uint8), (48, 1))
    image = loaded(tmp_path, ramp, (16, 32, 1))[..., 0]
    centres = np.tile(2 * (3 * np.arange(32) + 1), (16, 1))
    np.testing.assert_allclose(image[:, 3:-3], centres[:, 3:-3], atol=1)


def test_stripes_finer_than_the_new_pixels_become_grey(tmp_path):
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 255
    image = loaded(tmp_path, stripes, (16, 16, 1))
    np.testing.assert_allclose(image[:, 2:-2], 127.5, atol=2)


def test_the_crop_comes_before_the_resize_and_nothing_outside_of_it_counts(tmp_path):
    image = pixels(20, 30, 3)
    box = image[4:16, 3:28]
    np.testing.assert_array_equal(loaded(tmp_path, image, (12, 25, 3), crop=(3, 4, 25, 12)), box)
    np.testing.assert_array_equal(
        loaded(tmp_path, image, (5, 6, 3), crop=(3, 4, 25, 12)), loaded(tmp_path, box, (5, 6, 3))
    )


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_images_are_turned_upright_before_the_crop(tmp_path, orientation, turns):
    stored = pixels(6, 9, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = np.rot90(stored, turns)
    height, width = upright.shape[:2]
    image = loaded(tmp_path, stored, upright.shape, exif=exif)
    np.testing.assert_array_equal(image, upright)
    crop = (1, 2, width - 1, height - 2)
    image = loaded(tmp_path, stored, (height - 2, width - 1, 3), crop=crop, exif=exif)
    np.testing.assert_array_equal(image, upright[2:, 1:])


# ------------------------------------------------------------------ modes


def test_grey_is_the_luma_and_grey_images_have_equal_colours(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    luma = 255 * np.array([[[0.299], [0.587], [0.114]]])
    np.testing.assert_allclose(loaded(tmp_path, colours, (1, 3, 1)), luma, atol=0.6)
    grey = pixels(5, 7)
    expected = np.stack([grey] * 3, axis=-1)
    np.testing.assert_array_equal(loaded(tmp_path, grey, (5, 7, 3)), expected)


@pytest.mark.parametrize("crop", [None, (1, 1, 3, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_pixels_lie_on_black(tmp_path, channels, crop):
    image = np.full((4, 5, 4), (200, 200, 200, 255), dtype=np.uint8)
    image[1, 1, 3], image[2, 2, 3] = 0, 51
    expected = np.full((4, 5, channels), 200)
    expected[1, 1], expected[2, 2] = 0, 40
    if crop is not None:
        expected = expected[1:3, 1:4]
    result = loaded(tmp_path, image, expected.shape, crop=crop)
    np.testing.assert_array_equal(result, expected)


def test_opaque_images_have_an_alpha_of_255_and_alpha_is_kept(tmp_path):
    image = pixels(4, 5, 3)
    result = loaded(tmp_path, image, (4, 5, 4))
    np.testing.assert_array_equal(result[..., :3], image)
    assert (result[..., 3] == 255).all()
    image = np.zeros((8, 8, 4), dtype=np.uint8)
    image[:4] = (250, 100, 50, 255)  # the colour of a transparent pixel does not bleed
    result = loaded(tmp_path, image, (4, 4, 4))
    seen = result[result[..., 3] > 127]
    np.testing.assert_allclose(seen[:, :3], np.tile([250, 100, 50], (len(seen), 1)), atol=5)


@pytest.mark.parametrize("crop", [None, (1, 0, 1, 1)])
def test_a_palette_gives_its_colours(tmp_path, crop):
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([0, 1])
    colours = np.array([[[10, 20, 30], [40, 50, 60]]])
    expected = colours if crop is None else colours[:, 1:]
    np.testing.assert_array_equal(loaded(tmp_path, palette, expected.shape, crop=crop), expected)
    expected[:, 0] *= crop is not None
    transparent = loaded(tmp_path, palette, expected.shape, crop=crop, transparency=0)
    np.testing.assert_array_equal(transparent, expected)


def test_one_bit_images_are_black_and_white(tmp_path):
    image = np.array([[True, False, True]])
    np.testing.assert_array_equal(loaded(tmp_path, image, (1, 3, 1))[..., 0], 255 * image)


@pytest.mark.parametrize(("channels", "white", "black"), [(1, 255, 0), (3, 255, 0), (4, 255, 0)])
def test_cmyk_becomes_rgb(tmp_path, channels, white, black):
    image = Image.new("CMYK", (16, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (8, 0, 16, 8))
    result = loaded(tmp_path, image, (8, 16, channels), suffix="jpg", quality=95)
    assert (result[:, :8] == white).all()
    assert (result[:, 8:, :3] == black).all()


@pytest.mark.parametrize(
    ("colour_type", "samples", "channels"), [(0, (), 1), (2, (3,), 3), (6, (4,), 4)]
)
def test_the_high_byte_is_kept_of_16_bits(tmp_path, colour_type, samples, channels):
    deep = np.random.RandomState(0).randint(0, 2**16, (6, 5, *samples), dtype=np.uint16)
    write_deep_png(tmp_path / "deep.png", deep, colour_type)
    images = load_images(tmp_path, (6, 5, channels))
    np.testing.assert_array_equal(images.data, (deep >> 8).reshape(1, -1))
