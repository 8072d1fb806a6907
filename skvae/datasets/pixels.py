"""An image file becomes one row of pixels. The only module that knows Pillow."""

import os

import numpy as np

__all__ = ["KINDS", "MODES", "import_pillow", "open_upright", "pixel_row"]

MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by number of channels
# Whatever the file's name says, nothing else is decoded.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
KINDS = "JPEG, PNG, WebP, BMP or TIFF images"  # the same, in a sentence
# Of one image: beyond, Pillow itself warns of files that unpack to more than a memory holds.
MOST_PIXELS = 89_478_485


def import_pillow():
    """Return Pillow's modules Image and ImageOps, or raise a sentence."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError(
            "Reading images needs Pillow. Got none that can be imported instead. Install it: "
            "pip install skvae[images]"
        ) from error
    return Image, ImageOps


def open_upright(path):
    """Return the decoded image of a file, turned as its EXIF orientation says.

    Parameters
    ----------
    path : str or path-like
        A file of one of the formats above; of several images in it the first is taken.

    Returns
    -------
    PIL.Image.Image
        In memory; the file is closed.

    Raises
    ------
    Exception
        Of nearly any class, by Pillow, if the file is missing or corrupt; a ValueError if it is no
        plain file, has too many pixels, or pixels that 8 bits cannot stand for.
    """
    Image, ImageOps = import_pillow()
    if not os.path.isfile(path):  # to open a pipe is to wait for its writer
        raise ValueError("no plain file")
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"more than {MOST_PIXELS} pixels")
        if image.format == "TIFF" and image.mode in ("I", "F"):
            raise ValueError("pixels of 32 bits, whose black and white nobody knows")
        ImageOps.exif_transpose(image, in_place=True)
    return image


def pixel_row(image, image_shape, crop=None):
    """Return an image's pixels as bytes: cropped, converted, resized, in this order.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode that these formats have.
    image_shape : (height, width, channels)
        Of the result.
    crop : (left, top, width, height), default=None
        A box inside of the image.

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
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow's own conversion may clip
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if mode != "RGBA" and image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return image if image.mode == mode else image.convert(mode)
