import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from skorch.callbacks import LRScheduler

from skvae import AutoencoderTransformer


def test_a_linear_autoencoder_is_pca(table):
    anneal = LRScheduler(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=500)
    fitted = AutoencoderTransformer(
        2,
        hidden_layer_sizes=(),
        max_epochs=500,
        batch_size=100,
        lr=0.02,
        callbacks=[anneal],
        random_state=0,
    ).fit(table)
    pca = PCA(2).fit(table)
    decoder = fitted.net_.module_.decoder.output.weight.detach().numpy()
    assert subspace_angles(decoder, pca.components_.T).max() < 5e-3
    ours = fitted.reconstruction_error(table).mean()
    best = ((table - pca.inverse_transform(pca.transform(table))) ** 2).mean()
    assert best <= ours < best * (1 + 1e-4)


def test_score_is_minus_the_reconstruction_error(table):
    fitted = AutoencoderTransformer(2, max_epochs=2, random_state=0).fit(table)
    np.testing.assert_array_equal(fitted.score_samples(table), -fitted.reconstruction_error(table))


@pytest.mark.parametrize("n_components", [1, 3])
def test_samples_come_from_a_gaussian_of_the_training_codes(n_components, table):
    fitted = AutoencoderTransformer(n_components, max_epochs=2, random_state=0).fit(table)
    codes = fitted.transform(table)
    np.testing.assert_allclose(fitted.code_mean_, codes.mean(0), rtol=1e-4, atol=1e-5)
    covariance = np.cov(codes, rowvar=False, ddof=0).reshape(n_components, n_components)
    np.testing.assert_allclose(fitted.code_covariance_, covariance, rtol=1e-4, atol=1e-5)
    draws = fitted._latent_draws(200_000, np.random.RandomState(0))
    np.testing.assert_allclose(np.cov(draws, rowvar=False), covariance, rtol=0.05, atol=0.02)


def test_training_minimises_the_mean_squared_error_it_reports(table):
    fitted = AutoencoderTransformer(2, lr=1e-30, max_epochs=1, random_state=0).fit(table)
    expected = fitted.reconstruction_error(table).mean()
    assert fitted.history_["train_loss"][0] == pytest.approx(expected, rel=1e-5)
