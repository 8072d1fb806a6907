import re

import numpy as np
import pytest
from hypothesis import given, settings
from known_factors import noise, relabellings, rotation

from skvae.metrics import udr_score

CODES = noise(5000, 4, seed=0)
# Exactly uncorrelated ranks: a full factorial of four variables.
GRID = np.indices((4, 5, 6, 3)).reshape(4, -1).T * 1.0


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_the_same_codes_in_another_order_have_score_1(order):
    other = np.exp(GRID[:, order]) * [1.0, -2.0, 0.1, -5.0]
    details = udr_score([GRID, other, GRID], details=True)
    assert details.score == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(details.per_model, 1, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(details.agreement), np.eye(3))


@pytest.mark.parametrize(
    ("method", "expected", "margin"), [("spearman", 0.970, 0.02), ("lasso", 0.9, 0.002)]
)
def test_equal_independent_codes(method, expected, margin):
    assert udr_score([CODES, CODES], method=method) == pytest.approx(expected, abs=margin)


@pytest.mark.parametrize(("method", "most"), [("spearman", 0.02), ("lasso", 0.0)])
def test_independent_codes_do_not_agree(method, most):
    assert udr_score([CODES, noise(5000, 4, seed=1)], method=method) <= most


@pytest.mark.parametrize("method", ["spearman", "lasso"])
def test_two_codes_turned_by_45_degrees_halve_their_part(method):
    codes = CODES - CODES.mean(0)
    codes = codes @ np.linalg.inv(np.linalg.cholesky(np.cov(codes.T))).T
    turned = codes.copy()
    turned[:, :2] = turned[:, :2] @ rotation(np.pi / 4).T
    shrunk = {"spearman": 1.0, "lasso": 0.9}[method]
    half = {"spearman": np.sqrt(0.5), "lasso": np.sqrt(0.5) - 0.1}[method] / 2
    expected = (2 * shrunk + 2 * half) / 4  # r^2 / (r + r) = r / 2
    assert udr_score([codes, turned], method=method) == pytest.approx(expected, abs=0.03)


def test_lasso_is_the_penalised_regression_of_every_code():
    # On whitened codes a lasso's coefficients are their covariances, softened by the penalty.
    z = GRID[:, :2]
    z = (z - z.mean(0)) / z.std(0)
    other = np.c_[0.8 * z[:, 0] + 0.6 * z[:, 1], z[:, 1]]
    # R = [[0.7, 0.0], [0.5, 0.9]], the codes of the first model in its rows
    expected = ((0.7**2 / 1.2 + 0.9) + (0.7 + 0.9**2 / 1.4)) / 4
    agreement = udr_score([z, other], method="lasso", details=True).agreement
    assert agreement[0, 1] == pytest.approx(expected, abs=1e-6)
    assert agreement[1, 0] != pytest.approx(expected, abs=1e-3)


def test_a_model_has_the_median_over_the_others_and_the_score_is_their_mean():
    models = [GRID, GRID[:, ::-1], noise(360, 4)]
    details = udr_score(models, details=True)
    np.testing.assert_allclose(details.agreement, details.agreement.T)
    agree, odd = details.agreement[0, 1], details.agreement[0, 2]
    odd_other = details.agreement[1, 2]
    expected = [(agree + odd) / 2, (agree + odd_other) / 2, (odd + odd_other) / 2]
    np.testing.assert_allclose(details.per_model, expected, atol=1e-12)
    assert details.score == pytest.approx(np.mean(expected))


def test_constant_and_collapsed_codes_are_inactive():
    constant = np.c_[GRID, np.full(len(GRID), 0.1)]
    details = udr_score([GRID, constant], details=True)
    np.testing.assert_array_equal(details.n_active, [4, 4])
    assert details.score == pytest.approx(1, abs=1e-12)
    collapsed = np.c_[GRID, 0.01 * noise(360, 1)]
    stds = [np.full((360, 4), 0.1), np.full((360, 5), 0.5)]
    details = udr_score([GRID, collapsed], stds_list=stds, details=True)
    np.testing.assert_array_equal(details.n_active, [4, 4])
    assert details.score > udr_score([GRID, collapsed])


@pytest.mark.parametrize(("method", "score"), [("spearman", 1.0), ("lasso", 0.9)])
def test_the_library_masks_collapsed_codes_on_both_sides(method, score):
    """Each model has a third code that repeats the first, a thousandth of its size."""
    codes = np.c_[GRID[:, :2], 1e-3 * GRID[:, 0]]
    stds = np.tile([0.1, 0.1, 1.0], (len(codes), 1))
    masked = {"stds_list": [stds, stds], "method": method}
    theirs = udr_score([codes, codes], flavor="disentanglement_lib", **masked)
    assert theirs == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("flavor", [None, "disentanglement_lib"])
@pytest.mark.parametrize("method", ["spearman", "lasso"])
def test_models_of_constant_codes_have_score_0(method, flavor):
    constant = np.full((360, 2), 0.1)
    assert udr_score([constant, constant], method=method, flavor=flavor) == 0
    assert udr_score([constant, GRID], method=method, flavor=flavor) == 0


def test_flavors_weigh_models_of_unequal_sizes_differently():
    half = GRID[:, :2]  # its two codes agree wholly, of the other four two do
    assert udr_score([GRID, half]) == pytest.approx((2 + 2) / 6, abs=1e-12)
    theirs = udr_score([GRID, half], flavor="disentanglement_lib")
    assert theirs == pytest.approx(0.5 * (2 / 4 + 2 / 2), abs=1e-12)


@settings(max_examples=10, deadline=None)
@given(change=relabellings(4))
@pytest.mark.parametrize("method", ["spearman", "lasso"])
def test_order_sign_and_scale_of_the_codes_do_not_matter(method, change):
    order, scale = change
    codes, other = noise(200, 4, seed=2), noise(200, 3, seed=3)
    codes[:, :3] += other
    expected = udr_score([codes, other], method=method)
    changed = udr_score([codes[:, order] * scale, other], method=method)
    assert changed == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("models", [[], [GRID], [GRID, GRID[1:]]])
def test_fewer_than_two_models_of_the_same_rows_are_refused(models):
    sentence = (
        f"udr_score needs the codes of the same rows by at least two models. Got "
        f"{[len(codes) for codes in models]} rows instead. Give one array for each model."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        udr_score(models)


def test_stds_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"^udr_score needs stds over 0, of the shape \(360, 4\)"):
        udr_score([GRID, GRID], stds_list=[np.ones((360, 4)), np.ones((360, 3))])
    sentence = (
        "udr_score needs stds_list to have an array for each model. Got 1 for 2 models instead. "
        "Give those that posterior returns with the codes."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        udr_score([GRID, GRID], stds_list=[np.ones((360, 4))])


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="The 'method' parameter of udr_score must be"):
        udr_score([GRID, GRID], method="pearson")


@pytest.mark.parametrize("method", ["spearman", "lasso"])
def test_the_global_generator_is_left_alone(method):
    before = np.random.get_state()[1].copy(), np.random.get_state()[2]
    udr_score([GRID, CODES[: len(GRID)]], method=method)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert np.random.get_state()[2] == before[1]
