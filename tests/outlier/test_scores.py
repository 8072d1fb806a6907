import numpy as np
import pandas as pd
import polars as pl
import pytest
from detectors import SMALL, TRANSFORMERS, detector, every_density
from numpy.testing import assert_allclose, assert_array_equal
from releases import needs_scikit_learn
from scipy.sparse import csr_array
from scipy.spatial.distance import mahalanobis
from sklearn.base import clone
from sklearn.decomposition import PCA, KernelPCA, TruncatedSVD

from skvae import VAETransformer
from skvae.outlier.scores import (
    distance_scores,
    likelihood_scores,
    reconstruction_scores,
)


def one_model(transformer, X, **parameters):
    """Return a detector of one model, that model, and the rows it was fitted to."""
    alone = {"n_estimators": 1, "calibration_fraction": 0.25, "n_refits": 0}
    fitted = detector(transformer, **alone, **parameters).fit(X)
    return fitted, fitted.estimators_[0], X[fitted.estimators_samples_[0]]


@every_density
def test_the_likelihood_is_the_transformers_own_score(name, table):
    fitted, inner, rows = one_model(TRANSFORMERS[name], table)
    assert_array_equal(fitted.score_samples(table), inner.score_samples(table))
    alone = clone(TRANSFORMERS[name]).fit(rows)
    assert_array_equal(fitted.score_samples(table), alone.score_samples(table))


@pytest.mark.parametrize(
    "transformer",
    [*TRANSFORMERS.values(), KernelPCA(2, kernel="rbf", fit_inverse_transform=True)],
    ids=[*TRANSFORMERS, "KernelPCA"],
)
def test_the_reconstruction_is_minus_the_mean_squared_error(transformer, table):
    fitted, inner, _ = one_model(transformer, table, anomaly_score="reconstruction")
    back = inner.inverse_transform(inner.transform(table))
    assert_allclose(fitted.score_samples(table), -((table - back) ** 2).mean(axis=1), rtol=1e-10)


@every_density
def test_the_latent_score_is_minus_a_mahalanobis_distance_made_by_hand(name, table):
    fitted, inner, rows = one_model(TRANSFORMERS[name], table, anomaly_score="latent")
    codes = inner.transform(rows)
    inverse = np.linalg.inv(np.cov(codes.T, bias=True))
    centre = codes.mean(axis=0)
    expected = [-mahalanobis(code, centre, inverse) for code in inner.transform(table[:50])]
    assert_allclose(fitted.score_samples(table[:50]), expected, rtol=1e-7)


def test_a_dimension_without_variance_does_not_count_in_the_latent_score(table):
    X = np.c_[table, np.zeros(len(table))]
    whole = detector(PCA(7), anomaly_score="latent").fit(X).score_samples(X)
    assert_allclose(whole, detector(PCA(6), anomaly_score="latent").fit(X).score_samples(X))


def test_a_callable_gets_the_transformer_and_the_rows(table):
    def score(transformer, X):
        return transformer.transform(X)[:, 0]

    fitted, _, rows = one_model(PCA(2), table, anomaly_score=score)
    assert_array_equal(fitted.score_samples(table), PCA(2).fit(rows).transform(table)[:, 0])


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


@needs_scikit_learn("1.6.1", "a tag on those of its transformers that take sparse rows")
def test_any_transformer_that_takes_sparse_rows_may_have_them(digits):
    svd = TruncatedSVD(4, random_state=0)
    fitted = detector(svd, anomaly_score="reconstruction").fit(csr_array(digits))
    assert_allclose(
        fitted.score_samples(csr_array(digits[:20])), fitted.score_samples(digits[:20]), rtol=1e-9
    )


@pytest.mark.parametrize("container", [np.array, csr_array, pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("score", [reconstruction_scores, likelihood_scores])
def test_scores_are_computed_some_rows_at_a_time(score, container, table, monkeypatch):
    seen = []

    class Watched(PCA):
        def transform(self, X):
            seen.append(X.shape[0])
            return super().transform(X)

        def score_samples(self, X):
            seen.append(X.shape[0])
            return super().score_samples(X)

    X = container(table)
    fitted = Watched(2).fit(table if container is csr_array else X)
    expected = score(Watched(2).fit(table), table)
    seen.clear()
    monkeypatch.setattr("skvae.outlier.scores.CHUNK_ENTRIES", 600)
    assert_allclose(score(fitted, X), expected, rtol=1e-10)
    assert max(seen) == 100
    assert sum(seen) >= 400


def test_a_distance_that_rounds_below_zero_is_zero():
    class Rounding:
        def mahalanobis(self, codes):
            return np.array([-1e-18, 4.0])

    assert_array_equal(distance_scores(PCA(1).fit(np.eye(3)), np.eye(3)[:2], Rounding()), [0, -2])
