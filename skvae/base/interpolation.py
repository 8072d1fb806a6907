"""Paths through the latent space from one code to another."""

import numpy as np

__all__ = ["PATHS"]

LEAST_COSINE = -0.9999  # two codes with a smaller cosine count as opposite
SMALL_ANGLE = 1e-3  # for smaller angles, sphere and line are equal up to rounding


def _line(z0, z1, t):
    return (1 - t) * z0 + t * z1


def _sphere(z0, z1, t):
    """Turn the direction at a constant rate, and change the norm linearly."""
    norms = np.linalg.norm(z0), np.linalg.norm(z1)
    cosine = z0 @ z1 / max(norms[0] * norms[1], np.finfo(z0.dtype).tiny)
    if min(norms) == 0 or cosine < LEAST_COSINE:
        raise ValueError(
            "path='sphere' needs two codes that are neither zero nor opposite, since otherwise the "
            "path is not unique. Got such codes instead. Use path='line'."
        )
    angle = np.arccos(min(cosine, 1.0))
    if angle < SMALL_ANGLE:
        return _line(z0, z1, t)
    directions = np.sin((1 - t) * angle) * z0 / norms[0] + np.sin(t * angle) * z1 / norms[1]
    return directions / np.sin(angle) * _line(*norms, t)


PATHS = {"line": _line, "sphere": _sphere}
