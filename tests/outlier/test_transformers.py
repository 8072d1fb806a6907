"""Whatever turns rows into codes may be in a detector: fitted already, of mixed columns, of NaN."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from detectors import SMALL, detector
from numpy.testing import assert_allclose, assert_array_equal
from releases import needs_scikit_learn
from scipy.sparse import csr_array
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, FactorAnalysis, KernelPCA, TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.outlier.columns import SeenValues
from skvae.outlier.seen_rows import keys_of
from skvae.outlier.tables import columns_of, is_mixed, replaced, take


def mixed(n_samples=300, seed=0):
    rng = np.random.RandomState(seed)
    kind = rng.choice(["card", "cash", "cheque"], n_samples, p=[0.6, 0.3, 0.1])
    return pd.DataFrame(
        {
            "amount": rng.lognormal(3, 0.4, n_samples) * (1 + (kind == "cheque")),
            "kind": kind,
            "items": rng.poisson(3, n_samples),
            "code": rng.standard_normal(n_samples),
        }
    )


def encoded(*steps):
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = make_column_transformer((encoder, ["kind"]), remainder="passthrough")
    return make_pipeline(columns, StandardScaler(), *steps)


# --------------------------------------------------------------------------------- fitted already


def test_a_transformer_that_is_fitted_is_not_fitted_again(table):
    vae = VAETransformer(2, **SMALL).fit(table[:200])
    expected = vae.score_samples(table)
    fitted = AutoencoderOutlierDetector(FrozenEstimator(vae), contamination=0.05).fit(table[200:])
    assert_array_equal(fitted.score_samples(table), expected)
    # Half as many rows go through the decoder in other batches.
    assert_allclose(fitted.oob_scores_, expected[200:], rtol=1e-12)
    assert fitted.estimators_samples_ == []
    below = (expected[200:] <= expected[:, None]).sum(axis=1)
    assert_allclose(fitted.p_value(table), (1 + below) / 201)
    assert (fitted.predict(table[200:]) == -1).sum() == 10


def test_a_step_that_is_fitted_stays_as_it_is(table):
    scaler = FrozenEstimator(StandardScaler().fit(table * 2))
    fitted = detector(make_pipeline(scaler, PCA(2))).fit(table)
    for model in fitted.estimators_:
        assert_allclose(model[0].mean_, 2 * table.mean(axis=0))


def test_a_frozen_transformer_can_be_scored_by_its_codes(table):
    pca = FrozenEstimator(PCA(2).fit(table))
    fitted = AutoencoderOutlierDetector(pca, anomaly_score="latent").fit(table)
    alone = detector(PCA(2), anomaly_score="latent", n_estimators=1)
    alone = alone.set_params(calibration_fraction=0.1).fit(table)
    assert np.corrcoef(fitted.score_samples(table), alone.score_samples(table))[0, 1] > 0.99


# --------------------------------------------------------------------------- scores of other kinds


def test_a_density_without_an_inverse_is_enough(table):
    fitted = detector(FactorAnalysis(2)).fit(table)
    models = [FactorAnalysis(2).fit(table[bag]) for bag in fitted.estimators_samples_]
    assert len(models) == 3
    far = table + 10.0
    expected = np.mean([model.score_samples(far) for model in fitted.estimators_], axis=0)
    assert_allclose(fitted.score_samples(far), expected)
    assert (fitted.predict(far) == -1).all()


def test_kernel_pca_takes_a_score_of_its_own(table):
    def spread(transformer, X):
        return (transformer.transform(X) ** 2).sum(axis=1)

    for score in (spread, "latent"):
        fitted = detector(KernelPCA(4, kernel="rbf", gamma=0.05), anomaly_score=score).fit(table)
        assert (fitted.predict(table) == -1).sum() == 40


# -------------------------------------------------------------------------------- mixed and missing


@pytest.mark.parametrize(
    "transformer",
    [
        encoded(PCA(3)),
        encoded(FactorAnalysis(2)),
        encoded(VAETransformer(2, noise_variance=0.1, **SMALL)),
    ],
    ids=["PCA", "FactorAnalysis", "VAE"],
)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_a_pipeline_may_begin_with_a_column_transformer(transformer, library):
    frame = library(mixed().to_dict("list"))
    fitted = detector(transformer).fit(frame)
    assert (fitted.predict(frame) == -1).sum() == 30
    assert_array_equal(fitted.score_samples(frame), fitted.oob_scores_)
    new = library(mixed(2000, seed=1).to_dict("list"))
    assert 0.05 < np.mean(fitted.predict(new) == -1) < 0.17
    odd = mixed(5, seed=2).assign(amount=1e4)
    explained = fitted.explain(library(odd.to_dict("list")), n_features=1).to_frame()
    assert list(explained.column) == ["amount"] * 5
    assert_array_equal(explained.typical, np.full(5, np.median(mixed().amount)))


def test_one_hot_columns_are_one_column_in_an_explanation():
    frame = mixed()
    fitted = detector(encoded(PCA(3))).fit(frame)
    row = frame.iloc[[0]].assign(kind="cheque", amount=5.0)
    explained = fitted.explain(row).to_frame()
    assert set(explained.column) == set(frame.columns)
    typical = {column: frame[column].median() for column in ("amount", "items", "code")}
    usual = row.assign(kind="card", **typical)
    change = fitted.score_samples(row)[0] - fitted.score_samples(usual)[0]
    assert_allclose(explained.contribution.sum(), change, rtol=1e-9)
    line = explained.set_index("column").loc["kind"]
    assert (line.value, line.typical) == ("cheque", "card")


def test_a_category_that_is_new_makes_a_row_an_outlier_and_is_named():
    frame = mixed()
    fitted = detector(encoded(PCA(3))).fit(frame)
    new = mixed(50, seed=3).assign(kind="crypto")
    assert_array_equal(fitted.predict(new), np.full(50, -1))
    known = new.assign(kind="card")
    assert (fitted.score_samples(new) < fitted.score_samples(known)).all()
    first = fitted.explain(new.assign(amount=20.0, items=3, code=0.0), n_features=1).to_frame()
    assert set(first.column) == {"kind"}


def test_missing_values_are_left_to_the_transformer(table):
    X = table.copy()
    X[np.random.RandomState(0).uniform(size=X.shape) < 0.1] = np.nan
    fitted = detector(make_pipeline(SimpleImputer(), PCA(2))).fit(X)
    assert_array_equal(fitted.score_samples(X), fitted.oob_scores_)
    assert (fitted.predict(X) == -1).sum() == 40
    row = X[:1].copy()
    row[0, :2] = np.nan, 90.0
    assert fitted.explain(row, n_features=1).column[0] == "x1"
    for transformer in (PCA(2), None):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            AutoencoderOutlierDetector(transformer).fit(X)
    with pytest.raises(ValueError, match="Input X contains infinity"):
        fitted.predict(np.where(np.isnan(X), np.inf, X))


def test_none_is_a_missing_value():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        detector(PCA(1)).fit([[1, None], [2, 3], [3, 4]])
    fitted = detector(make_pipeline(SimpleImputer(), PCA(1)), contamination=0.3)
    rows = [[1.0, 2.0], [2.0, None], [3.0, 4.0], [4.0, 4.5], [5.0, 7.0], [6.0, 6.0]]
    holes = np.array(rows, dtype=float)
    assert_array_equal(fitted.fit(rows).score_samples(rows), fitted.fit(holes).score_samples(holes))


def test_frames_and_arrays_are_told_apart_once(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    named = detector(make_pipeline(StandardScaler(), PCA(2))).fit(frame)
    with pytest.warns(UserWarning, match="X does not have valid feature names") as caught:
        scores = named.score_samples(table)
    assert len(caught) == 1
    assert_array_equal(scores, named.score_samples(frame))
    unnamed = detector(make_pipeline(StandardScaler(), PCA(2))).fit(table)
    with pytest.warns(UserWarning, match="X has feature names") as caught:
        unnamed.score_samples(frame)
    assert len(caught) == 1


def test_a_pipeline_that_ends_in_a_detector_reaches_its_methods(table):
    pipe = make_pipeline(StandardScaler(), detector(PCA(2))).fit(table)
    inside = detector(make_pipeline(StandardScaler(), PCA(2))).fit(table)
    new = table + 1.0
    p_values = pipe[-1].p_value(pipe[:-1].transform(new))
    assert_allclose(p_values, inside.p_value(new), atol=0.05)  # scaled by all rows, by halves
    assert len(pipe[-1].explain(pipe[:-1].transform(new[:2]), 1).to_frame()) == 2


@needs_scikit_learn("1.6.1", "a tag on those of its transformers that take sparse rows")
def test_sparse_rows_with_words_not_seen(table):
    X = np.where(table > 6, table, 0.0)
    X[:, 5] = 0.0
    fitted = detector(TruncatedSVD(2, random_state=0), anomaly_score="reconstruction")
    fitted = fitted.fit(csr_array(X))
    new = X[:50].copy()
    new[:, 5] = 1e-3
    assert_array_equal(fitted.predict(csr_array(new)), np.full(50, -1))
    assert set(fitted.explain(csr_array(new[:5]), 1).column) == {"x5"}


# ------------------------------------------------------------------------------------ units, copies


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("transformer", [None, PCA(2), encoded], ids=["default", "PCA", "frame"])
def test_a_column_that_was_constant_is_judged_whatever_its_unit(transformer, unit):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((300, 4))
    X[:, 1] = 0.002 * unit
    new = rng.standard_normal((100, 4))
    new[:, 1] = 0.002 * unit
    rounded = new.astype(np.float32).astype(np.float64)
    if transformer is encoded:
        transformer = make_pipeline(StandardScaler(), PCA(2))
        X, new, rounded = (pd.DataFrame(rows, columns=list("abcd")) for rows in (X, new, rounded))
    fitted = AutoencoderOutlierDetector(transformer, random_state=0).fit(X)
    same = fitted.score_samples(new)
    assert_allclose(fitted.score_samples(rounded), same, rtol=1e-4)
    for value in (0.02 * unit, 0.0):
        other = new.copy()
        if isinstance(other, pd.DataFrame):
            other["b"] = value
        else:
            other[:, 1] = value
        assert_array_equal(fitted.predict(other), np.full(100, -1))
        steps = np.mean([member.step for member in fitted._members_])
        assert_allclose(fitted.score_samples(other), same - steps, rtol=1e-9)
        assert set(fitted.explain(other[:3], 1).column) == {"b" if "b" in other else "x1"}


def test_a_flag_that_was_never_raised_makes_a_row_an_outlier():
    rng = np.random.RandomState(0)
    X = np.c_[rng.standard_normal((300, 3)), np.zeros(300)]
    raised = np.c_[rng.standard_normal((200, 3)), np.ones(200)]
    fitted = AutoencoderOutlierDetector(contamination=0.05, random_state=0).fit(X)
    assert (fitted.predict(raised) == -1).all()
    usual = np.c_[rng.standard_normal((2000, 3)), np.zeros(2000)]
    assert np.mean(fitted.predict(usual) == -1) < 0.08


def test_what_was_seen_is_put_in_the_place_of_what_was_not():
    frame = pd.DataFrame({"n": [1.0, 2.0], "c": [3.0, 3.0], "k": ["a", "b"], "d": ["z", "z"]})
    frame = pd.concat([frame, frame], ignore_index=True)
    seen = SeenValues(frame)
    rows = pd.DataFrame({"n": [9.0, 1.0], "c": [3.0, 4.0], "k": ["x", "a"], "d": ["z", "y"]})
    restored, n_unseen = seen.restore(rows)
    assert_array_equal(n_unseen, [1, 2])
    expected = {"n": [9.0, 1.0], "c": [3.0, 3.0], "k": ["a", "a"], "d": ["z", "z"]}
    assert restored.to_dict("list") == expected
    restored, n_unseen = seen.restore(frame)
    assert restored is frame
    assert not n_unseen.any()


KINDS = {
    "array": np.asarray,
    "float32": lambda X: X.astype(np.float32).astype(np.float32),
    "sparse": csr_array,
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=[str(column) for column in range(X.shape[1])]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_keys_columns_and_replacements_are_the_same_of_every_kind(kind):
    X = np.random.RandomState(0).randint(-2, 3, (40, 4)) / 4.0
    rows = KINDS[kind](X)
    assert_array_equal(keys_of(rows), keys_of(X))
    equal = (X[:, None] == X).all(axis=2)
    assert_array_equal(keys_of(rows)[:, None] == keys_of(rows), equal)
    assert_array_equal(np.stack(list(columns_of(rows)), axis=1), X)
    mask = np.random.RandomState(1).uniform(size=X.shape) < 0.3
    changed = replaced(rows, mask, [0.5, 0.0, -1.0, 2.0])
    assert type(changed) is type(rows)
    expected = np.where(mask, [0.5, 0.0, -1.0, 2.0], X)
    assert_array_equal(np.stack(list(columns_of(changed)), axis=1), expected)
    assert_array_equal(np.stack(list(columns_of(rows)), axis=1), X)  # as it was
    assert_array_equal(keys_of(take(rows, [3, 1])), keys_of(X)[[3, 1]])
    assert not is_mixed(rows)


def test_warnings_of_all_models_are_issued_once(table):
    class Warning_(PCA):
        def fit(self, X, y=None):
            warnings.warn(f"Watch out. Got {X[0, 0]} instead.", ConvergenceWarning, stacklevel=1)
            return super().fit(X)

    with pytest.warns(ConvergenceWarning) as caught:
        detector(Warning_(2), n_estimators=5).fit(table)
    assert len(caught) == 1


def test_the_name_of_before_is_told(table):
    import skvae

    sentence = (
        "ReconstructionOutlierDetector is called AutoencoderOutlierDetector now. Use that name."
    )
    with pytest.warns(FutureWarning, match=f"^{re.escape(sentence)}$"):
        assert skvae.ReconstructionOutlierDetector is AutoencoderOutlierDetector
    with pytest.raises(AttributeError, match="has no attribute 'Detector'"):
        _ = skvae.Detector
