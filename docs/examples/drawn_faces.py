"""Faces drawn by a few lines of NumPy from known factors: the images of the gallery."""

import numpy as np

# Red, green and blue, each from 0 to 1; one colour for each level of a factor.
SKINS = np.float32([[0.97, 0.84, 0.72], [0.88, 0.67, 0.49], [0.65, 0.44, 0.29], [0.38, 0.25, 0.18]])
HAIRS = np.float32([[0.12, 0.1, 0.1], [0.43, 0.25, 0.12], [0.88, 0.7, 0.31], [0.75, 0.27, 0.16]])
SKIES = np.float32([[0.59, 0.78, 0.9], [0.94, 0.86, 0.63], [0.75, 0.88, 0.71], [0.88, 0.75, 0.86]])
BLACK, EYES, LIPS = np.float32([[0, 0, 0], [0.1, 0.1, 0.2], [0.75, 0.2, 0.25]])
LEVELS = {"background": 4, "skin": 4, "hair colour": 4, "hair": 3, "glasses": 2, "beard": 2}


def draw_faces(n_faces, size=32, seed=0):
    """Return faces as rows, and for each face the level of every factor in ``LEVELS``.

    Returns
    -------
    X : ndarray of shape (n_faces, size * size * 3)
        Red, green and blue of every pixel, in [0, 1].
    factors : ndarray of int of shape (n_faces, 6)
    """
    rng = np.random.RandomState(seed)
    factors = np.column_stack([rng.randint(n_levels, size=n_faces) for n_levels in LEVELS.values()])
    sky, skin, hair_colour, hair, glasses, beard = factors.T[:, :, None, None]
    hair, glasses, beard = np.float32([hair, glasses, beard])
    smile, shift = rng.uniform(-1, 1, (2, n_faces, 1, 1)).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    x = x - 0.1 * shift
    images = np.zeros((n_faces, size, size, 3), dtype=np.float32)

    def disc(across, down, width, height):
        """Return an ellipse: 1 inside, 0 outside, with an edge that is one pixel wide."""
        inside = 1 - np.hypot((x - across) / width, (y - down) / height)
        return np.clip(inside * size / 2 * np.minimum(width, height) + 0.5, 0, 1)

    def paint(mask, colours):
        images[:] += mask[..., None] * (colours - images)

    hair_colours = HAIRS[hair_colour]
    paint(np.ones_like(x), SKIES[sky])
    paint(disc(0, 0.1 * hair - 0.15, 0.66, 0.62 + 0.15 * hair) * (hair > 0), hair_colours)
    paint(disc(0, 0.15, 0.52, 0.68), SKINS[skin])
    paint(disc(0, 0.62, 0.4, 0.3) * (y > 0.4) * beard, hair_colours)
    for side in (-0.22, 0.22):
        ring = disc(side, 0.05, 0.21, 0.21) - disc(side, 0.05, 0.15, 0.15)
        paint(ring * glasses, BLACK)
        paint(disc(side, 0.05, 0.08, 0.08), EYES)
    paint(disc(0, 0.45, 0.24, 0.12 + 0.07 * smile) * (y > 0.45), LIPS)
    return images.reshape(n_faces, -1), factors
