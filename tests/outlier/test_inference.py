import re

import numpy as np
import pandas as pd
import pytest
from detectors import SMALL, TRANSFORMERS, detector, every_density
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest
from sklearn.decomposition import PCA, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import VAETransformer
from skvae.outlier import RobustVAE


def test_the_three_answers_are_one(table):
    fitted = detector().fit(table)
    scores = fitted.score_samples(table)
    assert_array_equal(fitted.decision_function(table), scores - fitted.offset_)
    assert_array_equal(fitted.predict(table), np.where(scores >= fitted.offset_, 1, -1))
    assert_array_equal(detector().fit_predict(table), fitted.predict(table))


def test_a_p_value_counts_the_rows_held_out_that_score_no_higher(table):
    fitted = detector(calibration_fraction=0.25).fit(table)
    scores = fitted.score_samples(table)
    below = (fitted.calibration_scores_ <= scores[:, None]).sum(axis=1)
    assert_allclose(fitted.p_value(table), (1 + below) / 101, rtol=1e-12)
    assert_allclose(fitted.p_value(1e6 + table[:1]), 1 / 101, rtol=1e-12)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_p_values_of_inliers_are_uniform_and_valid(kind):
    rng = np.random.RandomState(0)
    mixing = rng.standard_normal((3, 5))
    p_values = []
    for seed in range(400):  # one row for each draw of the rows held out: these are independent
        X = rng.standard_normal((100, 3)) @ mixing + 0.3 * rng.standard_normal((100, 5))
        fitted = detector(anomaly_score=kind, calibration_fraction=0.5, random_state=seed)
        p_values.append(fitted.fit(X[1:]).p_value(X[:1])[0])
    smeared = np.array(p_values) - rng.uniform(size=400) / 51  # from steps of 1 / 51 to uniform
    assert kstest(smeared, "uniform").pvalue > 0.05
    for level in (0.05, 0.1, 0.2):
        error = np.sqrt(level * (1 - level) / 400)
        assert np.mean(np.array(p_values) <= level) <= level + 2.5 * error


def test_p_values_are_valid_where_the_transformer_overfits():
    rng = np.random.RandomState(1)
    X, new = rng.standard_normal((60, 20)), rng.standard_normal((4000, 20))
    memorising = KernelPCA(29, kernel="rbf", gamma=0.5, fit_inverse_transform=True, alpha=1e-9)
    fitted = detector(memorising, anomaly_score="reconstruction", calibration_fraction=0.5).fit(X)
    trained = detector(memorising, anomaly_score="reconstruction").fit(X[:30])
    assert np.mean(trained.predict(new) == -1) > 0.9  # a threshold of rows trained on
    assert np.mean(fitted.p_value(new) <= 0.1) < 0.25


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction"])
@every_density
def test_an_explanation_sums_to_the_score(name, kind, table):
    fitted = detector(TRANSFORMERS[name], anomaly_score=kind).fit(table)
    explained = fitted.explain(table)
    assert explained.contributions.shape == table.shape
    total = explained.contributions.sum(axis=1) - explained.kl
    assert_allclose(total, fitted.score_samples(table), rtol=1e-10, atol=1e-10)
    assert_array_equal(explained.rest, np.zeros(len(table)))
    has_divergence = kind == "likelihood" and name not in ("PCA", "Pipeline", "AE")
    assert (explained.kl > 0).all() == has_divergence


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
@pytest.mark.parametrize("input_scale", [1.0, 0.5])
def test_an_explanation_sums_to_the_score_under_every_likelihood(likelihood, input_scale, digits):
    vae = VAETransformer(2, likelihood=likelihood, input_scale=input_scale, **SMALL)
    X = digits[:100] / input_scale
    fitted = detector(vae).fit(X)
    explained = fitted.explain(X)
    total = explained.contributions.sum(axis=1) - explained.kl
    assert_allclose(total, fitted.score_samples(X), rtol=1e-10)


def test_the_terms_of_an_elbo_are_those_of_its_score(table):
    vae = VAETransformer(2, noise_variance="per-feature", **SMALL).fit(table)
    log_prob, kl = vae.elbo_terms(table)
    mean, std = vae.posterior(table)
    assert_allclose(kl, 0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(axis=1), rtol=1e-9)
    assert_allclose(log_prob.sum(axis=1) - kl, vae.score_samples(table), rtol=1e-10)


def test_the_reconstruction_is_explained_by_the_error_of_every_entry(table):
    fitted = detector(anomaly_score="reconstruction").fit(table)
    inner = fitted.transformer_
    errors = (table - inner.inverse_transform(inner.transform(table))) ** 2
    explained = fitted.explain(table)
    assert_allclose(explained.contributions, -errors / 6, rtol=1e-10)
    assert_allclose(explained.typical, np.median(-errors / 6, axis=0), rtol=1e-10)


def test_the_columns_chosen_are_the_furthest_below_what_is_typical(table):
    frame = pd.DataFrame(table.copy(), columns=list("abcdef"))
    frame.loc[7, "d"] += 50.0
    fitted = detector(VAETransformer(2, noise_variance="per-feature", **SMALL)).fit(frame)
    whole, part = fitted.explain(frame), fitted.explain(frame, 2)
    assert part.contributions.shape == part.feature_names.shape == (400, 2)
    assert part.feature_names[7, 0] == "d"
    columns = np.argsort(whole.contributions - whole.typical, axis=1)[:, :2]
    assert_array_equal(part.feature_names, whole.feature_names[columns])
    assert_array_equal(part.contributions, np.take_along_axis(whole.contributions, columns, 1))
    total = part.contributions.sum(axis=1) + part.rest - part.kl
    assert_allclose(total, fitted.score_samples(frame), rtol=1e-10)


def test_columns_are_named_as_the_last_step_has_them(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    scaled = detector(make_pipeline(StandardScaler(), PCA(2)))
    assert list(scaled.fit(frame).explain(frame).feature_names) == list("abcdef")
    rotated = detector(make_pipeline(PCA(4), PCA(2)))
    assert list(rotated.fit(frame).explain(frame).feature_names) == ["pca0", "pca1", "pca2", "pca3"]
    assert list(scaled.fit(table).explain(table).feature_names) == [f"x{j}" for j in range(6)]


def test_a_p_value_needs_rows_held_out(table):
    sentence = (
        "p_value needs rows held out of the training. Got a detector fitted with "
        "calibration_fraction=None instead. Set it, such as to 0.2, and fit again."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        detector().fit(table).p_value(table)
    with pytest.raises(NotFittedError):
        detector(calibration_fraction=0.2).p_value(table)


def test_an_explanation_needs_a_score_of_columns(table):
    sentence = (
        "explain needs a score that is a sum over columns: 'reconstruction', or the 'likelihood' "
        "of a VAE, an autoencoder or a PCA. Got anomaly_score='latent' of PCA instead. Use "
        "anomaly_score='reconstruction'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        detector(anomaly_score="latent").fit(table).explain(table)
    with pytest.raises(ValueError, match="The 'n_features' parameter of explain must be an int"):
        detector().fit(table).explain(table, 0)


# ------------------------------------------------------------------ equal rows, and impossible ones


def with_copies(seed, share=0.95):
    """Rows most of which are the same one."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((201, 5))
    X[rng.uniform(size=201) < share] = [0.3, 0.7, 0.1, 0.2, 0.9]
    return X


def test_p_values_are_valid_where_rows_are_equal_whatever_is_scored_beside():
    alone = []
    for seed in range(200):
        X = with_copies(seed)
        fitted = detector(
            anomaly_score="reconstruction", calibration_fraction=0.5, random_state=seed
        ).fit(X[1:])
        alone.append(fitted.p_value(X[:1])[0])
        assert fitted.p_value(X[:60])[0] == alone[-1]
    assert np.mean(np.array(alone) <= 0.15) <= 0.15 + 2.5 * np.sqrt(0.15 * 0.85 / 200)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("name", ["PCA", "VAE", "AE"])
def test_equal_rows_get_equal_answers(name, kind):
    X = np.random.RandomState(0).standard_normal((4, 6))[np.arange(100) % 4]
    X[::7] += np.random.RandomState(1).standard_normal((15, 6))
    fitted = detector(
        TRANSFORMERS[name], anomaly_score=kind, calibration_fraction=0.4, contamination=0.4
    ).fit(X)
    alone = [(fitted.p_value(row)[0], fitted.predict(row)[0]) for row in X[:, None]]
    assert_array_equal(np.array(alone).T, [fitted.p_value(X), fitted.predict(X)])


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_rows_too_far_off_to_compute_with_are_outliers(kind, table):
    for transformer in (PCA(2), RobustVAE(2, n_steps=5)):
        fitted = detector(transformer, anomaly_score=kind, calibration_fraction=0.2).fit(table)
        far = (table[:3] - 5.0) * 1e300
        assert_array_equal(fitted.score_samples(far), np.full(3, -np.inf))
        assert_array_equal(fitted.predict(far), [-1, -1, -1])
        assert_allclose(fitted.p_value(far), 1 / 81)


def test_a_row_at_the_threshold_is_an_inlier(table):
    fitted = detector().fit(table)
    fitted.offset_ = fitted.score_samples(table)[5]
    assert fitted.decision_function(table)[5] == 0.0
    assert fitted.predict(table)[5] == 1


def test_parameters_set_after_fit_change_nothing(table):
    fitted = detector(anomaly_score="reconstruction").fit(table)
    scores, part = fitted.score_samples(table), fitted.explain(table, 2)
    fitted.set_params(anomaly_score="latent", transformer="passthrough", contamination=0.5)
    assert_array_equal(fitted.score_samples(table), scores)
    assert_array_equal(fitted.explain(table, 2).contributions, part.contributions)


def test_the_typical_contributions_are_those_of_the_columns_chosen(table):
    fitted = detector(anomaly_score="reconstruction").fit(table)
    whole, part = fitted.explain(table), fitted.explain(table, 3)
    columns = np.argsort(whole.contributions - whole.typical, axis=1)[:, :3]
    assert_array_equal(part.typical, whole.typical[columns])


def test_columns_that_a_step_makes_without_names_are_numbered(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    for function, n_columns in ((reversed_columns, 6), (all_but_one, 5)):
        steps = FunctionTransformer(function), StandardScaler(), PCA(2)
        explained = detector(make_pipeline(*steps)).fit(frame).explain(frame)
        assert list(explained.feature_names) == [f"x{column}" for column in range(n_columns)]


def reversed_columns(X):
    return np.asarray(X)[:, ::-1]


def all_but_one(X):
    return np.asarray(X)[:, 1:]


def test_where_all_rows_score_alike_all_are_as_normal_as_can_be(table):
    fitted = detector(
        anomaly_score=lambda transformer, X: np.zeros(len(X)), calibration_fraction=0.5
    )
    assert_array_equal(fitted.fit(table).p_value(table), np.ones(400))
    assert_array_equal(fitted.predict(table), np.ones(400))
