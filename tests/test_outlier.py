import inspect
import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.spatial.distance import mahalanobis
from scipy.stats import kstest, norm
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    ReconstructionOutlierDetector,
    VAETransformer,
)

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}
TRANSFORMERS = {
    "PCA": PCA(2),
    "Pipeline": make_pipeline(StandardScaler(), PCA(2)),
    "AE": AutoencoderTransformer(2, **SMALL),
    "VAE": VAETransformer(2, **SMALL),
    "per-feature": VAETransformer(2, noise_variance="per-feature", **SMALL),
    "beta-TCVAE": BetaTCVAETransformer(2, **SMALL),
    "Pipeline of a VAE": make_pipeline(StandardScaler(), VAETransformer(2, **SMALL)),
    "search": GridSearchCV(VAETransformer(2, **SMALL), {"n_components": [2]}, cv=2),
}
every_density = pytest.mark.parametrize("name", TRANSFORMERS)


def detector(transformer=None, **parameters):
    transformer = PCA(2) if transformer is None else transformer
    return ReconstructionOutlierDetector(transformer, **{"random_state": 0, **parameters})


def log_likelihood_of_a_pca(transformer, X):
    return transformer.score_samples(X)


# ------------------------------------------------------------------ scikit-learn's checks


@parametrize_with_checks(
    [
        ReconstructionOutlierDetector(VAETransformer(2, **SMALL), random_state=0),
        detector(VAETransformer(1, **SMALL), anomaly_score="latent"),
        detector(AutoencoderTransformer(2, **SMALL), anomaly_score="reconstruction"),
        detector(PCA(1)),
        detector(PCA(1), anomaly_score="reconstruction", calibration_fraction=0.2),
        detector(make_pipeline(StandardScaler(), PCA(1)), anomaly_score=log_likelihood_of_a_pca),
    ]
)
def test_scikit_learn_check_passes(estimator, check):
    check(estimator)


# Some of these fit a DataFrame and transform an array on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_inplace_ensure_writeable,
        estimator_checks.check_param_validation,
    ],
    ids=lambda check: check.__name__,
)
def test_further_scikit_learn_check_passes(check):
    check("ReconstructionOutlierDetector", detector(VAETransformer(2, **SMALL)))


def test_no_tag_avoids_a_check():
    tags = ReconstructionOutlierDetector().__sklearn_tags__()
    assert tags.estimator_type == "outlier_detector"
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test


def test_every_parameter_has_a_constraint_and_is_documented_in_order():
    signature = inspect.signature(ReconstructionOutlierDetector).parameters
    positional = [name for name, p in signature.items() if p.kind is not p.KEYWORD_ONLY]
    assert positional == ["transformer"]
    assert set(signature) == set(ReconstructionOutlierDetector._parameter_constraints)
    doc = inspect.getdoc(ReconstructionOutlierDetector)
    section = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0] for line in section.splitlines() if " : " in line[:40]]
    assert documented == list(signature)


# ------------------------------------------------------------------ scores


@every_density
def test_the_likelihood_is_the_transformers_own_score(name, table):
    fitted = detector(TRANSFORMERS[name]).fit(table)
    assert_array_equal(fitted.score_samples(table), fitted.transformer_.score_samples(table))
    alone = clone(TRANSFORMERS[name]).fit(table)
    assert_array_equal(fitted.score_samples(table), alone.score_samples(table))


@pytest.mark.parametrize(
    "transformer",
    [*TRANSFORMERS.values(), KernelPCA(2, kernel="rbf", fit_inverse_transform=True)],
    ids=[*TRANSFORMERS, "KernelPCA"],
)
def test_the_reconstruction_is_minus_the_mean_squared_error(transformer, table):
    fitted = detector(transformer, anomaly_score="reconstruction").fit(table)
    inner = fitted.transformer_
    back = inner.inverse_transform(inner.transform(table))
    assert_allclose(fitted.score_samples(table), -((table - back) ** 2).mean(axis=1), rtol=1e-10)


@every_density
def test_the_latent_score_is_minus_a_mahalanobis_distance_made_by_hand(name, table):
    fitted = detector(TRANSFORMERS[name], anomaly_score="latent").fit(table)
    codes = fitted.transformer_.transform(table)
    inverse = np.linalg.inv(np.cov(codes.T, bias=True))
    expected = [-mahalanobis(code, codes.mean(axis=0), inverse) for code in codes[:50]]
    assert_allclose(fitted.score_samples(table[:50]), expected, rtol=1e-7)


def test_a_dimension_without_variance_does_not_count_in_the_latent_score(table):
    X = np.c_[table, np.zeros(len(table))]
    whole = detector(PCA(7), anomaly_score="latent").fit(X).score_samples(X)
    assert_allclose(whole, detector(PCA(6), anomaly_score="latent").fit(X).score_samples(X))


def test_a_callable_gets_the_transformer_and_the_rows(table):
    def score(transformer, X):
        return transformer.transform(X)[:, 0]

    fitted = detector(anomaly_score=score).fit(table)
    assert_array_equal(fitted.score_samples(table), PCA(2).fit_transform(table)[:, 0])


def test_scores_are_those_of_the_row_alone_and_float64(table):
    fitted = detector(VAETransformer(2, **SMALL)).fit(table.astype(np.float32))
    scores = fitted.score_samples(table.astype(np.float32))
    assert scores.dtype == np.float64
    alone = np.concatenate([fitted.score_samples(table[[row]]) for row in range(5)])
    assert_allclose(fitted.score_samples(table)[:5], alone, rtol=1e-12)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_sparse_rows_score_as_dense_ones(kind, digits):
    fitted = detector(VAETransformer(4, **SMALL), anomaly_score=kind).fit(csr_array(digits))
    dense = fitted.score_samples(digits[:20])
    assert_allclose(fitted.score_samples(csr_array(digits[:20])), dense, rtol=1e-10)


def test_any_transformer_that_takes_sparse_rows_may_have_them(digits):
    svd = TruncatedSVD(4, random_state=0)
    fitted = detector(svd, anomaly_score="reconstruction").fit(csr_array(digits))
    assert_allclose(
        fitted.score_samples(csr_array(digits[:20])), fitted.score_samples(digits[:20]), rtol=1e-9
    )


# ------------------------------------------------------------------ threshold


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_the_threshold_is_the_quantile_of_the_contamination(contamination, table):
    fitted = detector(contamination=contamination).fit(table)
    scores = fitted.score_samples(table)
    assert fitted.offset_ == np.quantile(scores, contamination)
    assert (fitted.predict(table) == -1).sum() == contamination * len(table)


def test_rows_held_out_count_in_the_threshold_and_not_in_the_training(table):
    fitted = detector(calibration_fraction=0.25, contamination=0.1).fit(table)
    scores = fitted.score_samples(table)
    assert fitted.offset_ == np.quantile(scores, 0.1)
    held_out = np.isin(scores, fitted.calibration_scores_)
    assert held_out.sum() == len(fitted.calibration_scores_) == 100
    assert (np.diff(fitted.calibration_scores_) >= 0).all()
    alone = PCA(2).fit(table[~held_out])
    assert_allclose(fitted.transformer_.mean_, alone.mean_, rtol=1e-12)


def test_the_automatic_threshold_is_three_standard_deviations_below_normal_scores():
    X = np.random.RandomState(0).standard_normal((200_000, 1))
    scores = {"anomaly_score": lambda transformer, X: 5 + 2 * X[:, 0], "contamination": "auto"}
    assert_allclose(detector(PCA(1), **scores).fit(X).offset_, 5 - 3 * 2, atol=0.05)
    outliers = np.r_[X, np.full((20_000, 1), -1e6)]  # a share of 1 / 11, however far away
    quartile, median = norm.ppf((np.array([0.25, 0.5]) - 1 / 11) / (1 - 1 / 11))
    expected = 5 + 2 * (median - 3 * (median - quartile) / 0.6745)
    assert_allclose(detector(PCA(1), **scores).fit(outliers).offset_, expected, atol=0.05)


def test_the_three_answers_are_one(table):
    fitted = detector().fit(table)
    scores = fitted.score_samples(table)
    assert_array_equal(fitted.decision_function(table), scores - fitted.offset_)
    assert_array_equal(fitted.predict(table), np.where(scores >= fitted.offset_, 1, -1))
    assert_array_equal(detector().fit_predict(table), fitted.predict(table))


# ------------------------------------------------------------------ p-values


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


# ------------------------------------------------------------------ explanations


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
    frame = pd.DataFrame(table, columns=list("abcdef"))
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


# ------------------------------------------------------------------ around it


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_a_pickle_answers_the_same(kind, table):
    fitted = detector(VAETransformer(2, **SMALL), anomaly_score=kind, calibration_fraction=0.2).fit(
        table
    )
    copied = pickle.loads(pickle.dumps(fitted))
    for method in ("score_samples", "decision_function", "predict", "p_value"):
        assert_array_equal(getattr(copied, method)(table), getattr(fitted, method)(table))
    if kind != "latent":
        assert_array_equal(copied.explain(table).contributions, fitted.explain(table).contributions)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("name", ["PCA", "Pipeline", "VAE", "Pipeline of a VAE"])
def test_frames_and_what_set_output_makes_change_nothing(name, library, kind, table):
    frame = library.DataFrame(dict(zip("abcdef", table.T, strict=True)))
    plain = detector(TRANSFORMERS[name], anomaly_score=kind, calibration_fraction=0.2).fit(table)
    scores, p_values = plain.score_samples(table), plain.p_value(table)
    terms = None if kind == "latent" else plain.explain(table).contributions
    with config_context(transform_output="pandas" if library is pd else "polars"):
        framed = clone(plain).fit(frame)
        assert list(framed.feature_names_in_) == list("abcdef")
        assert list(framed.transformer_.feature_names_in_) == list("abcdef")
        assert_allclose(framed.score_samples(frame), scores, rtol=1e-8)
        assert_allclose(framed.p_value(frame), p_values)
        if kind != "latent":
            explained = framed.explain(frame)
            assert_allclose(explained.contributions, terms, atol=1e-8)
            assert list(explained.feature_names) == list("abcdef")


@pytest.mark.parametrize("normal", [1, 0])
def test_a_search_selects_by_the_area_under_the_curve(normal, table):
    rng = np.random.RandomState(0)
    X = np.r_[table, 5 + 2.5 * rng.standard_normal((40, 6))]
    is_normal = np.arange(440) < 400
    y = np.where(is_normal, 1, -1) if normal == 1 else is_normal.astype(int)
    search = GridSearchCV(
        detector(anomaly_score="reconstruction"),
        {"transformer__n_components": [1, 3, 5]},
        scoring="roc_auc",
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    ).fit(X, y)
    assert search.best_params_ == {"transformer__n_components": 3}
    assert search.best_score_ > 0.9


def test_the_same_seed_gives_the_same_detector(table):
    unseeded = VAETransformer(2, hidden_layer_sizes=(8,), max_epochs=2)
    one, two, other = (
        detector(unseeded, calibration_fraction=0.3, random_state=seed).fit(table)
        for seed in (0, 0, 1)
    )
    assert_array_equal(one.score_samples(table), two.score_samples(table))
    assert one.offset_ == two.offset_
    assert (one.score_samples(table) != other.score_samples(table)).all()
    assert unseeded.random_state is None
    seeded = detector(VAETransformer(2, **SMALL), random_state=5).fit(table)
    assert seeded.transformer_.random_state == 0


def test_a_fit_that_fails_leaves_nothing(table):
    fitted = detector().fit(table)
    with pytest.raises(ValueError, match="n_components=9"):
        fitted.set_params(transformer=PCA(9)).fit(table)
    assert not [name for name in vars(fitted) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        fitted.predict(table)


# ------------------------------------------------------------------ errors


class Shortening(TransformerMixin, BaseEstimator):
    """A transformer whose inverse is none."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X

    def inverse_transform(self, X):
        return X[:, 1:]


ERRORS = [
    (
        {"transformer": KernelPCA(2)},
        TypeError,
        "anomaly_score='likelihood' needs a transformer with score_samples. Got KernelPCA "
        "instead. Use anomaly_score='reconstruction'.",
    ),
    (
        {"anomaly_score": lambda transformer, X: X},
        ValueError,
        "anomaly_score must return finite numbers of shape (400,), one for each row. Got shape "
        "(400, 6) instead. Return them, higher for more normal rows.",
    ),
    (
        {"anomaly_score": lambda transformer, X: np.full(len(X), np.nan)},
        ValueError,
        "anomaly_score must return finite numbers of shape (400,), one for each row. Got inf or "
        "nan instead. Return them, higher for more normal rows.",
    ),
    (
        {"calibration_fraction": 0.999},
        ValueError,
        "Calibration needs at least two rows to train on and one to hold out. Got n_samples=400 "
        "with calibration_fraction=0.999 instead. Give more rows, or hold out fewer.",
    ),
    (
        {"transformer": Shortening(), "anomaly_score": "reconstruction"},
        ValueError,
        "inverse_transform must return rows like those of X, of shape (400, 6). Got shape "
        "(400, 5) from Shortening instead. Give a transformer whose inverse_transform undoes "
        "transform.",
    ),
]


@pytest.mark.parametrize(("parameters", "error", "sentence"), ERRORS)
def test_what_cannot_be_fitted_is_said_in_a_sentence(parameters, error, sentence, table):
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        detector(**parameters).fit(table)


@pytest.mark.parametrize(
    "parameters",
    [
        {"transformer": 3},
        {"anomaly_score": "elbo"},
        {"contamination": 0.6},
        {"contamination": 0.0},
        {"contamination": "much"},
        {"calibration_fraction": 1.0},
        {"random_state": "x"},
    ],
)
def test_a_parameter_out_of_its_range_is_named(parameters, table):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"^The '{name}' parameter of ReconstructionOutlierD"):
        detector(**parameters).fit(table)


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
