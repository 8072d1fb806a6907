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
from sklearn.decomposition import PCA, KernelPCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skvae import AutoencoderTransformer, ReconstructionOutlierDetector, VAETransformer
from skvae.outlier import RobustVAE


@dataclass(frozen=True)
class OwnScore:
    """A callable whose repr has no address in it: parallel workers compare the names of tests."""

    def __call__(self, transformer, X):
        return transformer.score_samples(X)


@parametrize_with_checks(
    [
        ReconstructionOutlierDetector(VAETransformer(2, **SMALL), random_state=0),
        detector(VAETransformer(1, **SMALL), anomaly_score="latent"),
        detector(AutoencoderTransformer(2, **SMALL), anomaly_score="reconstruction"),
        detector(PCA(1)),
        detector(PCA(1), anomaly_score="reconstruction", calibration_fraction=0.2),
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


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.25, 0.5])
def test_the_threshold_is_the_quantile_of_the_contamination(contamination, table):
    fitted = detector(contamination=contamination).fit(table)
    scores = fitted.score_samples(table)
    quantile = np.quantile(scores, contamination)
    assert_allclose(fitted.offset_, quantile, rtol=3e-6)
    assert fitted.offset_ < quantile
    assert (fitted.predict(table) == -1).sum() == contamination * len(table)


def test_rows_held_out_count_in_the_threshold_and_not_in_the_training(table):
    fitted = detector(calibration_fraction=0.25, contamination=0.1).fit(table)
    scores = fitted.score_samples(table)
    assert_allclose(fitted.offset_, np.quantile(scores, 0.1), rtol=3e-6)
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


def test_what_is_typical_is_the_median_over_rows_drawn_from_all():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((2000, 4)) * np.r_[np.ones(1500), np.full(500, 6.0)][:, None]
    fitted = detector(anomaly_score="reconstruction").fit(X)
    whole = np.median(fitted.explain(X).contributions, axis=0)
    assert_allclose(fitted.explain(X).typical, whole, rtol=0.4)


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


def test_the_code_distribution_is_that_of_the_rows_trained_on(table):
    fitted = detector(anomaly_score="latent", calibration_fraction=0.25).fit(table)
    held_out = np.isin(fitted.score_samples(table), fitted.calibration_scores_)
    codes = fitted.transformer_.transform(table[~held_out])
    assert held_out.sum() == 100
    assert_allclose(fitted.code_distribution_.location_, codes.mean(axis=0), atol=1e-12)
    assert_allclose(fitted.code_distribution_.covariance_, np.cov(codes.T, bias=True), atol=1e-9)


def test_at_least_one_row_is_held_out_and_two_are_trained_on(table):
    fitted = detector(PCA(1), anomaly_score="reconstruction", calibration_fraction=0.01)
    assert len(fitted.fit(table[:3]).calibration_scores_) == 1
    with pytest.raises(ValueError, match="Got n_samples=2 with"):
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


@pytest.mark.parametrize(("transformer", "n_bad"), [(Improbable(2), 3), (Singular(2), 400)])
def test_a_density_that_is_none_is_said_in_a_sentence(transformer, n_bad, table):
    sentence = (
        f"The scores of the rows fitted must be finite. Got {n_bad} of 400 that are not, from "
        f"{type(transformer).__name__}. Use fewer components, or anomaly_score='reconstruction'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        detector(transformer).fit(table)


@pytest.mark.parametrize("transformer", [PCA(2), RobustVAE(2, n_steps=5, random_state=0)])
def test_frames_of_text_and_sparse_frames_are_what_they_stand_for(transformer, table):
    frame = pd.DataFrame(np.where(table > 5, table, 0.0), columns=list("abcdef"))
    expected = detector(transformer).fit(frame)
    fitted = detector(transformer).fit(frame.astype(str))
    assert_allclose(fitted.score_samples(frame.astype(str)), expected.score_samples(frame))
    assert_allclose(
        fitted.explain(frame.astype(str)).contributions, expected.explain(frame).contributions
    )
    if isinstance(transformer, RobustVAE):
        sparse = frame.astype(pd.SparseDtype(float, 0.0))
        fitted = detector(transformer).fit(sparse)
        alone = detector(transformer).fit(csr_array(frame))
        assert_allclose(fitted.score_samples(sparse), alone.score_samples(csr_array(frame)))
