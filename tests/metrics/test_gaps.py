import re

import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, rotation, sampled_factors, with_last_two_turned
from scipy.stats import norm

from skvae.metrics import modularity_score, mutual_information_gap

GRID = np.indices((3, 4, 5)).reshape(3, -1).T  # a full factorial: no chance dependence
BOTH = pytest.mark.parametrize("score", [mutual_information_gap, modularity_score])

# ------------------------------------------------------------------------ mutual information gap


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_perfect_code_has_gap_1(order):
    details = mutual_information_gap(GRID, GRID[:, order] * [1.0, -2.0, 0.1], details=True)
    assert details.score == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(details.per_factor, 1, atol=1e-12)
    np.testing.assert_array_equal(details.top_codes[:, 0], np.argsort(order))


def test_a_code_held_twice_has_gap_0_exactly():
    assert mutual_information_gap(GRID, np.hstack([GRID, -3.0 * GRID])) == 0


def test_a_dropped_factor_has_gap_0_and_the_others_1():
    details = mutual_information_gap(GRID, GRID[:, 1:], details=True)
    np.testing.assert_allclose(details.per_factor, [0, 1, 1], atol=1e-12)
    assert details.score == details.per_factor.mean()


def test_constant_codes_and_one_code_are_numbers():
    assert mutual_information_gap(GRID, np.ones((60, 3))) == 0
    details = mutual_information_gap(GRID, GRID[:, :1], details=True)
    np.testing.assert_allclose(details.per_factor, [1, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(details.top_codes, [[0, -1]] * 3)


@pytest.mark.parametrize(("n_levels", "ceiling"), [(40, 0.8121), (32, 0.85), (20, 1.0), (10, 1.0)])
def test_twenty_bins_have_a_ceiling(n_levels, ceiling):
    factors = np.indices((n_levels, 2)).reshape(2, -1).T
    details = mutual_information_gap(factors, factors, details=True)
    assert details.per_factor[0] == pytest.approx(ceiling, abs=5e-5)
    assert mutual_information_gap(factors, factors, n_bins=n_levels) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("n_levels", "spacing", "expected"), [(2, 2, 0.485944), (8, 2, 0.695374), (32, 6, 0.997848)]
)
def test_independent_noisy_channels(n_levels, spacing, expected):
    factors = np.indices((n_levels, n_levels)).reshape(2, -1).T
    gap = mutual_information_gap(
        factors,
        factors * [spacing, -3.0 * spacing],
        estimator="posterior",
        stds=[[1, 3]] * len(factors),
    )
    assert gap == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("angle", "expected"), [(0, 0.804719), (15, 0.658479), (30, 0.346574), (45, 0)]
)
def test_two_gaussian_factors_turned(angle, expected):
    # Equally probable levels of a Gaussian, and every pair of them.
    value = norm.ppf((np.arange(200) + 0.5) / 200)
    factors = np.stack(np.meshgrid(value, value), axis=-1).reshape(-1, 2) / value.std()
    details = mutual_information_gap(
        factors,
        factors @ rotation(np.deg2rad(angle)).T,
        estimator="posterior",
        stds=np.full(factors.shape, 0.5),
        details=True,
    )
    gap = details.per_factor * details.entropies
    np.testing.assert_allclose(gap, expected, atol=0.01)


def test_a_turn_by_45_degrees_has_gap_0_of_the_two():
    factors = sampled_factors(20_000, (5, 8, 8))
    details = mutual_information_gap(
        factors, with_last_two_turned(factors, np.pi / 4), details=True
    )
    np.testing.assert_allclose(details.per_factor, [1, 0, 0], atol=0.01)


def test_noise_has_gap_0_up_to_the_bias():
    factors = sampled_factors(20_000, (3, 6, 10))
    assert mutual_information_gap(factors, noise(20_000, 5)) < 0.001


def test_the_posterior_needs_stds_and_the_histogram_none():
    for options, given_stds in [({"estimator": "posterior"}, "None"), ({"stds": GRID}, "given")]:
        estimator = options.get("estimator", "histogram")
        sentence = (
            f"mutual_information_gap needs stds for estimator='posterior', and for no other. Got "
            f"estimator='{estimator}' and stds={given_stds} instead. Give both or neither."
        )
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            mutual_information_gap(GRID, GRID, **options)


# ------------------------------------------------------------------------------------ modularity


@pytest.mark.parametrize("codes", [GRID, GRID[:, [2, 0, 1]], GRID[:, [0, 0, 1, 1]], GRID[:, :1]])
def test_codes_of_one_factor_each_are_modular(codes):
    factors = np.tile(GRID, (20, 1))
    assert modularity_score(factors, np.tile(codes, (20, 1))) == pytest.approx(1, abs=1e-12)


def test_one_code_of_two_of_ten_equal_factors():
    factors = np.random.default_rng(0).permuted(np.tile([0, 1], (10, 20_000)), axis=1).T
    code = factors[:, :1] + 2 * factors[:, 1:2]  # a code for each pair of levels
    assert modularity_score(factors, code) == pytest.approx(1 - 1 / 9, abs=1e-12)


def test_two_factors_turned_by_45_degrees_share_two_codes():
    factors = sampled_factors(20_000, (5, 8, 8))
    details = modularity_score(factors, with_last_two_turned(factors, np.pi / 4), details=True)
    np.testing.assert_allclose(details.per_code, [1, 0.5, 0.5], atol=0.01)


def test_codes_of_noise_are_left_out_and_not_counted_as_shared():
    factors = sampled_factors(3000, (3, 6, 10))
    codes = np.hstack([factors, noise(3000, 3), np.ones((3000, 1))])
    details = modularity_score(factors, codes, details=True)
    assert details.score == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(np.isnan(details.per_code), [False] * 3 + [True] * 4)
    assert modularity_score(factors, codes, flavor="disentanglement_lib") < 0.85
    assert modularity_score(factors, codes[:, 3:]) == 0


def test_in_the_other_flavor_a_constant_code_counts_as_0():
    codes = np.hstack([GRID[:, :2], np.ones((60, 1))])
    score = modularity_score(GRID[:, :2], codes, flavor="disentanglement_lib")
    assert score == pytest.approx(2 / 3, abs=1e-12)


def test_collapsed_codes_are_left_out_where_stds_tell():
    factors = np.tile(GRID, (20, 1))
    codes = np.hstack([factors, 1e-3 * (factors[:, :1] + factors[:, 1:2])])
    stds = np.ones(codes.shape)
    stds[:, :3] = 0.1
    assert modularity_score(factors, codes) < 0.97
    assert modularity_score(factors, codes, stds=stds) == pytest.approx(1, abs=1e-12)


# ------------------------------------------------------------------------------------ both


@BOTH
@settings(max_examples=15, deadline=None)
@given(change=relabellings(4))
def test_order_sign_and_scale_of_the_codes_do_not_matter(score, change):
    order, scale = change
    factors = sampled_factors(500, (3, 5, 4))
    codes = noise(500, 4) + np.c_[factors, factors.sum(1)]
    assert score(factors, codes[:, order] * scale) == pytest.approx(
        score(factors, codes), abs=1e-12
    )


@BOTH
@pytest.mark.parametrize("options", [{"strategy": "median"}, {"n_bins": 1}])
def test_options_out_of_range_are_refused(score, options):
    with pytest.raises(
        ValueError, match=f"The '{next(iter(options))}' parameter of {score.__name__}"
    ):
        score(GRID, GRID, **options)


def test_a_gap_is_over_the_entropy_of_the_rows_and_not_of_equal_levels():
    levels = np.repeat([0, 1], [180, 20])[:, None]
    details = mutual_information_gap(levels, levels, details=True)
    assert details.score == pytest.approx(1, abs=1e-12)
    share = np.array([0.9, 0.1])
    np.testing.assert_allclose(details.entropies, -np.sum(share * np.log(share)))


def test_modularity_is_of_squared_information():
    factors = np.tile(np.indices((4, 2, 3)).reshape(3, -1).T, (10, 1))
    code = factors[:, :1] + 4 * factors[:, 1:2]  # log 4 and log 2 nats, and none
    assert modularity_score(factors, code) == pytest.approx(1 - (1 / 2) ** 2 / 2, abs=1e-12)
    assert modularity_score(factors, code, flavor="disentanglement_lib") == pytest.approx(
        1 - (1 / 2) ** 2 / 2, abs=1e-12
    )


@BOTH
def test_quantile_bins_see_ranks_alone(score):
    factors = sampled_factors(900, (3, 5))
    codes = factors + 0.5 * factors[:, ::-1] + 0.2 * noise(900, 2)
    expected = score(factors, codes, strategy="quantile")
    assert score(factors, np.exp(codes), strategy="quantile") == expected
    assert abs(score(factors, np.exp(codes)) - expected) > 1e-3


@BOTH
def test_bins_are_as_many_as_asked_for(score):
    factors = np.tile(np.indices((8, 2)).reshape(2, -1).T, (20, 1))
    code = 2 * factors[:, :1] + factors[:, 1:]
    details = score(factors, code, n_bins=8, details=True)  # the second factor is lost
    np.testing.assert_allclose(details.information, [[np.log(8), 0]], atol=1e-12)
    details = score(factors, code, n_bins=16, details=True)
    np.testing.assert_allclose(details.information, [[np.log(8), np.log(2)]], atol=1e-12)
