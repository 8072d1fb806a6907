import inspect
import pickle
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pytest
from detectors import SMALL, TRANSFORMERS, detector
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import norm
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, VAETransformer
from skvae.outlier.bags import draw_bags
from skvae.outlier.calibration import threshold


@dataclass(frozen=True)
class OwnScore:
    """A callable whose repr has no address in it: parallel workers compare the names of tests."""

    def __call__(self, transformer, X):
        return transformer.score_samples(X)


@parametrize_with_checks(
    [
        AutoencoderOutlierDetector(random_state=0),
        detector(VAETransformer(1, **SMALL), anomaly_score="latent"),
        detector(AutoencoderTransformer(2, **SMALL), anomaly_score="reconstruction"),
        detector(VAETransformer(1, missing="mask", **SMALL)),
        detector(PCA(1)),
        detector(PCA(1), anomaly_score="reconstruction", n_estimators=3),
        detector(make_pipeline(StandardScaler(), PCA(1)), anomaly_score=OwnScore()),
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
    check("AutoencoderOutlierDetector", detector(VAETransformer(2, **SMALL)))


def test_no_tag_avoids_a_check():
    tags = AutoencoderOutlierDetector().__sklearn_tags__()
    assert tags.estimator_type == "outlier_detector"
    assert not tags.non_deterministic
    assert not tags.no_validation
    assert not tags._skip_test


def test_every_parameter_has_a_constraint_and_is_documented_in_order():
    signature = inspect.signature(AutoencoderOutlierDetector).parameters
    positional = [name for name, p in signature.items() if p.kind is not p.KEYWORD_ONLY]
    assert positional == ["transformer"]
    assert set(signature) == set(AutoencoderOutlierDetector._parameter_constraints)
    doc = inspect.getdoc(AutoencoderOutlierDetector)
    section = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0] for line in section.splitlines() if " : " in line[:40]]
    assert documented == list(signature)


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


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
def test_a_pickle_answers_the_same(kind, table):
    fitted = detector(VAETransformer(2, **SMALL), anomaly_score=kind, calibration_fraction=0.2).fit(
        table
    )
    copied = pickle.loads(pickle.dumps(fitted))
    for method in ("score_samples", "decision_function", "predict", "p_value"):
        assert_array_equal(getattr(copied, method)(table), getattr(fitted, method)(table))
    found, expected = (one.explain(table[:9]).to_frame() for one in (copied, fitted))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("kind", ["likelihood", "reconstruction", "latent"])
@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("name", ["PCA", "Pipeline", "VAE", "Pipeline of a VAE"])
def test_frames_and_what_set_output_makes_change_nothing(name, library, kind, table):
    frame = library.DataFrame(dict(zip("abcdef", table.T, strict=True)))
    plain = detector(TRANSFORMERS[name], anomaly_score=kind, calibration_fraction=0.2).fit(table)
    scores, p_values = plain.score_samples(table), plain.p_value(table)
    explained = plain.explain(table[:9]).contribution
    with config_context(transform_output="pandas" if library is pd else "polars"):
        framed = clone(plain).fit(frame)
        assert list(framed.feature_names_in_) == list("abcdef")
        assert list(framed.estimators_[0].feature_names_in_) == list("abcdef")
        assert_allclose(framed.score_samples(frame), scores, rtol=1e-8)
        assert_allclose(framed.p_value(frame), p_values)
        assert_allclose(framed.explain(frame[:9]).contribution, explained, atol=1e-6)
        assert set(framed.explain(frame[:9]).column) == set("abcdef")


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
    assert {model.random_state for model in seeded.estimators_} == {0}


def test_a_fit_that_fails_leaves_nothing(table):
    fitted = detector().fit(table)
    with pytest.raises(ValueError, match="n_components=9"):
        fitted.set_params(transformer=PCA(9)).fit(table)
    assert not [name for name in vars(fitted) if name.endswith("_")]
    with pytest.raises(NotFittedError):
        fitted.predict(table)


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
        {"transformer": FactorAnalysis(2), "anomaly_score": "reconstruction"},
        TypeError,
        "anomaly_score='reconstruction' needs a transformer with inverse_transform. Got "
        "FactorAnalysis instead. Use anomaly_score='latent'.",
    ),
    (
        {"n_estimators": 2},
        ValueError,
        "Every row needs a model that has not seen it: n_estimators must be at least 3 without "
        "calibration_fraction. Got 2 instead. Set calibration_fraction, such as to 0.2, or use "
        "more models.",
    ),
    (
        {"anomaly_score": lambda transformer, X: X},
        ValueError,
        "anomaly_score must return finite numbers of shape (n_rows,), one for each row. Got shape "
        "(n_rows, 6) instead. Return them, higher for more normal rows.",
    ),
    (
        {"anomaly_score": lambda transformer, X: np.full(len(X), np.nan)},
        ValueError,
        "anomaly_score must return finite numbers of shape (n_rows,), one for each row. Got inf or "
        "nan instead. Return them, higher for more normal rows.",
    ),
    (
        {"calibration_fraction": 0.999},
        ValueError,
        "Calibration needs at least 3 rows to train on and one to hold out. Got n_samples=400 "
        "with calibration_fraction=0.999 instead. Give more rows, or hold out fewer.",
    ),
    (
        {"transformer": Shortening(), "anomaly_score": "reconstruction"},
        ValueError,
        "inverse_transform must return rows like those of X, of shape (n_rows, 6). Got shape "
        "(n_rows, 5) from Shortening instead. Give a transformer whose inverse_transform undoes "
        "transform.",
    ),
]


@pytest.mark.parametrize(("parameters", "error", "sentence"), ERRORS)
def test_what_cannot_be_fitted_is_said_in_a_sentence(parameters, error, sentence, table):
    pattern = re.escape(sentence).replace("n_rows", r"\d+")  # of a part of the rows
    with pytest.raises(error, match=f"^{pattern}$"):
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
        {"n_estimators": 0},
        {"max_samples": 1},
        {"n_refits": -1},
        {"n_jobs": "all"},
        {"random_state": "x"},
    ],
)
def test_a_parameter_out_of_its_range_is_named(parameters, table):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"^The '{name}' parameter of AutoencoderOutlierD"):
        detector(**parameters).fit(table)


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


def test_seeds_draw_other_rows_and_other_models(table):
    unseeded = make_pipeline(StandardScaler(), VAETransformer(2, max_epochs=1))
    fits = [detector(unseeded, random_state=seed).fit(table) for seed in (0, 0, 1)]
    one, again, other = (fit.score_samples(table) for fit in fits)
    assert_array_equal(one, again)
    assert (one != other).all()
    held_out = [
        detector(calibration_fraction=0.3, random_state=seed).fit(table).calibration_scores_
        for seed in (0, 1)
    ]
    assert (held_out[0] != held_out[1]).any()


def interrupted(transformer, X):
    raise KeyboardInterrupt


def test_a_fit_that_is_interrupted_leaves_nothing(table):
    fitted = detector().fit(table)
    with pytest.raises(KeyboardInterrupt):
        fitted.set_params(anomaly_score=interrupted).fit(table)
    assert not [name for name in vars(fitted) if name.endswith("_")]


class Improbable(PCA):
    def score_samples(self, X):
        return np.where(np.arange(len(X)) < 3, -np.inf, 0.0)


class Singular(PCA):
    def score_samples(self, X):
        raise np.linalg.LinAlgError("singular")


@pytest.mark.parametrize("transformer", [Improbable(2), Singular(2)])
def test_a_density_that_is_none_is_said_in_a_sentence(transformer, table):
    sentence = (
        f"The scores of the rows fitted must be finite. Got n_bad of 400 that are not, from "
        f"{type(transformer).__name__}. Use fewer components, or anomaly_score='reconstruction'."
    )
    pattern = re.escape(sentence).replace("n_bad", r"\d+")
    with pytest.raises(ValueError, match=f"^{pattern}$"):
        detector(transformer).fit(table)


@pytest.mark.parametrize("transformer", [PCA(2), VAETransformer(2, **SMALL)])
def test_frames_of_text_and_sparse_frames_are_what_they_stand_for(transformer, table):
    frame = pd.DataFrame(np.where(table > 5, table, 0.0), columns=list("abcdef"))
    expected = detector(transformer).fit(frame)
    fitted = detector(transformer).fit(frame.astype(str))
    assert_allclose(fitted.score_samples(frame.astype(str)), expected.score_samples(frame))
    if isinstance(transformer, VAETransformer):
        sparse = frame.astype(pd.SparseDtype(float, 0.0))
        fitted = detector(transformer).fit(sparse)
        alone = detector(transformer).fit(csr_array(frame))
        assert_allclose(fitted.score_samples(sparse), alone.score_samples(csr_array(frame)))


def test_the_default_is_what_anyone_could_write(table):
    default = AutoencoderOutlierDetector(random_state=0).fit(table)
    written = AutoencoderOutlierDetector(clone(default.estimators_[0]), random_state=0)
    written.set_params(transformer__vaetransformer__random_state=None).fit(table)
    assert_array_equal(written.score_samples(table), default.score_samples(table))


def test_sparse_rows_take_the_default(table):
    X = csr_array(np.where(table > 5, table, 0.0))
    fitted = AutoencoderOutlierDetector(random_state=0).fit(X)
    assert_allclose(fitted.score_samples(X), fitted.oob_scores_)
    assert (fitted.predict(X) == -1).sum() == 40


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_the_number_of_processes_changes_nothing(n_jobs, table):
    alone, together = (
        detector(VAETransformer(2, **SMALL), n_jobs=n).fit(table) for n in (None, n_jobs)
    )
    assert_array_equal(alone.score_samples(table), together.score_samples(table))
