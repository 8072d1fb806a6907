import numpy as np
import pytest

from skvae.base.interpolation import PATHS


def test_a_sphere_turns_and_lengthens_at_constant_rates():
    z0, z1 = np.array([3.0, 0.0]), np.array([0.0, 5.0])
    codes = PATHS["sphere"](z0, z1, np.array([[0.0], [1 / 3], [2 / 3], [1.0]]))
    angles = np.radians([0, 30, 60, 90])[:, None]
    expected = np.hstack((np.cos(angles), np.sin(angles))) * [[3], [11 / 3], [13 / 3], [5]]
    np.testing.assert_allclose(codes, expected, atol=1e-12)


@pytest.mark.parametrize("aside", [0.0, 1e-9, 1e-5])
def test_a_sphere_between_parallel_codes_is_the_line(aside):
    t = np.linspace(0, 1, 4)[:, None]
    z0, z1 = np.array([1.0, 2.0]), np.array([2.0 - aside, 4.0])
    np.testing.assert_allclose(PATHS["sphere"](z0, z1, t), PATHS["line"](z0, z1, t), rtol=1e-9)


@pytest.mark.parametrize("z1", [[-1.0, -2.0], [0.0, 0.0]])
def test_a_sphere_has_no_way_between_opposite_codes(z1):
    with pytest.raises(ValueError, match=r"neither zero nor opposite.*Use path='line'\.$"):
        PATHS["sphere"](np.array([1.0, 2.0]), np.array(z1), np.linspace(0, 1, 3)[:, None])
