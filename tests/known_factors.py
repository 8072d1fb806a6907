"""Factors, and codes of them whose scores are known."""

import numpy as np
from hypothesis import strategies as st

SIZES = (3, 6, 40, 32, 32)  # of dSprites: shape, scale, orientation, x, y


def sampled_factors(n_samples, sizes=SIZES, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(size, size=n_samples) for size in sizes], axis=1)


def noise(n_samples, n_components, seed=1):
    return np.random.default_rng(seed).standard_normal((n_samples, n_components))


def rotation(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def with_last_two_turned(factors, angle):
    """Return standardised factors, the last two of which are rotated into one another."""
    codes = (factors - factors.mean(0)) / factors.std(0)
    codes[:, -2:] = codes[:, -2:] @ rotation(angle).T
    return codes


@st.composite
def relabellings(draw, n_components):
    """Draw an order of the codes, and a factor and a shift for each that floats hold exactly."""
    order = draw(st.permutations(range(n_components)))
    each = {"min_size": n_components, "max_size": n_components}
    exponents = draw(st.lists(st.integers(-6, 6), **each))
    signs = draw(st.lists(st.sampled_from([-1.0, 1.0]), **each))
    return np.array(order), np.array(signs) * 2.0 ** np.array(exponents)
