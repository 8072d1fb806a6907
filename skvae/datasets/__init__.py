"""Data to train on: images read from disk. Nothing is ever downloaded."""

from skvae.datasets.celeba import load_celeba
from skvae.datasets.dsprites import load_dsprites
from skvae.datasets.images import load_images

__all__ = ["load_celeba", "load_dsprites", "load_images"]
