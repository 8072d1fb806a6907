"""Image files of known pixels."""

import numpy as np
from PIL import Image


def pixels(*shape, seed=0):
    """Random uint8."""
    return np.random.RandomState(seed).randint(0, 256, shape, dtype=np.uint8)


def save(path, image, **parameters):
    """Write an array or a Pillow image, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, **parameters)
