import re

import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, rotation, sampled_factors, with_last_two_turned

from skvae.metrics import sap_score

GRID = np.indices((3, 4, 5)).reshape(3, -1).T
SHAPES = np.tile(GRID, (10, 1))


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_perfect_code_has_score_1(order):
    details = sap_score(GRID, GRID[:, order] * [1.0, -2.0, 0.1], details=True)
    np.testing.assert_allclose(details.per_factor, 1, atol=1e-12)
    assert details.score == details.per_factor.mean()
    np.testing.assert_allclose(details.predictability, np.eye(3)[order], atol=1e-12)


def test_a_code_held_twice_has_score_0_exactly():
    codes = np.hstack([SHAPES, SHAPES])
    assert sap_score(SHAPES, codes) == 0
    assert sap_score(SHAPES, codes, nominal=[0, 1, 2], random_state=0) == 0


def test_a_dropped_factor_has_score_0_and_the_others_1():
    details = sap_score(GRID, GRID[:, 1:], details=True)
    np.testing.assert_allclose(details.per_factor, [0, 1, 1], atol=1e-12)


@pytest.mark.parametrize("degrees", [0, 5, 10, 22.5, 45, 80])
def test_two_factors_turned_have_the_cosine_of_twice_the_angle(degrees):
    factors = np.indices((6, 6)).reshape(2, -1).T
    angle = np.deg2rad(degrees)
    score = sap_score(factors, factors @ rotation(angle).T)
    assert score == pytest.approx(abs(np.cos(2 * angle)), abs=1e-12)


def test_correlations_are_those_of_numpy_whatever_the_factor_means():
    factors, codes = noise(200, 2), noise(200, 3, seed=2) + 100.0
    predictability = sap_score(factors, codes, details=True).predictability
    expected = np.corrcoef(codes.T, factors.T)[:3, 3:] ** 2
    np.testing.assert_allclose(predictability, expected, rtol=1e-9)


@pytest.mark.parametrize("n_levels", [2, 3, 10])
def test_a_nominal_factor_is_told_by_its_code_and_guessed_by_another(n_levels):
    # Levels in no order of their code, which intervals of it can tell all the same.
    factors = np.tile(np.indices((n_levels, 4)).reshape(2, -1).T, (30, 1))
    place = np.random.default_rng(0).permutation(n_levels)[factors[:, 0]]
    codes = np.c_[place, factors[:, 1]]
    details = sap_score(factors, codes, nominal=[0], details=True, random_state=0)
    assert details.predictability[0, 0] == 1
    assert details.predictability[1, 0] == pytest.approx(1 / n_levels, abs=0.1)


def test_balanced_accuracy_counts_levels_and_not_rows():
    levels = np.repeat([0, 1], [900, 100])[:, None]
    constant = sap_score(levels, np.ones((1000, 1)), nominal=[0], details=True, random_state=0)
    assert constant.predictability.item() == 0.5


def test_noise_and_constant_codes_have_score_0():
    factors = sampled_factors(20_000)
    assert sap_score(factors, noise(20_000, 5), nominal=[0], random_state=0) < 0.01
    codes = np.full((len(SHAPES), 2), 0.1)
    assert sap_score(SHAPES, codes) == 0
    assert sap_score(SHAPES, codes, nominal=[0, 1, 2], random_state=0) == 0


def test_one_code_has_a_second_of_score_0():
    details = sap_score(GRID, GRID[:, :1], details=True)
    np.testing.assert_allclose(details.per_factor, [1, 0, 0], atol=1e-12)


def test_the_other_flavor_cannot_single_out_a_level_between_two_others():
    factors = sampled_factors(3000, (3, 6, 10))
    options = {"details": True, "random_state": 0}
    theirs = sap_score(factors, factors, flavor="disentanglement_lib", **options)
    ours = sap_score(factors, factors, nominal=[0, 1, 2], **options)
    np.testing.assert_array_equal(np.diag(ours.predictability), 1)
    assert np.diag(theirs.predictability)[2] < 0.5
    assert theirs.score < 0.6 * ours.score


def test_an_int_repeats_the_rows_held_out():
    factors, codes = sampled_factors(300, (3, 4)), noise(300, 3)
    codes[:, 0] += factors[:, 0]
    first, same, other = (
        sap_score(factors, codes, nominal=[0, 1], random_state=seed) for seed in (0, 0, 1)
    )
    assert first == same != other


@settings(max_examples=10, deadline=None)
@given(change=relabellings(4))
def test_order_sign_and_scale_of_the_codes_do_not_matter(change):
    order, scale = change
    factors = sampled_factors(300, (3, 5, 4))
    codes = noise(300, 4) + np.c_[factors, factors.sum(1)]
    options = {"nominal": [0], "random_state": 0}
    expected = sap_score(factors, codes, **options)
    # A threshold is the middle of two codes, which a held-out one may meet from either side.
    assert sap_score(factors, codes[:, order] * scale, **options) == pytest.approx(
        expected, abs=0.01
    )


@pytest.mark.parametrize("change", [lambda z: 1e-9 * z, lambda z: z + 2.0**27, lambda z: 1e60 * z])
def test_a_nominal_factor_is_told_in_any_unit(change):
    factors = sampled_factors(300, (3, 5))
    codes = noise(300, 2) + factors
    options = {"nominal": [0, 1], "random_state": 0}
    expected = sap_score(factors, codes, **options)
    assert sap_score(factors, change(codes), **options) == pytest.approx(expected, abs=0.01)


def test_a_nominal_factor_of_three_levels_adds_two_thirds_at_most():
    factors = sampled_factors(3000, (3, 4))
    one = sap_score(factors, factors[:, :1], nominal=[0], details=True, random_state=0)
    assert one.per_factor[0] == pytest.approx(2 / 3)
    bad = sap_score(factors, noise(3000, 1), nominal=[0], details=True, random_state=0)
    assert 0 <= bad.per_factor[0] < 0.03


def test_turned_factors_lose_what_nominal_ones_do_not_share():
    factors = sampled_factors(5000, (3, 8, 8))
    details = sap_score(
        factors, with_last_two_turned(factors, np.pi / 4), nominal=[0], details=True, random_state=0
    )
    np.testing.assert_allclose(details.per_factor, [2 / 3, 0, 0], atol=0.05)


def test_a_nominal_level_in_one_row_alone_is_refused():
    levels = np.r_[np.zeros(9), 1][:, None]
    sentence = (
        "sap_score needs at least two rows of each level of a factor that it classifies. Got a "
        "level with one row in column 0 instead. Give more rows."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        sap_score(levels, levels, nominal=[0])


def test_an_unknown_flavor_is_refused():
    with pytest.raises(ValueError, match="The 'flavor' parameter of sap_score must be"):
        sap_score(GRID, GRID, flavor="kumar")


def test_a_level_has_one_interval_of_the_code():
    place = np.tile([0, 1, 2], 300)[:, None]
    between = (place == 1).astype(int)
    details = sap_score(between, place, nominal=[0], details=True, random_state=0)
    # One threshold: all of the level between, and half of the other.
    assert details.predictability.item() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("flavor", "expected"), [(None, (700 / 900 + 1) / 2), ("disentanglement_lib", 0.8)]
)
def test_levels_count_alike_in_learning_and_rows_in_the_other_flavors_accuracy(flavor, expected):
    # 200 of 900 rows of the common level have the code of the 100 rows of the rare one.
    level, code = np.repeat([[0, 0], [0, 1], [1, 1]], [700, 200, 100], axis=0).T[:, :, None]
    details = sap_score(level, code, nominal=[0], flavor=flavor, details=True, random_state=0)
    assert details.predictability.item() == pytest.approx(expected, abs=0.02)


def test_noise_is_not_learned_by_heart():
    # Ten intervals of noise tell about a third of the rows that they are of.
    level = sampled_factors(200, (10,))
    options = {"nominal": [0], "details": True, "random_state": 0}
    predictability = sap_score(level, noise(200, 20), **options).predictability
    assert predictability.mean() == pytest.approx(0.1, abs=0.02)
