"""Turn an image file into one row of pixels. This is the only module that imports Pillow."""

import os

import numpy as np

__all__ = ["KINDS", "MODES", "import_pillow", "open_upright", "pixel_row"]

MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by number of channels
# No other formats are decoded, whatever a file's name says.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
KINDS = "JPEG, PNG, WebP, BMP or TIFF images"  # the same list for messages
# The limit above which Pillow warns that an image might fill the memory.
MOST_PIXELS = 89_478_485


def import_pillow():
    """Return Pillow's modules Image and ImageOps, or raise an error with the remedy."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError(
            "Reading images needs Pillow. Got none that can be imported instead. Install it: "
            "pip install skvae[images]"
        ) from error
    return Image, ImageOps


def open_upright(path):
    """Return the decoded image of a file, rotated upright by its EXIF orientation.

    Parameters
    ----------
    path : str or path-like
        A file in one of the formats above. If it has several images, the first one is used.

    Returns
    -------
    PIL.Image.Image
        The image in memory; the file is closed.

    Raises
    ------
    Exception
        Pillow can raise almost any class if the file is missing or corrupt. It is a ValueError if
        the path is not a regular file, or the image has too many pixels or cannot have 8 bits.
    """
    Image, ImageOps = import_pillow()
    if not os.path.isfile(path):  # opening a pipe would wait for another process
        raise ValueError("no plain file")
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"more than {MOST_PIXELS} pixels")
        if image.format == "TIFF" and image.mode in ("I", "F"):
            raise ValueError("pixels of 32 bits, whose black and white nobody knows")
        ImageOps.exif_transpose(image, in_place=True)
    return image


def pixel_row(image, image_shape, crop=None):
    """Return the pixels of an image as bytes, after cropping, conversion and resizing.

    Parameters
    ----------
    image : PIL.Image.Image
        In any mode of these formats.
    image_shape : (height, width, channels)
        Shape of the result.
    crop : (left, top, width, height), default=None
        A box within the image.

    Returns
    -------
    bytes of length height * width * channels
        In C order.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvae.datasets.pixels import pixel_row
    >>> list(pixel_row(Image.new("RGB", (8, 6), (10, 20, 30)), (1, 2, 3)))
    [10, 20, 30, 10, 20, 30]
    """
    Image, _ = import_pillow()
    height, width, channels = image_shape
    if crop is not None:
        left, top, crop_width, crop_height = crop
        image = image.crop((left, top, left + crop_width, top + crop_height))
    image = _in_mode(image, MODES[channels])
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    return image.tobytes()


def _in_mode(image, mode):
    Image, _ = import_pillow()
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow's conversion may clip
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image if image.mode == mode else image.convert(mode)
