import re
import sys
from functools import partial
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from detectors import TRANSFORMERS, detector, every_density
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderOutlierDetector

long = partial(pytest.param, marks=pytest.mark.long)


def test_the_three_answers_are_one(table):
    fitted = detector().fit(table)
    scores = fitted.score_samples(table)
    assert_array_equal(fitted.decision_function(table), scores - fitted.offset_)
    assert_array_equal(fitted.predict(table), np.where(scores >= fitted.offset_, 1, -1))
    assert_array_equal(detector().fit_predict(table), fitted.predict(table))


def test_a_p_value_counts_the_rows_held_out_that_score_no_higher(table):
    fitted = detector(calibration_fraction=0.25, n_estimators=1).fit(table)
    scores = fitted.score_samples(table)
    below = (fitted.calibration_scores_ <= scores[:, None] * (1 - 1e-6)).sum(axis=1)
    assert_allclose(fitted.p_value(table), (1 + below) / 101, rtol=1e-12)
    assert_allclose(fitted.p_value(1e6 + table[:1]), 1 / 101, rtol=1e-12)


def test_an_out_of_bag_p_value_compares_by_the_models_that_have_not_seen_the_other(table):
    X, new = table[:60], table[300:]
    fitted = detector(PCA(2), n_estimators=6, n_refits=0).fit(X)
    models = [PCA(2).fit(X[bag]) for bag in fitted.estimators_samples_]
    inside = [np.isin(np.arange(60), bag) for bag in fitted.estimators_samples_]
    own, others = (np.stack([m.score_samples(rows) for m in models]) for rows in (new, X))
    expected = np.ones(len(new))
    for row in range(60):
        unseen = [place for place in range(6) if not inside[place][row]]
        expected += others[unseen, row].mean() <= own[unseen].mean(axis=0)
    assert_allclose(fitted.p_value(new), expected / 61, rtol=1e-12)
    oob = fitted.oob_scores_
    rounding = 1e-6 * (np.abs(oob) + np.median(np.abs(oob)))
    expected = 1 + (oob <= (oob + rounding)[:, None]).sum(axis=1)  # itself among them
    seen = np.any(inside, axis=0)
    assert_allclose(fitted.p_value(X)[seen], expected[seen] / 61, rtol=1e-12)


SPLIT = {"n_estimators": 1, "calibration_fraction": 0.5}
LEVELS = (0.05, 0.1, 0.2)


def p_values_of_one_new_row(n_draws, n_samples, **parameters):
    """Return p-values that are independent: each of another draw of all rows."""
    rng, mixing = np.random.RandomState(0), np.random.RandomState(1).standard_normal((3, 5))
    found = []
    for seed in range(n_draws):
        X = rng.standard_normal((n_samples + 1, 3)) @ mixing
        X += 0.3 * rng.standard_normal(X.shape)
        fitted = detector(random_state=seed, **parameters).fit(X[1:])
        found.append(fitted.p_value(X[:1])[0])
    return np.array(found)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_split_conformal_p_values_are_uniform_and_valid(kind):
    found = p_values_of_one_new_row(400, 99, anomaly_score=kind, **SPLIT)
    smeared = found - np.random.RandomState(2).uniform(size=400) / 51  # from steps to uniform
    assert kstest(smeared, "uniform").pvalue > 0.001
    for level in LEVELS:
        error = np.sqrt(level * (1 - level) / 400)
        assert np.mean(found <= level) <= level + 2.5 * error


@pytest.mark.parametrize("kind", ["likelihood", long("reconstruction"), long("latent")])
def test_out_of_bag_p_values_hold_their_level(kind):
    found = p_values_of_one_new_row(400, 59, anomaly_score=kind)
    for level in LEVELS:
        error = np.sqrt(level * (1 - level) / 400)
        assert level / 2 < np.mean(found <= level) <= level + 2.5 * error  # proved: 2 * level


def test_out_of_bag_p_values_hold_where_the_transformer_overfits():
    rng = np.random.RandomState(1)
    memorising = KernelPCA(29, kernel="rbf", gamma=0.5, fit_inverse_transform=True, alpha=1e-9)
    shares = {"predict": [], "p_value": []}
    for seed in range(20):
        X, new = rng.standard_normal((60, 20)), rng.standard_normal((500, 20))
        fitted = detector(memorising, anomaly_score="reconstruction", random_state=seed).fit(X)
        shares["predict"].append(np.mean(fitted.predict(new) == -1))
        shares["p_value"].append(np.mean(fitted.p_value(new) <= 0.1))
    own = memorising.fit(X)
    errors = ((own.inverse_transform(own.transform(X)) - X) ** 2).mean(axis=1)
    of_new = ((own.inverse_transform(own.transform(new)) - new) ** 2).mean(axis=1)
    assert np.mean(of_new > np.quantile(errors, 0.9)) > 0.9  # a threshold of rows trained on
    for share in shares.values():
        assert np.mean(share) < 0.1 + 2.5 * np.std(share) / np.sqrt(20)


def test_the_least_p_value_is_one_over_the_scores_and_one_more(table):
    far = np.full((1, 6), 1e4)
    assert_allclose(detector().fit(table).p_value(far), 1 / 401)
    assert_allclose(detector(calibration_fraction=0.1).fit(table).p_value(far), 1 / 41)


def test_outliers_that_were_fitted_get_small_p_values():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 4))
    X[:3] += [20.0, -20.0, 20.0, -20.0]
    fitted = detector(PCA(2)).fit(X)
    assert (fitted.p_value(X[:3]) <= 0.05).all()
    assert set(np.argsort(fitted.oob_scores_)[:3]) == {0, 1, 2}


# ---------------------------------------------------------------------------------- explanations


TABLES = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
}
EXPLAINED = {
    "default": {},
    "PCA": {"transformer": make_pipeline(StandardScaler(), PCA(0.9))},
    "factors": {"transformer": make_pipeline(StandardScaler(), FactorAnalysis(3))},
    "latent": {
        "transformer": make_pipeline(StandardScaler(), PCA(0.999)),
        "anomaly_score": "latent",
    },
}


@pytest.mark.parametrize("kind", EXPLAINED)
@pytest.mark.parametrize("name", ["iris", "wine", *map(long, list(TABLES)[2:])])
def test_the_column_that_is_far_out_is_named_first(name, kind):
    X = TABLES[name]().data
    fitted = AutoencoderOutlierDetector(random_state=0, **EXPLAINED[kind]).fit(X)
    scores = fitted.score_samples(X)
    rng = np.random.RandomState(0)
    rows = rng.choice(np.flatnonzero(scores > np.median(scores)), 20)
    columns = rng.choice(np.flatnonzero(X.std(axis=0) > 0), 20)
    for far in (10, 100, 1e6, 1e30):
        pushed = X[rows].astype(float)
        pushed[np.arange(20), columns] += rng.choice([-far, far], 20) * X.std(axis=0)[columns]
        named = fitted.explain(pushed, n_features=1).column
        assert np.mean(named == [f"x{column}" for column in columns]) >= 0.95


def test_a_row_far_out_in_one_column_is_not_explained_by_others():
    data = load_breast_cancer(as_frame=True)
    benign, row = data.data[data.target == 1], data.data.loc[[461]]
    for seed in range(4):
        fitted = AutoencoderOutlierDetector(random_state=seed).fit(benign)
        explained = fitted.explain(row, n_features=3).to_frame()
        assert explained.column[0] == "area error"  # 58.9 standard deviations out
        assert explained.value[0] == row["area error"].item()
        assert explained.typical[0] == benign["area error"].median()
        assert list(explained.row) == [461] * 3


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@every_density
def test_contributions_sum_to_what_typical_values_change(name, kind, table):
    fitted = detector(TRANSFORMERS[name], anomaly_score=kind).fit(table)
    rows = table[:5] + np.eye(5, 6) * 4.0
    explained = fitted.explain(rows).to_frame()
    sums = explained.groupby("row").contribution.sum()
    medians = np.median(table, axis=0)
    expected = fitted.score_samples(rows) - fitted.score_samples(medians[None])
    assert_allclose(sums, expected, rtol=1e-9, atol=1e-9)
    for _, lines in explained.groupby("row"):
        assert (np.diff(lines.contribution) >= 0).all()
    part = fitted.explain(rows, n_features=2).to_frame()
    assert_array_equal(part.contribution, explained.groupby("row").head(2).contribution)


def test_of_a_quadratic_score_contributions_are_shapley_values(table):
    fitted = detector(PCA(2)).fit(table)
    row = table[:1] + np.array([5.0, 0.0, 0.0, -3.0, 0.0, 0.0])
    medians = np.median(table, axis=0)
    explained = fitted.explain(row).to_frame().set_index("column").contribution
    for column in range(6):
        others = [other for other in range(6) if other != column]
        value = 0.0
        for size in range(6):
            weight = factorial(size) * factorial(5 - size) / factorial(6)
            for given in combinations(others, size):
                without = row.copy()
                without[0, list(given)] = medians[list(given)]
                both = without.copy()
                both[0, column] = medians[column]
                gained = fitted.score_samples(without) - fitted.score_samples(both)
                value += weight * gained[0]
        assert_allclose(explained[f"x{column}"], value, rtol=1e-9, atol=1e-9)


def test_columns_that_are_odd_together_are_all_named():
    rng = np.random.RandomState(0)
    size, others = rng.standard_normal((500, 1)), rng.standard_normal((500, 4))
    X = np.c_[size + 0.05 * rng.standard_normal((500, 3)), others]
    fitted = detector(PCA(2)).fit(X)
    row = np.array([[8.0, 8.0, 8.0, 0.1, -0.1, 0.2, 0.0]])
    assert set(fitted.explain(row, n_features=3).column) == {"x0", "x1", "x2"}
    apart = np.array([[1.5, 1.5, -1.5, 0.1, -0.1, 0.2, 0.0]])  # no value by itself is odd
    assert fitted.explain(apart, n_features=1).column[0] == "x2"


def test_without_pandas_an_explanation_has_its_columns_and_prints(table, monkeypatch):
    fitted = detector().fit(table)
    explained = fitted.explain(table[:3], 2)
    expected = explained.to_frame()
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert list(explained) == list(expected.columns)
    for name, values in explained.items():
        assert_array_equal(values, expected[name])
    assert len(repr(explained).splitlines()) == 7
    sentence = (
        "Explanation.to_frame needs pandas for a frame. Got none that can be imported instead. "
        "Install it: pip install skvae[images]"
    )
    with pytest.raises(ImportError, match=f"^{re.escape(sentence)}$"):
        explained.to_frame()


def test_explain_refuses_a_number_of_columns_that_is_none(table):
    with pytest.raises(ValueError, match="The 'n_features' parameter of explain must be an int"):
        detector().fit(table).explain(table, 0)
    assert len(detector().fit(table).explain(table[:2], 50).to_frame()) == 12
    with pytest.raises(NotFittedError):
        detector().explain(table)


# ------------------------------------------------------------------ equal rows, and impossible ones


def with_copies(seed, share=0.95):
    """Rows most of which are the same one."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((201, 5))
    X[rng.uniform(size=201) < share] = [0.3, 0.7, 0.1, 0.2, 0.9]
    return X


@pytest.mark.parametrize("parameters", [SPLIT, {}], ids=["split", "out of bag"])
def test_p_values_are_valid_where_rows_are_equal_whatever_is_scored_beside(parameters):
    alone = []
    for seed in range(200):
        X = with_copies(seed)
        fitted = detector(anomaly_score="reconstruction", random_state=seed, **parameters)
        alone.append(fitted.fit(X[1:]).p_value(X[:1])[0])
        assert fitted.p_value(X[:60])[0] == alone[-1]
    assert np.mean(np.array(alone) <= 0.15) <= 0.15 + 2.5 * np.sqrt(0.15 * 0.85 / 200)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("name", ["PCA", "VAE", "AE"])
def test_equal_rows_get_equal_answers(name, kind):
    X = np.random.RandomState(0).standard_normal((4, 6))[np.arange(100) % 4]
    X[::7] += np.random.RandomState(1).standard_normal((15, 6))
    fitted = detector(TRANSFORMERS[name], anomaly_score=kind, contamination=0.4).fit(X)
    alone = [(fitted.p_value(row)[0], fitted.predict(row)[0]) for row in X[:, None]]
    assert_array_equal(np.array(alone).T, [fitted.p_value(X), fitted.predict(X)])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("transformer", [PCA(2), None], ids=["PCA", "default"])
def test_a_huge_value_in_one_row_is_an_outlier_and_no_matter_to_others(
    transformer, kind, dtype, table
):
    X = table.astype(dtype)
    fitted = AutoencoderOutlierDetector(transformer, anomaly_score=kind, random_state=0).fit(X)
    rows = X[:20].copy()
    rows[3, 2] = np.finfo(dtype).min
    rows[5, 1] = 1e25
    scores = fitted.score_samples(rows)
    assert np.isfinite(scores).all()
    others = np.setdiff1d(np.arange(20), [3, 5])
    assert_allclose(scores[others], fitted.score_samples(X[others]), rtol=1e-5)
    assert_array_equal(fitted.predict(rows)[[3, 5]], [-1, -1])
    assert_allclose(fitted.p_value(rows[[3, 5]]), 1 / 401)
    if kind != "latent":
        assert list(fitted.explain(rows[[3, 5]], 1).column) == ["x2", "x1"]


def test_a_row_at_the_threshold_is_an_inlier(table):
    fitted = detector().fit(table)
    fitted.offset_ = fitted.score_samples(table)[5]
    assert fitted.decision_function(table)[5] == 0.0
    assert fitted.predict(table)[5] == 1


def test_parameters_set_after_fit_change_nothing(table):
    fitted = detector(anomaly_score="reconstruction").fit(table)
    scores, part = fitted.score_samples(table), fitted.explain(table[:9], 2).to_frame()
    fitted.set_params(anomaly_score="latent", transformer="passthrough", contamination=0.5)
    assert_array_equal(fitted.score_samples(table), scores)
    pd.testing.assert_frame_equal(fitted.explain(table[:9], 2).to_frame(), part)


def test_where_all_rows_score_alike_all_are_as_normal_as_can_be(table):
    fitted = detector(anomaly_score=lambda transformer, X: np.zeros(len(X)))
    assert_array_equal(fitted.fit(table).p_value(table), np.ones(400))
    assert_array_equal(fitted.predict(table), np.ones(400))
