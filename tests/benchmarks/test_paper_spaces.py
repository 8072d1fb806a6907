import numpy as np
import pytest
from _paper_errors import N_GROUPS
from _paper_spaces import Balls, FeatureSpace, PixelSpace, frechet_distance
from _quality import mean_discrepancy, median_distance, noise_floor
from scipy.linalg import sqrtm


def test_the_distance_of_two_gaussians_is_that_of_their_closed_form():
    mean, shift = np.zeros(3), np.array([1.0, -2.0, 2.0])
    one, other = (mean, np.diag([1.0, 4.0, 9.0])), (shift, np.diag([4.0, 4.0, 1.0]))
    # The squared shift, and (1 - 2)^2 + (2 - 2)^2 + (3 - 1)^2.
    assert frechet_distance(one, other) == pytest.approx(9 + 5)
    assert frechet_distance((0.0, 4.0), (3.0, 1.0)) == pytest.approx(10)


def test_of_covariances_that_do_not_commute_it_is_that_of_a_matrix_root():
    rng = np.random.default_rng(0)
    one, other = (A @ A.T for A in rng.standard_normal((2, 5, 8)))
    expected = np.trace(one + other - 2 * sqrtm(one @ other).real)
    zero = np.zeros(5)
    assert frechet_distance((zero, one), (zero, other)) == pytest.approx(expected)
    assert frechet_distance((zero, other), (zero, one)) == pytest.approx(expected)
    assert frechet_distance((zero, one), (zero, one)) == pytest.approx(0, abs=1e-9)


def test_covariances_need_not_have_full_rank():
    direction = np.array([[1.0, 0.0]])
    line = direction.T @ direction
    zero = np.zeros(2)
    assert frechet_distance((zero, line), (zero, np.zeros((2, 2)))) == pytest.approx(1)


def test_real_rows_are_in_their_balls_and_far_ones_in_none():
    rows = np.random.default_rng(0).standard_normal((60, 3))
    balls = Balls(rows)
    assert balls.of(rows) == (1, 1)
    assert balls.of(rows + 1_000) == (0, 0)


def test_samples_of_one_mode_of_two_are_precise_and_cover_half():
    rows = np.random.default_rng(0).standard_normal((60, 3))
    balls = Balls(np.concatenate([rows, rows + 1_000]))
    assert balls.of(rows) == (1, 0.5)


def test_pixels_have_the_discrepancy_of_two_samples():
    pixels, samples = np.random.default_rng(0).random((2, 40, 12))
    space = PixelSpace(pixels)
    bandwidth = median_distance(pixels)
    row = space.compared(2 * samples)(None)
    assert row["mmd"] == pytest.approx(mean_discrepancy(2 * samples, pixels, bandwidth))
    assert row["spread"] == pytest.approx(4 * samples.var(0).sum() / pixels.var(0).sum())
    assert (row["precision"], row["coverage"]) == Balls(pixels).of(2 * samples)
    assert space.floor == noise_floor(pixels, bandwidth) / np.sqrt(2)
    others = np.arange(40) % N_GROUPS != 2
    fewer = mean_discrepancy(2 * samples[others], pixels[others], bandwidth)
    assert space.compared(2 * samples)(2)["mmd"] == pytest.approx(fewer)


class Linear:
    def __init__(self, mixing):
        self.mixing = np.asarray(mixing)

    def features(self, pixels):
        return pixels @ self.mixing


def test_held_out_images_are_at_no_distance_from_themselves():
    pixels = np.random.default_rng(0).standard_normal((400, 2))
    space = FeatureSpace(Linear([[1.0, 0.5], [0.0, 2.0]]), pixels)
    itself = {"frechet": 0, "feature_precision": 1, "feature_coverage": 1}
    assert space.compared(pixels)(None) == pytest.approx(itself, abs=1e-9)
    # A shift of every image moves the mean of the features alone.
    moved = space.compared(pixels + np.array([0.0, 3.0]))
    assert moved(None)["frechet"] == pytest.approx(36)
    assert moved(5)["frechet"] == pytest.approx(36)


def test_the_floor_is_what_as_many_rows_of_the_same_distribution_are_at():
    rng = np.random.default_rng(0)
    mixing = np.eye(12) + 0.2 * rng.standard_normal((12, 12))
    shift = mixing[0]
    floors, distances, shifted = [], [], []
    for _ in range(20):
        pixels, samples = rng.standard_normal((2, 600, 12))
        space = FeatureSpace(Linear(mixing), pixels)
        floors.append(space.floor)
        distances.append(space.compared(samples)(None)["frechet"])
        samples[:, 0] += 1
        shifted.append(space.compared(samples)(None)["frechet"])
    # Four standard errors of the means of twenty.
    errors = [4 * np.std(of, ddof=1) / np.sqrt(20) for of in (distances, shifted)]
    assert errors[0] < 0.2 * np.mean(distances)
    assert np.mean(floors) == pytest.approx(np.mean(distances), abs=errors[0])
    # Of a known shift the distance is its square, and the floor on top.
    assert np.mean(shifted) == pytest.approx(shift @ shift + np.mean(floors), abs=errors[1])
