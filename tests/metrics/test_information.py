from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from known_factors import noise, sampled_factors
from scipy.integrate import quad
from scipy.stats import chi2_contingency, norm
from sklearn.metrics import mutual_info_score

from skvae.metrics.information import (
    TEST_BINS,
    _masses,
    dependent,
    histogram_bins,
    histogram_information,
    posterior_information,
)

# I(level; level * spacing + N(0, 1)) of equally probable levels, by quadrature, in nats
CHANNELS = [
    (2, 2, 0.336831),
    (2, 4, 0.632720),
    (4, 2, 0.845233),
    (8, 1, 0.876709),
    (8, 2, 1.445989),
    (8, 4, 1.973694),
    (10, 6, 2.295656),
    (32, 6, 3.458278),
]


def loop(levels, codes):
    """The plug-in information, pair by pair."""
    return [
        [mutual_info_score(v, np.digitize(z, np.histogram(z, 20)[1][:-1])) for v in levels.T]
        for z in codes.T
    ]


def test_all_pairs_at_once_equal_a_loop_over_them():
    levels, codes = sampled_factors(2000), noise(2000, 4)
    codes[:, 1] += levels[:, 3]
    information = histogram_information(levels, histogram_bins(codes, 20))
    np.testing.assert_allclose(information, loop(levels, codes), atol=1e-12)


@pytest.mark.parametrize(("n_levels", "n_bins"), [(40, 20), (32, 20), (7, 7), (5, 20)])
def test_the_information_of_a_one_to_one_code_is_the_entropy_of_its_bins(n_levels, n_bins):
    levels = np.tile(np.arange(n_levels), 6)[:, None]
    bins = histogram_bins(levels * -0.3, n_bins)
    shares = np.unique(bins, return_counts=True)[1] / len(bins)
    (information,) = histogram_information(levels, bins).ravel()
    assert information == pytest.approx(-np.sum(shares * np.log(shares)), rel=1e-12)


def test_the_bias_of_independent_variables_is_the_one_documented():
    levels = np.stack([np.random.default_rng(seed).integers(40, size=10_000) for seed in range(60)])
    codes = np.random.default_rng(0).random((10_000, 1))
    information = histogram_information(levels.T, histogram_bins(codes, 20))
    assert information.mean() == pytest.approx(19 * 39 / 20_000, rel=0.02)


def test_quantile_bins_have_equal_numbers_of_rows_and_see_ranks_alone():
    codes = noise(1000, 3)
    bins = histogram_bins(codes, 10, "quantile")
    for column in bins.T:
        np.testing.assert_array_equal(np.bincount(column), [100] * 10)
    np.testing.assert_array_equal(histogram_bins(np.exp(codes), 10, "quantile"), bins)


@pytest.mark.parametrize("share", [0.5, 0.03, 0.97])
def test_quantile_bins_part_two_values_whichever_is_the_rarer(share):
    code = np.repeat([0.0, 1.0], [round(1000 * share), 1000 - round(1000 * share)])[:, None]
    for sign in (1, -1):
        bins = histogram_bins(sign * code, 20, "quantile")
        assert len(np.unique(bins)) == 2


def test_the_test_of_dependence_errs_as_often_as_it_says_also_for_rare_levels():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(100):
        levels = np.c_[rng.random(2000) < 0.01, rng.integers(4, size=2000)].astype(int)
        bins = histogram_bins(rng.standard_t(2, (2000, 50)), TEST_BINS, "quantile")
        found += dependent(levels, bins).sum()
    assert found < 25  # of 10,000 tests at 0.001


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_a_constant_code_tells_nothing(strategy):
    levels = sampled_factors(100, (3, 4))
    bins = histogram_bins(np.full((100, 1), 0.1), 20, strategy)
    np.testing.assert_allclose(histogram_information(levels, bins), 0, atol=1e-14)


@pytest.mark.parametrize(("n_levels", "spacing", "expected"), CHANNELS)
def test_posteriors_over_levels_are_a_noisy_channel(n_levels, spacing, expected):
    levels = np.repeat(np.arange(n_levels), 3)[:, None]
    information = posterior_information(levels, 1.0 * spacing * levels, np.ones(levels.shape))
    assert information.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_channel_has_no_unit(unit):
    levels = np.repeat(np.arange(8), 3)[:, None]
    information = posterior_information(levels, -2.0 * unit * levels, np.full(levels.shape, unit))
    assert information.item() == pytest.approx(1.445989, abs=1e-6)


def test_posteriors_of_every_width_equal_a_quadrature():
    means = np.array([-3.0, -1.0, 0.2, 0.4, 2.0, 5.0])
    stds = np.array([0.02, 1.3, 0.3, 0.05, 0.7, 0.1])
    levels = np.array([0, 1, 0, 1, 0, 2])[:, None]

    def density(z, rows):
        return norm.pdf(z, means[rows], stds[rows]).mean()

    def entropy(rows):
        def integrand(z):
            value = density(z, rows)
            return -value * np.log(value) if value > 0 else 0.0

        edges = np.unique(np.concatenate([means + k * stds for k in (-9, -3, -1, 1, 3, 9)]))
        return sum(quad(integrand, *ends, epsabs=1e-11)[0] for ends in pairwise(edges))

    every = np.ones(6, dtype=bool)
    parts = [(levels[:, 0] == level) for level in range(3)]
    expected = entropy(every) - sum(rows.mean() * entropy(rows) for rows in parts)
    information = posterior_information(levels, means[:, None], stds[:, None])
    assert information.item() == pytest.approx(expected, abs=1e-6)


def test_posteriors_narrower_than_the_grid_tell_the_whole_level():
    levels = np.repeat(np.arange(5), 4)[:, None]
    information = posterior_information(levels, 1.0 * levels, np.full(levels.shape, 1e-12))
    assert information.item() == pytest.approx(np.log(5), rel=1e-9)


def test_posteriors_equal_to_the_prior_tell_nothing():
    levels = sampled_factors(50, (3, 4))
    information = posterior_information(levels, np.zeros((50, 2)), np.ones((50, 2)))
    np.testing.assert_allclose(information, 0, atol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.05, 0.07, 0.1])
def test_dependence_is_pearsons_test(shift):
    levels = sampled_factors(1500, (2, 5, 9))
    codes = noise(1500, 8) + shift * levels.sum(axis=1, keepdims=True)
    bins = np.minimum(histogram_bins(codes, 9, "quantile"), [8, 7, 6, 5, 4, 3, 2, 1])
    bins[:, 4] *= 2  # bins that no row is in
    tables = [[pd.crosstab(z, v) for v in levels.T] for z in bins.T]
    p = [[chi2_contingency(table, correction=False).pvalue for table in row] for row in tables]
    np.testing.assert_array_equal(dependent(levels, bins), np.array(p) < 0.001)


@pytest.mark.parametrize(("excess", "found"), [(26, False), (27, True)])
def test_dependence_is_at_the_level_of_a_thousandth(excess, found):
    # A chi-squared of excess^2 / 62.5 on one degree of freedom, whose quantile is 10.83.
    counts = [250 + excess, 250 - excess, 250 - excess, 250 + excess]
    bins, levels = (np.repeat(values, counts)[:, None] for values in ([0, 0, 1, 1], [0, 1, 0, 1]))
    assert dependent(levels, bins).item() == found


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_one_row_far_out_or_wide_hides_nothing_of_the_others(far):
    levels = np.repeat(np.arange(5), 200)[:, None]
    means, stds = 1.0 * levels, np.full(levels.shape, 0.01)
    means[0], stds[-1] = far, 100.0
    (information,) = posterior_information(levels, means, stds).ravel()
    assert information == pytest.approx(np.log(5), abs=1e-3)


def test_the_blocks_of_the_grid_hold_all_of_the_mass(monkeypatch):
    means, stds = noise(300, 1)[:, 0], np.exp(noise(300, 1, seed=2)[:, 0])
    groups = np.zeros((300, 1), dtype=np.intp)
    for lengths, cells in (((64, 4096), 2**18), ((3, 3), 2**18), ((64, 4096), 4096)):
        monkeypatch.setattr("skvae.metrics.information.BLOCK_LENGTHS", lengths)
        monkeypatch.setattr("skvae.metrics.information.CELLS_AT_ONCE", cells)
        total = sum(masses.sum() for masses in _masses(means, stds, groups, 1))
        assert total == pytest.approx(1, abs=1e-9)
