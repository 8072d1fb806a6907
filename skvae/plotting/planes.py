"""Codes that move along one latent dimension, or over a grid of two."""

import numpy as np
from scipy.stats import norm

__all__ = ["moved_codes", "plane_of", "two_dimensions"]

QUANTILES = (0.01, 0.99)  # of the codes: the ends of the grid


def two_dimensions(dimensions, n_components):
    """Return the two dimensions as int, or raise if they are not two different ones."""
    chosen = () if dimensions is None else tuple(int(dimension) for dimension in dimensions)
    if len(set(chosen)) != 2 or not all(0 <= dimension < n_components for dimension in chosen):
        raise ValueError(
            f"LatentSpaceDisplay needs two different dimensions of the codes, which have "
            f"{n_components}. Got dimensions={dimensions} instead. Count them from 0."
        )
    return chosen


def plane_of(codes, dimensions, n_steps):
    """Return the values of two dimensions, and codes at all pairs of them; else mean codes."""
    ends = np.quantile(codes[:, dimensions], QUANTILES, axis=0)
    grid = tuple(np.linspace(low, high, n_steps) for low, high in ends.T)
    plane = np.tile(codes.mean(axis=0), (n_steps, n_steps, 1))
    plane[..., dimensions[0]], plane[..., dimensions[1]] = np.meshgrid(*grid)
    return grid, plane


def moved_codes(codes, centre, dimensions, n_steps, spread, quantiles):
    """Return codes at ``centre`` with one dimension moved, (n_dimensions, n_steps, n_codes)."""
    moved = np.empty((len(dimensions), n_steps, codes.shape[1]), dtype=codes.dtype)
    moved[:] = centre
    for place, dimension in enumerate(dimensions):
        if spread == "prior":
            ends = norm.ppf(quantiles)
        else:
            ends = np.quantile(codes[:, dimension], quantiles)
        moved[place, :, dimension] = np.linspace(*ends, n_steps)
    return moved
