"""Laws of the models at their defaults, on the tables that the tests have."""

import numpy as np
import pytest
from linear_vae import probabilistic_pca
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer

ESTIMATORS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)


def low_rank():
    return make_classification(500, 20, n_informative=5, n_redundant=15, random_state=0)[0]


TABLES = {
    "iris": lambda: load_iris().data,
    "wine": lambda: load_wine().data,
    "breast cancer": lambda: load_breast_cancer().data,
    "low rank": low_rank,
    "noise": lambda: np.random.RandomState(0).standard_normal((300, 8)),
    "a plane": lambda: np.random.RandomState(0).standard_normal((200, 2)) @ np.ones((2, 6)),
}


def log_density(X, n_components):
    """Mean log-density of the rows fitted under probabilistic PCA, the best linear VAE's bound."""
    n_samples, n_features = X.shape
    values = np.linalg.svd(X - X.mean(0), compute_uv=False) ** 2 / n_samples
    noise = values[n_components:].sum() / (n_features - n_components)
    logs = np.log(values[:n_components]).sum() + (n_features - n_components) * np.log(noise)
    return -0.5 * (n_features * (np.log(2 * np.pi) + 1) + logs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # a large beta's
@pytest.mark.parametrize("name", TABLES)
def test_the_divergence_falls_as_beta_grows(name):
    X = StandardScaler().fit_transform(TABLES[name]())
    divergences = []
    for beta in (0.5, 1.0, 2.0, 4.0, 8.0, 100.0):
        vae = BetaVAETransformer(3, beta=beta, random_state=0).fit(X)
        mean, std = vae.posterior(X)
        divergences.append(0.5 * (mean**2 + std**2 - 1 - 2 * np.log(std)).sum(1).mean())
    falls = -np.diff(divergences)
    assert (falls[:2] > 0.1).all()
    assert (falls > -0.01).all()  # both collapsed
    assert divergences[-1] < 0.5 * divergences[1]


@pytest.mark.parametrize("name", ["iris", "wine", "breast cancer", "low rank"])
def test_a_linear_vae_is_probabilistic_pca(name):
    X = StandardScaler().fit_transform(TABLES[name]())
    vae = VAETransformer(2, hidden_layer_sizes=(), random_state=0).fit(X)
    assert vae.score(X) == pytest.approx(log_density(X, 2), abs=0.1)


def test_a_linear_vae_of_few_wide_rows_is_probabilistic_pca():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((200, 5)) @ rng.standard_normal((5, 3000))
    X = X + 0.3 * rng.standard_normal(X.shape)
    vae = VAETransformer(5, hidden_layer_sizes=(), random_state=0).fit(X)
    assert vae.score(X) == pytest.approx(log_density(X, 5), rel=0.02)


@pytest.mark.parametrize("n_components", [2, 6, 8])
def test_a_linear_autoencoder_is_pca(n_components, table):
    autoencoder = AutoencoderTransformer(
        n_components, hidden_layer_sizes=(), lr=1e-4, random_state=0
    ).fit(table)
    kept = min(n_components, 6)
    left = np.linalg.svd(table - table.mean(0), compute_uv=False)[kept:] ** 2
    expected = left.sum() / table.size
    assert autoencoder.score(table) == pytest.approx(-expected, rel=0.01, abs=1e-3)


def test_a_linear_autoencoder_learns_after_a_first_chunk_of_two_rows(table):
    autoencoder = AutoencoderTransformer(3, hidden_layer_sizes=(), lr=1e-2, random_state=0)
    autoencoder.partial_fit(table[:2])
    for _ in range(300):
        autoencoder.partial_fit(table)
    assert (autoencoder.code_covariance_.diagonal() > 1e-3).all()
    left = np.linalg.svd(table - table.mean(0), compute_uv=False)[3:] ** 2
    assert -autoencoder.score(table) < 1.1 * left.sum() / table.size


def test_columns_with_units_of_their_own_change_nothing_per_feature(table):
    settings = {"noise_variance": "per-feature", "max_epochs": 5, "random_state": 0}
    units = np.array([1e-6, 1.0, 1e6, 3.0, 1e3, 1e-3])
    codes = VAETransformer(3, **settings).fit_transform(table)
    other = VAETransformer(3, **settings).fit_transform(units * table)
    np.testing.assert_allclose(other, codes, atol=1e-3)


def test_a_warm_start_takes_the_new_beta_into_the_variance(table):
    vae = BetaVAETransformer(2, beta=1.0, warm_start=True, max_epochs=1, random_state=0).fit(table)
    for beta, excess in ((5.0, 4.0), (0.5, 0.0)):
        vae.set_params(beta=beta).fit(table)
        assert vae.net_.module_.observation.excess == excess
    capacity = BetaVAETransformer(2, beta=9.0, capacity=2.0, max_epochs=60).fit(table)
    assert capacity.net_.module_.observation.excess == 0


def test_other_likelihoods_have_plain_perceptrons(digits):
    vae = VAETransformer(2, likelihood="bernoulli", max_epochs=1, random_state=0).fit(digits)
    assert vae.net_.module_.encoder.shortcut is None
    assert vae.net_.module_.decoder.shortcut is None


@every_estimator
def test_a_fit_does_not_depend_on_the_units(Estimator, table):
    codes = Estimator(3, max_epochs=10, random_state=0).fit_transform(table)
    other = Estimator(3, max_epochs=10, random_state=0).fit_transform(1000 * table)
    np.testing.assert_allclose(other, codes, atol=0.01)


@every_estimator
@pytest.mark.filterwarnings("ignore:The divergence must be below")  # two rows are a batch of two
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of one column
@pytest.mark.parametrize("case", ["dead columns", "two rows", "one component", "one column"])
def test_the_least_that_can_be_fitted(Estimator, case, table):
    X, n_components = table.copy(), 3
    if case == "dead columns":
        X[:, [1, 4]] = 7.0
    elif case == "two rows":
        X = X[:2]
    elif case == "one component":
        n_components = 1
    else:
        X = X[:, :1]
    fitted = Estimator(n_components, max_epochs=30, random_state=0).fit(X)
    assert np.isfinite(fitted.score_samples(X)).all()
    assert fitted.transform(X).shape == (len(X), n_components)
    if case == "dead columns":
        error = fitted.reconstruction_error(X, per_feature=True)[:, [1, 4]]
        assert error.mean() < 1e-3 * X.var(0).mean()


def test_beta_is_as_strong_as_where_the_variance_is_held(table):
    """A learned variance does not follow beta, so that no beta feeds its own collapse."""
    settings = {"hidden_layer_sizes": (), "max_epochs": 100, "random_state": 0}
    plain = VAETransformer(3, **settings).fit(table)
    strong = BetaVAETransformer(3, beta=4.0, **settings).fit(table)
    assert strong.noise_variance_ == pytest.approx(plain.noise_variance_, rel=0.05)
    values, _, noise = probabilistic_pca(table, 3)
    variances = np.sort(strong.transform(table).var(0))[::-1]
    np.testing.assert_allclose(variances, 1 - 4 * noise / values, atol=0.05)


def test_a_collapse_under_a_large_beta_is_still_told():
    X = StandardScaler().fit_transform(TABLES["noise"]())
    with pytest.warns(ConvergenceWarning, match="collapsed to the prior"):
        BetaVAETransformer(2, beta=1000.0, random_state=0).fit(X)
