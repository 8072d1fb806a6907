import re
from decimal import Decimal

import numpy as np
import pytest
from known_factors import sampled_factors

from skvae import VAETransformer, metrics
from skvae.metrics.factors import active_codes, check_factors

FACTORS = sampled_factors(60, (2, 3))
CODES = FACTORS + 0.5
SCORES = ["mutual_information_gap", "modularity_score", "beta_vae_score", "factor_vae_score"]
every_score = pytest.mark.parametrize("name", [*SCORES, "sap_score"])


def refused(name, sentence, factors=FACTORS, codes=CODES, **options):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        getattr(metrics, name)(factors, codes, **options)


def test_levels_are_places_among_the_sorted_values():
    factors, codes = check_factors(
        [[0.5, 7], [-2, 7], [0.5, 3], [9, 3]], [[1], [2], [3], [4]], "", ordered=True
    )
    np.testing.assert_array_equal(factors.levels, [[1, 1], [0, 1], [1, 0], [2, 0]])
    np.testing.assert_array_equal(factors.values[:, 0], [0.5, -2, 0.5, 9])
    np.testing.assert_array_equal(factors.sizes, [3, 2])
    np.testing.assert_allclose(factors.entropies, [1.5 * np.log(2), np.log(2)])
    assert codes.dtype == np.float64


def test_names_are_levels_too():
    names = np.array(["oval", "square"], dtype=object)[FACTORS[:, :1]]
    named = np.hstack([names, FACTORS[:, 1:]])
    for name in SCORES:
        options = {} if name in SCORES[:2] else {"random_state": 0, "n_train": 50, "n_test": 20}
        score = getattr(metrics, name)
        assert score(named, CODES, **options) == score(FACTORS, CODES, **options)
    sap = metrics.sap_score(named, CODES, nominal=[0], random_state=0)
    assert sap == metrics.sap_score(FACTORS, CODES, nominal=[0], random_state=0)
    refused(
        "sap_score",
        f"sap_score needs factors that are numbers, unless they are nominal. Got {named[0, 0]!r} "
        f"in column 0 instead. If its levels have no order, pass nominal=[0].",
        named,
    )


@every_score
def test_a_factor_of_one_level_is_refused(name):
    refused(
        name,
        f"{name} needs factors that vary. Got one level in column 1 instead. Leave that column "
        f"out.",
        np.c_[FACTORS[:, 0], np.ones(60)],
    )


@pytest.mark.parametrize("name", SCORES)
def test_levels_that_do_not_recur_are_refused(name):
    refused(
        name,
        f"{name} needs factors whose levels recur. Got 60 levels in 60 rows of column 0 instead. "
        f"Bin it, as KBinsDiscretizer does, or give more rows.",
        np.c_[np.arange(60), FACTORS],
    )


def test_levels_of_numbers_need_not_recur():
    assert metrics.sap_score(np.arange(60)[:, None], np.arange(60)[:, None]) == pytest.approx(1)


@pytest.mark.parametrize("name", SCORES[1:])
def test_one_factor_alone_is_refused_where_factors_are_told_apart(name):
    refused(
        name,
        f"{name} needs at least 2 factors, to tell one from another. Got 1 instead. Give more "
        f"columns.",
        FACTORS[:, :1],
    )


@every_score
def test_what_is_no_table_of_numbers_is_refused(name):
    score = getattr(metrics, name)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        score(FACTORS, CODES[1:])
    with pytest.raises(ValueError, match="Input codes contains NaN"):
        score(FACTORS, np.where(CODES > 1, np.nan, CODES))
    with pytest.raises(ValueError, match="Input factors contains NaN"):
        score(np.where(FACTORS > 0, np.nan, FACTORS), CODES)
    with pytest.raises(ValueError, match="Expected 2D array"):
        score(FACTORS, CODES[:, 0])
    with pytest.raises(ValueError, match="minimum of 2 is required"):
        score(FACTORS[:1], CODES[:1])


@every_score
def test_codes_whose_squares_overflow_are_refused(name):
    refused(
        name,
        f"{name} needs codes of at most 1e+150 in absolute value, whose squares are finite. Got "
        f"1.5e+200 instead. Scale them.",
        codes=CODES * 1e200 / CODES.max() * 1.5,
    )


@every_score
def test_codes_whose_squares_vanish_are_numbers(name):
    assert 0 <= getattr(metrics, name)(FACTORS, CODES * 1e-300) <= 1


@pytest.mark.parametrize("nominal", [[2], [-1], ["shape"], [True, False], [0.0]])
def test_nominal_is_of_columns(nominal):
    refused(
        "sap_score",
        f"sap_score needs nominal as indices of the columns 0 to 1 of the factors. Got "
        f"{nominal!r} instead. Name the columns whose levels have no order.",
        nominal=nominal,
    )


@pytest.mark.parametrize(
    ("nominal", "mask"), [(None, [0, 0]), ((), [0, 0]), (1, [0, 1]), ([1, 0], [1, 1])]
)
def test_nominal_columns_are_marked(nominal, mask):
    factors, _ = check_factors(FACTORS, CODES, "", nominal=nominal)
    np.testing.assert_array_equal(factors.nominal, mask)


@pytest.mark.parametrize(
    ("stds", "shape", "least"),
    [(np.ones((60, 3)), (60, 3), "1"), (np.zeros((60, 2)), (60, 2), "0")],
)
@pytest.mark.parametrize("name", ["modularity_score", "factor_vae_score"])
def test_stds_are_positive_and_of_the_codes_shape(name, stds, shape, least):
    refused(
        name,
        f"{name} needs stds over 0, of the shape (60, 2) of the codes. Got the shape {shape} and "
        f"a smallest value of {least} instead. Give those that posterior returns with the codes.",
        stds=stds,
    )


def test_active_codes_carry_more_than_a_hundredth_of_their_variance():
    codes = np.array([-1.0, 1.0])[:, None] * [0.0, 0.099, 0.101, 3.0] + 5.0
    np.testing.assert_array_equal(active_codes(codes), [False, True, True, True])
    stds = np.full(codes.shape, np.sqrt(0.99))  # 0.01 of the whole is a variance of 0.01
    np.testing.assert_array_equal(active_codes(codes, stds), [False, False, True, True])
    np.testing.assert_array_equal(active_codes(8 * codes, 8 * stds), [False, False, True, True])


def test_the_share_of_a_collapsed_code_is_of_means_and_stds_together():
    codes = np.tile([-1.0, 1.0], 50)[:, None] * np.sqrt([0.01005, 0.01015])
    np.testing.assert_array_equal(active_codes(codes, np.ones(codes.shape)), [False, True])
    # Stds of 0.1 and 1.9 have a mean square of 1.81, not of 1.
    stds = np.tile([0.1, 1.9], 50)[:, None]
    codes = np.repeat([-1.0, 1.0], 50)[:, None] * np.sqrt(0.0175)
    np.testing.assert_array_equal(active_codes(codes, stds), [False])


def test_levels_recur_on_average():
    levels = np.r_[np.arange(30), np.arange(30)][:, None]
    assert metrics.mutual_information_gap(levels, levels, n_bins=30) == pytest.approx(1)
    levels[0] = 30
    refused(
        "mutual_information_gap",
        "mutual_information_gap needs factors whose levels recur. Got 31 levels in 60 rows of "
        "column 0 instead. Bin it, as KBinsDiscretizer does, or give more rows.",
        levels,
    )


@pytest.mark.parametrize("missing", [None, np.datetime64("NaT")], ids=str)
def test_a_level_that_is_missing_is_refused(missing):
    column = FACTORS[:, :1].astype("M8[D]" if missing is not None else object)
    column[0, 0] = missing
    refused(
        "mutual_information_gap",
        "mutual_information_gap needs factors whose levels can be sorted. Got values in column "
        "0 that are missing or cannot be sorted instead. Give only numbers or only names.",
        column if missing is not None else column.tolist(),
    )


def test_factors_and_codes_under_a_mask_are_refused():
    for name in ("factors", "codes"):
        masked = {name: np.ma.masked_array(FACTORS, mask=FACTORS[0] == FACTORS)}
        refused(
            "mutual_information_gap",
            f"{name} must have no masked values. Got {masked[name].mask.sum()} of them instead. "
            f"Fill them in, as {name}.filled(0.0) does, or leave out their rows.",
            **masked,
        )


def test_codes_of_decimals_are_numbers_and_missing_ones_are_refused():
    codes = [[Decimal(value) for value in row] for row in CODES.tolist()]
    score = metrics.mutual_information_gap(FACTORS, codes)
    assert score == metrics.mutual_information_gap(FACTORS, CODES)
    codes[0][0] = None
    with pytest.raises(ValueError, match=r"^Input( codes)? contains NaN"):
        metrics.mutual_information_gap(FACTORS, codes)


def test_codes_without_a_variance_are_refused():
    vae = VAETransformer(2, hidden_layer_sizes=(4,), max_epochs=1, random_state=0).fit(CODES)
    far = np.vstack([CODES, np.full((1, 2), 1e200)])
    for name in ("active_units", "latent_summary", "gaussian_total_correlation"):
        with pytest.raises(ValueError, match=rf"^{name} needs codes of at most 1e\+150"):
            getattr(metrics, name)(vae, far)
