"""Images with known factors of variation, drawn or read from a file."""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

import numpy as np

from skvae.datasets import make_sprites

__all__ = ["Images", "load"]


@dataclass(frozen=True)
class Images:
    """Images as flat rows of bytes, with their scale and their factors.

    Bytes times ``input_scale`` are in [0, 1].
    """

    name: str
    image_shape: tuple
    X: np.ndarray
    input_scale: float
    factors: np.ndarray  # levels counted from 0, (n_images, n_factors)
    factor_names: tuple
    nominal: tuple  # indices of the factors whose levels have no order

    @property
    def digest(self):
        """A hash of the images and of their factors. Other data have another hash."""
        digest = sha1(repr((self.image_shape, self.factor_names)).encode())
        digest.update(np.ascontiguousarray(self.X))
        digest.update(np.ascontiguousarray(self.factors))
        return digest.hexdigest()[:8]


def load(source, nominal=("shape",)):
    """Return the images of "sprites" or "npz:PATH". ``nominal`` names factors without an order."""
    kind, _, path = source.partition(":")
    if kind not in READERS:
        raise SystemExit(f"--data must be sprites or npz:PATH. Got {source} instead.")
    name, X, factors, names = READERS[kind](Path(path))
    if X.dtype != np.uint8 or X.ndim not in (3, 4):
        raise SystemExit(
            f"--data needs X of uint8, (n, height, width) or (n, height, width, channels). "
            f"Got {X.dtype}, {X.shape} instead."
        )
    # Factors with only one level are left out. Levels are counted from 0.
    levels = [np.unique(factor, return_inverse=True) for factor in np.transpose(factors)]
    varying = [k for k, (values, _) in enumerate(levels) if len(values) > 1]
    names = tuple(str(names[k]) for k in varying)
    return Images(
        name=name,
        image_shape=(*X.shape[1:], 1)[:3],
        X=X.reshape(len(X), -1),
        input_scale=1 / int(X.max()),
        factors=np.stack([levels[k][1] for k in varying], 1),
        factor_names=names,
        nominal=tuple(place for place, factor in enumerate(names) if factor in nominal),
    )


def _read_npz(path):
    """Return the images of a file with the keys X, factors and factor_names."""
    with np.load(path) as content:
        missing = {"X", "factors", "factor_names"} - set(content)
        if missing:
            raise SystemExit(f"{path} must have keys X, factors, factor_names. It lacks {missing}.")
        return path.stem, content["X"], content["factors"], content["factor_names"]


def _make_sprites(_):
    """Return all images of our sprites: 46,080 images of 64 x 64 pixels."""
    sprites = make_sprites(n_orientations=10, n_positions=16)
    return "sprites", sprites.images, sprites.factors, sprites.factor_names


READERS = {"npz": _read_npz, "sprites": _make_sprites}
