"""Images whose pixels are their factors, and a decoder and a judge that have nothing to learn."""

import numpy as np
from _paper_data import Images

N_LEVELS = 4
STEP = 60  # of a pixel, for one level
SIDE = 16


class Decoder:
    """Its codes are a linear map of levels, (n_components, n_factors); pixels are levels."""

    def __init__(self, mixing):
        self.mixing = np.asarray(mixing, dtype=float)

    def transform(self, factors):
        return factors @ self.mixing.T

    def inverse_transform(self, codes):
        return STEP * (codes @ np.linalg.pinv(self.mixing).T)


class Judge:
    """Reads the level next to each pixel, and is sure of it."""

    def __init__(self, n_factors):
        self.factor_names = names(n_factors)

    def probabilities(self, pixels):
        levels = np.clip(np.rint(255 / STEP * pixels), 0, N_LEVELS - 1).astype(int)
        return list(np.eye(N_LEVELS)[levels].transpose(1, 0, 2))

    def grouped(self, factors):
        return factors


def names(n_factors):
    return ("hair", "skin", "tilt", "mouth")[:n_factors]


def grid(n_factors):
    """Return every combination of levels once."""
    axes = [np.arange(N_LEVELS)] * n_factors
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, n_factors)


def images_of(factors_train, factors_test):
    """Return images of 1 x n_factors pixels; the first factor is hair, and level 0 of it none."""
    n_factors = factors_train.shape[1]
    levels = (("none", "bob", "bun", "fro"), *[tuple(range(N_LEVELS))] * (n_factors - 1))
    pixels = [(STEP * factors).astype(np.uint8) for factors in (factors_train, factors_test)]
    return Images(
        "made-up",
        (1, n_factors, 1),
        *pixels,
        [],
        factor_names=names(n_factors),
        factor_levels=levels,
        factors_train=factors_train,
        factors_test=factors_test,
    )


def pictures(n_images, seed):
    """Return images with one bright quarter of four on one of ten greys, and these factors."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(0, 4, n_images), rng.integers(0, 10, n_images)], axis=1)
    X = np.repeat(10 * factors[:, 1], SIDE**2).reshape(n_images, 2, SIDE // 2, 2, SIDE // 2)
    top, left = np.divmod(factors[:, 0], 2)
    X[np.arange(n_images), top, :, left] += 100
    return X.reshape(n_images, -1).astype(np.uint8), factors


def quarters():
    """Return such images; the first quarter has the name of a bald head."""
    (train, factors_train), (test, factors_test) = pictures(400, 0), pictures(100, 1)
    return Images(
        "quarters",
        (SIDE, SIDE, 1),
        train,
        test,
        ["hair=none"],
        factors_train[:, :1] == 0,
        factors_test[:, :1] == 0,
        factor_names=("hair", "grey"),
        factor_levels=(("none", "bob", "bun", "fro"), tuple(range(0, 100, 10))),
        factors_train=factors_train,
        factors_test=factors_test,
    )
