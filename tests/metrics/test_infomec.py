import re

import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, sampled_factors, with_last_two_turned
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from skvae.metrics import infomec_score

FACTORS = sampled_factors(1200, (3, 6, 10))
PARTS = ["modularity", "compactness", "explicitness"]


def details(factors, codes, **options):
    return infomec_score(factors, codes, details=True, random_state=0, **options)


@pytest.mark.parametrize("blur", [0.0, 1e-3], ids=["quantised", "continuous"])
def test_perfect_codes_have_1_of_all_three(blur):
    codes = (FACTORS[:, [2, 0, 1]] + blur * noise(1200, 3)) * [1, -20, 0.1]
    found = details(FACTORS, codes)
    assert [found.modularity, found.compactness] == pytest.approx([1, 1], abs=1e-9)
    np.testing.assert_allclose(found.information, np.eye(3)[[2, 0, 1]], atol=1e-9)
    assert 0.999 < found.explicitness <= 1


def test_perfect_codes_of_many_levels_have_1():
    factors = sampled_factors(3000)
    found = details(factors, factors)
    assert [found.modularity, found.compactness] == pytest.approx([1, 1], abs=1e-9)
    assert 0.9996 < found.explicitness <= 1


def test_codes_of_noise_and_constant_ones_change_little():
    codes = FACTORS + 0.3 * noise(1200, 3)
    more = np.hstack([codes, noise(1200, 4, seed=2), np.full((1200, 1), 3.0)])
    found, expected = details(FACTORS, more), details(FACTORS, codes)
    np.testing.assert_array_equal(np.isnan(found.per_code), [False] * 3 + [True] * 5)
    assert found.modularity == pytest.approx(expected.modularity, abs=0.01)
    assert found.compactness == pytest.approx(expected.compactness, abs=0.01)
    assert found.explicitness == pytest.approx(expected.explicitness, abs=0.08)


def test_codes_held_twice_are_modular_and_compact_by_their_number():
    factors = sampled_factors(3000, (3, 4, 5, 6, 7))
    found = details(factors, np.hstack([factors, -2.0 * factors]))
    assert found.modularity == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found.compactness_per_factor, 4 / 9, atol=1e-9)


def test_two_factors_turned_by_45_degrees_share_two_codes():
    factors = sampled_factors(10_000, (4, 8, 8))
    found = details(factors, with_last_two_turned(factors, np.pi / 4), part="compactness")
    half = (1 / 2 - 1 / 3) / (1 - 1 / 3)
    np.testing.assert_allclose(found.per_code, [1, half, half], atol=0.01)
    np.testing.assert_allclose(found.compactness_per_factor, [1, half, half], atol=0.01)
    assert found.score == found.compactness


def test_a_dropped_factor_is_told_by_none():
    found = details(FACTORS, FACTORS[:, 1:])
    assert found.modularity == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found.compactness_per_factor, [0, 1, 1], atol=1e-9)
    np.testing.assert_allclose(found.explicitness_per_factor, [0, 1, 1], atol=0.01)


def test_one_code_is_compact():
    found = details(FACTORS, FACTORS[:, [1]])
    np.testing.assert_array_equal(found.compactness_per_factor, [0, 1, 0])
    assert found.modularity == 1


@pytest.mark.parametrize("codes", [noise(1200, 5), np.ones((1200, 2))], ids=["noise", "constant"])
def test_codes_that_tell_nothing_have_0_of_all_three(codes):
    found = details(FACTORS, codes)
    assert [found.modularity, found.compactness] == [0, 0]
    assert found.explicitness < 0.005
    np.testing.assert_array_equal(found.information, 0)


def test_noise_is_not_explicit_on_the_rows_held_out():
    # On the rows fitted, 31 * 10 / 2n is 0.015 of the entropy.
    factors = sampled_factors(3000, (32, 2))
    assert details(factors, noise(3000, 10)).explicitness_per_factor[0] == 0


def test_information_of_a_binary_channel():
    factors = sampled_factors(20_000, (2, 5))
    found = details(factors, 2.0 * factors[:, :1] + noise(20_000, 1))
    assert found.information[0, 0] == pytest.approx(0.485944, abs=0.015)
    # Logistic regression is the true posterior of it.
    assert found.explicitness_per_factor[0] == pytest.approx(0.485944, abs=0.015)


def test_explicitness_is_in_units_of_the_factors_entropy():
    share = 0.1
    rare = np.tile(np.arange(10) == 0, 6000).astype(int)
    factors = np.c_[rare, sampled_factors(60_000, (2,))]
    codes = 2.0 * factors[:, :1] + noise(60_000, 1)
    score = infomec_score(factors, codes, part="explicitness", random_state=0)

    def conditional(z):
        joint = share * norm.pdf(z, 2), (1 - share) * norm.pdf(z)
        odds = np.log(joint[0] / joint[1])
        return -joint[0] * np.log(expit(odds)) - joint[1] * np.log(expit(-odds))

    null = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert null == pytest.approx(0.3251, abs=5e-5)
    expected = 1 - quad(conditional, -8, 10)[0] / null
    assert score == pytest.approx(expected / 2, abs=0.01)  # and 0 of the other factor


def test_a_row_thought_impossible_does_not_outweigh_the_others():
    # Noise separates some of these levels in the rows fitted, and not in those held out.
    codes = np.hstack([FACTORS + 0.3 * noise(1200, 3), noise(1200, 4, seed=2)])
    scores = [
        infomec_score(FACTORS, codes, part="explicitness", random_state=seed) for seed in range(4)
    ]
    np.testing.assert_allclose(scores, 0.84, atol=0.03)


def test_collapsed_codes_are_left_out_where_stds_tell():
    codes = np.hstack([FACTORS, 1e-3 * (FACTORS[:, :1] + 3 * FACTORS[:, 1:2])])
    stds = np.ones(codes.shape) * [0.1, 0.1, 0.1, 1.0]
    assert infomec_score(FACTORS, codes, random_state=0) < 0.95
    found = details(FACTORS, codes, stds=stds)
    assert np.isnan(found.per_code[3])
    assert found.modularity == pytest.approx(1, abs=1e-9)


def test_the_score_is_the_part_asked_for():
    codes = FACTORS + noise(1200, 3) + 0.5 * FACTORS[:, [1, 2, 0]]
    scores = [infomec_score(FACTORS, codes, part=part, random_state=0) for part in PARTS]
    found = details(FACTORS, codes)
    assert scores[:2] == [found.modularity, found.compactness]
    assert scores[2] == pytest.approx(found.explicitness, abs=0.05)  # of other rows
    assert all(isinstance(score, float) for score in scores)


@pytest.mark.parametrize("part", PARTS)
def test_an_int_reproduces_the_score(part):
    codes = np.r_[FACTORS, FACTORS][:1200] + noise(1200, 3)
    state = np.random.get_state()[1].copy()
    first, again = (infomec_score(FACTORS, codes, part=part, random_state=0) for _ in range(2))
    assert first == again
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_another_int_holds_other_rows_out():
    codes = FACTORS + noise(1200, 3)
    scores = {
        infomec_score(FACTORS, codes, part="explicitness", random_state=seed) for seed in (0, 1)
    }
    assert len(scores) == 2


@pytest.mark.parametrize("part", PARTS)
@settings(max_examples=8, deadline=None)
@given(change=relabellings(3))
def test_order_sign_and_scale_do_not_matter(part, change):
    order, scale = change
    factors = sampled_factors(300, (3, 4))
    codes = noise(300, 3) + 2 * np.c_[factors, factors.sum(1)]
    assert infomec_score(
        factors, codes[:, order] * scale, part=part, random_state=0
    ) == pytest.approx(infomec_score(factors, codes, part=part, random_state=0), abs=1e-4)


# ------------------------------------------------------------------------------- errors


def test_a_level_of_one_row_is_refused_by_explicitness_alone():
    factors = FACTORS.copy()
    factors[0, 2] = 77
    sentence = (
        "infomec_score needs at least two rows of each level of a factor that it classifies. Got "
        "a level with one row in column 2 instead. Give more rows."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        infomec_score(factors, FACTORS, part="explicitness")
    assert infomec_score(factors, FACTORS, random_state=0) == pytest.approx(1, abs=1e-9)


def test_an_unknown_part_is_refused():
    with pytest.raises(ValueError, match="The 'part' parameter of infomec_score"):
        infomec_score(FACTORS, FACTORS, part="disentanglement")
