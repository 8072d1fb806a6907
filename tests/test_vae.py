import numpy as np
import pytest
from linear_vae import probabilistic_pca, write_optimum
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from skvae import BetaTCVAETransformer, BetaVAETransformer, VAETransformer


def test_a_linear_vae_at_its_optimum_scores_as_pca_does(table):
    vae = VAETransformer(2, hidden_layer_sizes=(), max_epochs=1).fit(table)
    write_optimum(vae, table, 2)
    n_samples, n_features = table.shape
    ddof = 0.5 * (n_features * np.log(n_samples / (n_samples - 1)) - n_features / n_samples)
    pca = PCA(2, svd_solver="full").fit(table)
    assert vae.score(table) == pytest.approx(pca.score(table) + ddof, abs=1e-10)


def test_a_linear_vae_trained_in_float32_is_probabilistic_pca(table):
    vae = VAETransformer(
        2, hidden_layer_sizes=(), max_epochs=400, batch_size=200, lr=5e-3, random_state=0
    ).fit(table)
    pca = PCA(2, svd_solver="full").fit(table)
    _, directions, noise = probabilistic_pca(table, 2)
    decoder = vae.net_.module_.decoder.output.weight.detach().numpy()
    assert subspace_angles(decoder, directions).max() < 0.05
    assert pca.score(table) - vae.score(table) < 0.05
    assert vae.noise_variance_ == pytest.approx(noise, rel=0.05)


def test_beta_one_is_the_vae_bit_for_bit(table):
    for noise_variance in ("learned", "pca", 0.5):
        settings = {"noise_variance": noise_variance, "max_epochs": 3, "random_state": 0}
        vae = VAETransformer(2, **settings).fit(table)
        beta_vae = BetaVAETransformer(2, beta=1, **settings).fit(table)
        np.testing.assert_array_equal(vae.transform(table), beta_vae.transform(table))
        np.testing.assert_array_equal(vae.score_samples(table), beta_vae.score_samples(table))
        for name, values in vae.history_.items():
            np.testing.assert_array_equal(values, beta_vae.history_[name])


@pytest.mark.parametrize("tc_sampling", ["mws", "mss"])
def test_a_beta_tcvae_of_weights_one_has_the_vaes_loss(table, tc_sampling):
    settings = {"max_epochs": 3, "random_state": 0}
    vae = VAETransformer(2, **settings).fit(table)
    beta_tcvae = BetaTCVAETransformer(
        2, alpha=1, beta=1, gamma=1, tc_sampling=tc_sampling, **settings
    ).fit(table)
    np.testing.assert_array_equal(vae.history_["train_loss"], beta_tcvae.history_["train_loss"])
    np.testing.assert_array_equal(vae.transform(table), beta_tcvae.transform(table))


def test_at_default_settings_digits_do_not_collapse(digits):
    vae = VAETransformer(random_state=0).fit(digits)
    assert vae.score(digits) > 0
    mean, _ = vae.posterior(digits)
    assert (mean.var(0) > 0.01).all()
