import re

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR

from skvae import BetaVAETransformer
from skvae.model_selection import suggest_beta


def eigenvalues(X):
    return np.linalg.eigvalsh(np.cov(X, rowvar=False, ddof=0))[::-1]


def kept_by(X, **parameters):
    """How many of four components a trained linear beta-VAE keeps, and their variances."""
    vae = BetaVAETransformer(
        4,
        hidden_layer_sizes=(),
        max_epochs=400,
        batch_size=100,
        lr=3e-2,
        callbacks=[LRScheduler(CosineAnnealingLR, T_max=400)],
        random_state=0,
    ).set_params(**parameters)
    variances = vae.fit_transform(X).var(0)
    return (variances > 0.01).sum(), np.sort(variances)[::-1], vae


def test_at_a_held_variance_it_is_the_spectrum_over_the_variance(table):
    expected = eigenvalues(table)[:4] / 0.5
    np.testing.assert_allclose(suggest_beta(table, 4, noise_variance=0.5), expected, rtol=1e-10)


def test_the_pca_variance_is_the_estimators(table):
    vae = BetaVAETransformer(3, noise_variance="pca", max_epochs=1, random_state=0).fit(table)
    expected = eigenvalues(table)[:3] / vae.noise_variance_
    np.testing.assert_allclose(suggest_beta(table, 3, noise_variance="pca"), expected, rtol=1e-5)


def test_at_a_learned_variance_it_is_the_formula(table):
    values = eigenvalues(table)
    expected = [values[k] / values[k + 1 :].mean() for k in range(4)]
    # Beside what the second leaves, the first stands out less: it goes with the second.
    assert expected[0] < expected[1]
    expected[0] = expected[1]
    np.testing.assert_allclose(suggest_beta(table, 4), expected, rtol=1e-10)


@pytest.mark.parametrize(("noise_variance", "kept"), [(0.1, 1), (0.1, 2), (0.1, 3), ("learned", 3)])
def test_a_trained_linear_vae_keeps_the_directions_it_says(kept, noise_variance, table):
    limits = suggest_beta(table, 4, noise_variance=noise_variance)
    beta = np.sqrt(limits[kept - 1] * limits[kept])  # between two limits
    found, variances, vae = kept_by(table, beta=beta, noise_variance=noise_variance)
    assert found == kept
    # Of a kept direction the mean varies by 1 - beta sigma^2 / lambda.
    values = eigenvalues(table)
    expected = 1 - beta * vae.noise_variance_ / values[:kept]
    np.testing.assert_allclose(variances[:kept], expected, atol=0.03)
    if noise_variance == "learned":
        assert vae.noise_variance_ == pytest.approx(values[kept:].mean(), rel=0.05)


def test_at_learned_variances_too_fewer_are_kept_between_smaller_limits(table):
    limits = suggest_beta(table, 4)
    assert kept_by(table, beta=np.sqrt(limits[1] * limits[2]), noise_variance="learned")[0] == 2


def test_beyond_the_first_limit_nothing_is_kept(table):
    beta = 1.5 * suggest_beta(table, 4, noise_variance=0.5)[0]
    with pytest.warns(ConvergenceWarning, match="collapsed"):
        assert kept_by(table, beta=beta, noise_variance=0.5)[0] == 0


def test_an_exact_plane_has_the_floor_of_the_noise_variance():
    X = np.random.RandomState(0).standard_normal((50, 1)) * [1.0, 2.0, 3.0]
    for noise_variance in ("learned", "pca"):
        limits = suggest_beta(X, 1, noise_variance=noise_variance)
        expected = PCA(1).fit(X).explained_variance_[0] * 49 / 50 / (1e-6 * X.var(0).mean())
        assert limits[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("X", "n_components", "sentence"),
    [
        (
            np.eye(3),
            4,
            "suggest_beta needs n_components of at most the numbers of rows and of columns. Got "
            "n_components=4 for X of shape (3, 3) instead. Ask for fewer.",
        ),
        (
            np.ones((3, 3)),
            1,
            "suggest_beta needs rows that differ. Got a constant X instead. Give more.",
        ),
    ],
)
def test_data_without_an_answer_are_refused(X, n_components, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        suggest_beta(X, n_components)


def test_parameters_out_of_range_are_refused(table):
    with pytest.raises(ValueError, match="The 'noise_variance' parameter of suggest_beta must be"):
        suggest_beta(table, 2, noise_variance="per-feature")
    with pytest.raises(ValueError, match="The 'n_components' parameter of suggest_beta must be"):
        suggest_beta(table, 0)


@pytest.mark.parametrize("noise_variance", [0.5, "learned"])
def test_directions_without_variance_collapse_at_once(noise_variance):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((50, 4)) * [1.0, 0.0, 2.0, 0.0] + [0.0, 0.1, 0.0, 0.3]
    limits = suggest_beta(X, 4, noise_variance=noise_variance)
    assert (limits[:2] > 0).all()
    np.testing.assert_array_equal(limits[2:], 0)
    few = rng.standard_normal((5, 30))  # centred, of rank 4
    limits = suggest_beta(few, 5, noise_variance=noise_variance)
    assert (limits > 0).tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("noise_variance", ["pca", "learned"])
def test_limits_do_not_depend_on_where_the_data_lie(noise_variance, table):
    near = suggest_beta(table, 3, noise_variance=noise_variance)
    far = suggest_beta(table + 1e6, 3, noise_variance=noise_variance)
    np.testing.assert_allclose(far, near, rtol=1e-6)


def test_the_estimators_pca_variance_of_float32_data_far_from_zero_is_right(table):
    X = (table + 3000).astype(np.float32)
    vae = BetaVAETransformer(3, noise_variance="pca", max_epochs=1, random_state=0).fit(X)
    expected = PCA(3).fit(X.astype(np.float64)).noise_variance_
    assert vae.noise_variance_ == pytest.approx(expected, rel=1e-3)
