"""Which rows each model trains on, and what the rows that it has not seen decide."""

import re

import numpy as np
import pytest
from detectors import detector
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.decomposition import PCA

from skvae.outlier.bags import draw_bags
from skvae.outlier.calibration import threshold


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_the_share_of_the_rows_fitted_that_are_outliers_is_the_contamination(contamination, table):
    fitted = detector(contamination=contamination).fit(table)
    quantile = np.quantile(fitted.oob_scores_, contamination, method="weibull")
    assert_allclose(fitted.offset_, quantile, rtol=3e-6)
    assert fitted.offset_ < quantile
    assert (fitted.predict(table) == -1).sum() == contamination * len(table)


def test_a_row_that_was_fitted_is_scored_by_the_models_that_have_not_seen_it(table):
    fitted = detector(n_estimators=5, n_refits=0).fit(table)
    alone = np.stack([PCA(2).fit(table[bag]).score_samples(table) for bag in bags(fitted)], axis=1)
    unseen = np.stack([~np.isin(np.arange(400), bag) for bag in bags(fitted)], axis=1)
    assert unseen.any(axis=1).all()
    expected = (alone * unseen).sum(axis=1) / unseen.sum(axis=1)
    assert_allclose(fitted.oob_scores_, expected, rtol=1e-9)
    assert_array_equal(fitted.oob_scores_, fitted.score_samples(table))
    assert_array_equal(fitted.calibration_scores_, np.sort(fitted.oob_scores_))
    new = table + 0.5
    expected = np.mean([PCA(2).fit(table[bag]).score_samples(new) for bag in bags(fitted)], axis=0)
    assert_allclose(fitted.score_samples(new), expected, rtol=1e-9)


def bags(fitted):
    return fitted.estimators_samples_


def test_rows_held_out_alone_decide_on_the_threshold(table):
    for n_estimators in (1, 4):
        fitted = detector(calibration_fraction=0.25, contamination=0.1, n_estimators=n_estimators)
        fitted.fit(table)
        held_out = np.flatnonzero(~np.isnan(fitted.oob_scores_))
        assert len(held_out) == 100 == len(fitted.calibration_scores_)
        assert not np.isin(held_out, np.concatenate(bags(fitted))).any()
        scores = np.sort(fitted.score_samples(table[held_out]))
        assert_allclose(fitted.calibration_scores_, scores, rtol=1e-12)
        assert_allclose(fitted.offset_, np.quantile(scores, 0.1, method="weibull"), rtol=3e-6)
        assert_allclose(fitted.oob_scores_[held_out], fitted.score_samples(table[held_out]))
    assert len(bags(detector(calibration_fraction=0.25, n_estimators=1).fit(table))[0]) == 300


def test_a_threshold_expects_its_share_exactly_of_uniform_scores():
    rng = np.random.RandomState(0)
    for n, contamination in ((50, 0.05), (50, 0.1), (199, 0.01)):
        scores = rng.uniform(size=(20_000, n))  # a new row undercuts a threshold t with chance t
        expected = np.mean([threshold(row, contamination) for row in scores])
        assert_allclose(expected, contamination, rtol=0.02)


def test_few_rows_cannot_tell_a_small_share(table):
    sentence = (
        "A contamination below 1 / (m + 1) cannot be measured with m=50 scores of rows that the "
        "models were not fitted to. Got 0.01, and the threshold is the smallest of these scores "
        "instead: a new normal row is below it with probability 0.02. Give more rows, or raise "
        "contamination."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        fitted = detector(contamination=0.01).fit(table[:50])
    assert_allclose(fitted.offset_, fitted.oob_scores_.min(), rtol=3e-6)


@pytest.mark.parametrize("n_samples", [7, 50, 401])
def test_every_row_is_left_out_by_one_of_three_models(n_samples):
    for seed in range(20):
        drawn = draw_bags(n_samples, 7, 10_000, np.random.RandomState(seed))
        left_out = np.stack([~np.isin(np.arange(n_samples), bag) for bag in drawn])
        for three in (left_out[:3], left_out[3:6]):
            counts = three.sum(axis=0)
            assert set(counts) <= {1, 3}  # all three of the quarter with the unknown row
            assert abs(np.mean(counts == 3) - 1 / 4) <= 1 / n_samples + 0.01 or n_samples == 7
        sizes = [len(bag) for bag in drawn]
        assert max(abs(size - (n_samples + 1) / 2) for size in sizes) <= 1
    capped = draw_bags(n_samples, 6, 5, np.random.RandomState(0))
    assert max(len(bag) for bag in capped) <= 5


def test_outliers_are_left_out_of_the_second_fit():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((600, 3))
    X[:30] += 50.0
    whole, refitted = (detector(PCA(1), n_refits=n).fit(X) for n in (0, 1))
    assert max(np.abs(model.mean_).max() for model in refitted.estimators_) < 0.2
    assert min(np.abs(model.mean_).max() for model in whole.estimators_) > 1.0
    clean = detector(PCA(1), contamination=0.05).fit(X[30:])
    assert_array_equal(clean.oob_scores_, clean.set_params(n_refits=0).fit(X[30:]).oob_scores_)


def test_the_automatic_threshold_is_three_standard_deviations_below_normal_scores():
    scores = 5 + 2 * np.random.RandomState(0).standard_normal(200_000)
    assert_allclose(threshold(scores, "auto"), 5 - 3 * 2, atol=0.05)
    outliers = np.r_[scores, np.full(20_000, -1e6)]  # a share of 1 / 11, however far away
    quartile, median = norm.ppf((np.array([0.25, 0.5]) - 1 / 11) / (1 - 1 / 11))
    expected = 5 + 2 * (median - 3 * (median - quartile) / 0.6745)
    assert_allclose(threshold(outliers, "auto"), expected, atol=0.05)


def test_the_automatic_threshold_is_that_of_the_out_of_bag_scores(table):
    fitted = detector(contamination="auto").fit(table)
    assert_allclose(fitted.offset_, threshold(fitted.oob_scores_, "auto"), rtol=3e-6)


def test_distances_are_to_the_codes_of_the_rows_trained_on(table):
    fitted = detector(anomaly_score="latent", n_estimators=1, calibration_fraction=0.25)
    (bag,) = bags(fitted.fit(table))
    codes = PCA(2).fit(table[bag]).transform(table)
    covariance = np.linalg.inv(np.cov(codes[bag].T, bias=True))
    centred = codes - codes[bag].mean(axis=0)
    squares = np.einsum("ni,ij,nj->n", centred, covariance, centred)
    assert_allclose(fitted.score_samples(table), -np.sqrt(squares), rtol=1e-9)


def test_at_least_one_row_is_held_out_and_two_are_trained_on(table):
    fitted = detector(
        PCA(1), anomaly_score="reconstruction", calibration_fraction=0.01, n_estimators=1
    )
    with pytest.warns(UserWarning, match="cannot be measured with m=1 scores"):
        assert len(fitted.fit(table[:3]).calibration_scores_) == 1
    with pytest.raises(ValueError, match="Found array with 2 sample"):
        fitted.fit(table[:2])
