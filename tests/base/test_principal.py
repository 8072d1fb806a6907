import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.decomposition import PCA

from skvae.base.principal import components_of_rows, principal_components


def of_rows(X, n_components=2, **options):
    settings = {"rows": np.arange(X.shape[0]), "scale": np.ones(X.shape[1])}
    generator = torch.Generator().manual_seed(0)
    return components_of_rows(
        X, n_components=n_components, generator=generator, **settings | options
    )


def test_they_are_those_of_scikit_learns_pca(table):
    found, pca = principal_components(table, 3, random_state=0), PCA(3).fit(table)
    np.testing.assert_allclose(found.directions, pca.components_, atol=1e-10)
    np.testing.assert_allclose(found.variances, pca.explained_variance_ * 399 / 400)
    left = table - pca.inverse_transform(pca.transform(table))
    np.testing.assert_allclose(found.left, left.var(0))
    assert float(found.noise_variance()) == pytest.approx(pca.noise_variance_ * 399 / 400)


def test_the_rows_are_scaled_first_and_constant_columns_left_out(table):
    scale = np.array([2.0, 1.0, 0.5, 1.0, 0.0, 1.0])
    scaled = table / np.where(scale > 0, scale, np.inf)
    found, expected = of_rows(table, scale=scale), principal_components(scaled, 2, 0)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
    assert (found.directions[:, 4] == 0).all()


def test_only_the_rows_given_count_sparse_or_not(table):
    rows = np.arange(50, 150)
    for X in (table, csr_array(table)):
        found = of_rows(X, rows=rows)
        np.testing.assert_allclose(found.left, principal_components(table[rows], 2, 0).left)


@pytest.mark.parametrize(("shape", "kept"), [((2, 5), 0), ((4, 5), 2), ((50, 3), 2), ((50, 1), 0)])
def test_a_direction_and_two_rows_are_left_over(shape, kept):
    X = np.random.RandomState(0).standard_normal(shape)
    found = of_rows(X, n_components=10)
    assert (len(found.directions), len(found.variances)) == (kept, kept)
    total = float(found.left.sum() + found.variances.sum())
    assert total == pytest.approx(X.var(0).sum())


def test_without_noise_to_leave_all_directions_are_found(table):
    assert len(of_rows(table, n_components=10, noise=False).variances) == 6
    assert len(of_rows(table[:4], n_components=10, noise=False).variances) == 3


def test_a_dominant_direction_of_float32_rows_hides_no_other():
    rng = np.random.RandomState(0)
    directions, _ = np.linalg.qr(rng.standard_normal((30, 30)))
    X = rng.standard_normal((5000, 30)) * np.r_[100.0, [2.0] * 9, [0.1] * 20] @ directions
    found = principal_components(X.astype(np.float32), 10, random_state=0)
    assert float(found.noise_variance()) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_directions_without_variance_are_none(dtype):
    rng = np.random.RandomState(0)
    plane = rng.standard_normal((100, 2)) @ rng.standard_normal((2, 6)) + 1000
    found = principal_components(plane.astype(dtype), 5, random_state=0)
    assert len(found.variances) == 2
    assert len(principal_components(np.ones((5, 3), dtype), 2, random_state=0).variances) == 0
