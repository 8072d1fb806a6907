import re

import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, sampled_factors
from scipy.stats import norm

from skvae.metrics import explicitness_score
from skvae.metrics.prediction import split_levels

FACTORS = sampled_factors(1200, (3, 6, 10))
FLAVORS = pytest.mark.parametrize("flavor", [None, "disentanglement_lib"])


def details(factors, codes, **options):
    return explicitness_score(factors, codes, details=True, random_state=0, **options)


def test_perfect_codes_have_1_whatever_their_order_and_company():
    codes = np.hstack([FACTORS[:, [2, 0, 1]] * [1, -20, 0.1], noise(1200, 2), np.ones((1200, 1))])
    found = details(FACTORS, codes)
    np.testing.assert_allclose(found.per_factor, 1, atol=1e-9)
    assert [areas.shape for areas in found.per_level] == [(3,), (6,), (10,)]
    assert found.score == found.per_factor.mean()


@pytest.mark.parametrize(("n_levels", "penalised"), [(3, 1.0), (6, 1.0), (10, 1.0), (32, 0.9975)])
def test_one_code_of_many_levels(n_levels, penalised):
    level = sampled_factors(5000, (n_levels,))
    assert explicitness_score(level, level, random_state=0) == pytest.approx(1, abs=1e-6)
    flavored = explicitness_score(level, level, flavor="disentanglement_lib", random_state=0)
    assert flavored == pytest.approx(penalised, abs=0.001)


@FLAVORS
def test_a_binary_channel_has_the_area_of_two_gaussians(flavor):
    level = sampled_factors(20_000, (2,))
    codes = 2.0 * level + noise(20_000, 1)
    found = details(level, codes, flavor=flavor)
    assert found.score == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.01)
    np.testing.assert_allclose(found.per_level[0][0], found.per_level[0][1], rtol=1e-12)


@FLAVORS
def test_a_dropped_factor_and_noise_have_chance(flavor):
    found = details(FACTORS, FACTORS[:, 1:], flavor=flavor)
    assert found.per_factor[0] == pytest.approx(0.5, abs=0.05)
    assert found.per_factor[1:].min() > 0.99
    assert explicitness_score(
        FACTORS, noise(1200, 4), flavor=flavor, random_state=0
    ) == pytest.approx(0.5, abs=0.02)


@FLAVORS
def test_constant_codes_have_chance_exactly(flavor):
    assert explicitness_score(FACTORS, np.ones((1200, 2)), flavor=flavor, random_state=0) == 0.5


def test_any_invertible_linear_map_has_the_same_and_so_have_duplicates():
    codes = FACTORS + noise(1200, 3)
    expected = explicitness_score(FACTORS, codes, random_state=0)
    assert 0.6 < expected < 0.9
    mix = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -3.0], [4.0, 0.0, 0.01]])
    for same in (codes @ mix, np.hstack([codes, -3 * codes]), codes + 1e5):
        assert explicitness_score(FACTORS, same, random_state=0) == pytest.approx(
            expected, abs=1e-4
        )


@FLAVORS
@settings(max_examples=8, deadline=None)
@given(change=relabellings(3))
def test_order_sign_and_scale_do_not_matter(flavor, change):
    order, scale = change
    factors = sampled_factors(300, (3, 4))
    codes = noise(300, 3) + np.c_[factors, factors.sum(1)]
    assert explicitness_score(
        factors, codes[:, order] * scale, flavor=flavor, random_state=0
    ) == pytest.approx(explicitness_score(factors, codes, flavor=flavor, random_state=0), abs=2e-3)


def test_more_codes_than_newtons_method_takes():
    level = sampled_factors(600, (8,))
    codes = np.hstack([np.eye(8)[level[:, 0]] + 0.3 * noise(600, 8), noise(600, 130)])
    assert 0.9 < explicitness_score(level, codes, random_state=0) < 1


def test_an_int_reproduces_the_score():
    codes = FACTORS + noise(1200, 3)
    state = np.random.get_state()[1].copy()
    first, again, other = (
        explicitness_score(FACTORS, codes, random_state=seed) for seed in (0, 0, 1)
    )
    assert first == again != other
    np.testing.assert_array_equal(np.random.get_state()[1], state)


# ------------------------------------------------------------------------------- rows held out


def test_a_third_of_each_level_is_held_out_and_some_of_each():
    levels = np.repeat(np.arange(6), [2, 2, 3, 2, 30, 61])
    learned, scored = split_levels(levels, 0, "", np.random.RandomState(0))
    np.testing.assert_array_equal(np.sort(np.r_[learned, scored]), np.arange(100))
    np.testing.assert_array_equal(np.bincount(levels[scored]), [1, 1, 1, 1, 10, 20])
    again = split_levels(levels, 0, "", np.random.RandomState(1))
    assert (again[1] != scored).any()


def test_rare_levels_are_in_both():
    level = np.repeat(np.arange(12), [40, *[2] * 11])[:, None]
    assert explicitness_score(level, level, random_state=0) == pytest.approx(1, abs=1e-9)


def test_a_level_of_one_row_is_refused():
    level = np.repeat([0, 1, 2], [5, 5, 1])
    sentence = (
        "explicitness_score needs at least two rows of each level of a factor that it classifies. "
        "Got a level with one row in column 1 instead. Give more rows."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        explicitness_score(np.c_[np.arange(11) % 2, level], np.eye(11))


def test_names_are_levels_too():
    names = np.array(["heart", "oval", "square"])[FACTORS[:, :1]]
    codes = FACTORS + noise(1200, 3)
    expected = explicitness_score(FACTORS[:, :1], codes, random_state=0)
    assert explicitness_score(names, codes, random_state=0) == expected


def test_an_unknown_flavor_is_refused():
    with pytest.raises(ValueError, match="The 'flavor' parameter of explicitness_score"):
        explicitness_score(FACTORS, FACTORS, flavor="ubisoft")
