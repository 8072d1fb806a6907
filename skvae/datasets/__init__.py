"""Data sets: made from known factors, or read from disk. Nothing is ever downloaded."""

from skvae.datasets.celeba import load_celeba
from skvae.datasets.dsprites import load_dsprites
from skvae.datasets.factor_images import load_factor_images
from skvae.datasets.images import load_images
from skvae.datasets.linear_gaussian import make_linear_gaussian
from skvae.datasets.sprites import make_sprites
from skvae.datasets.xy_squares import make_xy_squares

__all__ = [
    "load_celeba",
    "load_dsprites",
    "load_factor_images",
    "load_images",
    "make_linear_gaussian",
    "make_sprites",
    "make_xy_squares",
]
