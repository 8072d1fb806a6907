"""The plane of two dimensions of a code."""

import numpy as np

__all__ = ["plane_of", "two_dimensions"]

QUANTILES = (0.01, 0.99)  # of the codes, which the plane reaches


def two_dimensions(dimensions, n_components):
    """Return two different dimensions of the codes."""
    chosen = () if dimensions is None else tuple(int(dimension) for dimension in dimensions)
    if len(set(chosen)) != 2 or not all(0 <= dimension < n_components for dimension in chosen):
        raise ValueError(
            f"LatentSpaceDisplay needs two different dimensions of the codes, which have "
            f"{n_components}. Got dimensions={dimensions} instead. Count them from 0."
        )
    return chosen


def plane_of(codes, dimensions, n_steps):
    """Return the values of two dimensions, and codes at all of their pairs, at the mean else."""
    ends = np.quantile(codes[:, dimensions], QUANTILES, axis=0)
    grid = tuple(np.linspace(low, high, n_steps) for low, high in ends.T)
    plane = np.tile(codes.mean(axis=0), (n_steps, n_steps, 1))
    plane[..., dimensions[0]], plane[..., dimensions[1]] = np.meshgrid(*grid)
    return grid, plane
