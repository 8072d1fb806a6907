import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from scipy.spatial.distance import pdist

from skvae.plotting.colours import group_colours, perceived


def test_colours_are_seen_as_published():
    # Ottosson (2020), and the table of CSS Color 4 for the primaries.
    expected = [
        [1.0, 0.0, 0.0],
        [0.62796, 0.22486, 0.12585],
        [0.86644, -0.23389, 0.17950],
        [0.45201, -0.03246, -0.31153],
    ]
    colours = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(perceived(colours), expected, atol=2e-5)


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot"])
def test_colours_that_are_added_are_no_nearer_than_those_of_the_style(style):
    with plt.style.context(style):
        cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    first = [to_rgb(colour) for colour in cycle]
    colours = group_colours(30, first)
    np.testing.assert_array_equal(colours[: len(first)], first)
    nearest = pdist(perceived(first)).min()
    assert pdist(perceived(colours)).min() == pytest.approx(nearest)


def test_few_groups_have_the_colours_of_the_style_alone():
    np.testing.assert_array_equal(group_colours(1, np.eye(3)), [[1, 0, 0]])
    assert group_colours(3, np.eye(3)).shape == (3, 3)
