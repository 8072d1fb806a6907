import pickle
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from linear_vae import probabilistic_pca, write_optimum
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer, VAETransformer
from skvae.metrics import active_units, latent_loadings, latent_summary
from skvae.nn.distributions import active_dimensions

COLUMNS = ["kl", "mean_variance", "posterior_variance", "active"]
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
every_kind = pytest.mark.parametrize(
    "Estimator", [AutoencoderTransformer, VAETransformer, BetaTCVAETransformer]
)


def fitted(Estimator, X, **parameters):
    settings = {"hidden_layer_sizes": (), "max_epochs": 1, "random_state": 0}
    return Estimator(**{"n_components": 2, **settings, **parameters}).fit(X)


@pytest.fixture
def optimum(table):
    """A linear VAE of four dimensions at its optimum, and the eigenvalues over the noise."""
    vae = fitted(VAETransformer, table, n_components=4)
    write_optimum(vae, table, 4)
    values, _, noise = probabilistic_pca(table, 4)
    return vae, values / noise


# ------------------------------------------------------------------ active units and summary


def test_the_summary_of_a_linear_vae_at_its_optimum_is_its_closed_form(optimum, table):
    vae, ratio = optimum
    summary = latent_summary(vae, table)
    assert list(summary) == ["latent", *COLUMNS]
    np.testing.assert_allclose(summary.kl, 0.5 * np.log(ratio), rtol=1e-10)
    np.testing.assert_allclose(summary.mean_variance, 1 - 1 / ratio, rtol=1e-10)
    np.testing.assert_allclose(summary.posterior_variance, 1 / ratio, rtol=1e-10)
    np.testing.assert_array_equal(summary.active, [True] * 4)


@pytest.mark.parametrize("threshold", [0.0, 0.01, 0.5, 0.9, 1.0])
def test_active_units_counts_variances_over_the_threshold(optimum, table, threshold):
    vae, ratio = optimum
    expected = np.sum(1 - 1 / ratio > threshold)
    assert active_units(vae, table, threshold=threshold) == expected
    assert active_units(make_pipeline(vae), table, threshold=threshold) == expected


def test_a_collapsed_dimension_is_inactive_in_both(optimum, table):
    vae, _ = optimum
    encoder = vae._modules_[FLOAT64].encoder.layers[0]
    with torch.no_grad():
        encoder.weight[1] = 0.0
        encoder.bias[5] = 0.0  # log standard deviation of the second dimension
    summary = latent_summary(vae, table)
    np.testing.assert_array_equal(summary.active, [True, False, True, True])
    assert (summary.kl[1], summary.posterior_variance[1]) == (0, 1)
    assert active_units(vae, table) == 3


def test_active_units_takes_any_transformer_in_any_container(table):
    pca = PCA(3).fit(table)
    for container in ("default", "pandas", "polars"):
        with config_context(transform_output=container):
            assert active_units(pca, table, threshold=2.0) == np.sum(pca.explained_variance_ > 2)


def test_a_dimension_at_the_threshold_is_not_active():
    mean = np.array([[-0.1, -0.11], [0.1, 0.11]], dtype=np.float64)
    np.testing.assert_array_equal(active_dimensions(mean, mean[:, 0].var()), [False, True])


# ------------------------------------------------------------------ loadings


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loadings_of_a_linear_encoder_are_its_absolute_weights(Estimator, dtype, table):
    estimator = fitted(Estimator, table)
    encoder = estimator._modules_[np.dtype(dtype)].encoder
    layer = encoder.layers[0]
    weights = (layer.unit * layer.weight[:2] * encoder.factor).abs().detach().numpy()
    loadings = latent_loadings(estimator, table.astype(dtype))
    assert (loadings.shape, loadings.dtype) == ((2, 6), dtype)
    np.testing.assert_allclose(loadings, weights, rtol=1e-6 if dtype == np.float32 else 1e-12)


@every_kind
def test_loadings_are_the_mean_of_finite_differences(Estimator, table, monkeypatch):
    estimator = fitted(Estimator, table, hidden_layer_sizes=(16,), activation="tanh")
    step = 1e-5
    shifts = step * np.eye(6)[:, None]
    expected = [
        np.abs(estimator.transform(table + shift) - estimator.transform(table - shift)).mean(0)
        for shift in shifts
    ]
    expected = np.transpose(expected) / (2 * step)
    np.testing.assert_allclose(latent_loadings(estimator, table), expected, rtol=1e-6)
    monkeypatch.setattr("skvae.training.batches.CHUNK_BYTES", 8 * 7 * 256)
    np.testing.assert_allclose(latent_loadings(estimator, table), expected, rtol=1e-6)


def test_a_feature_that_the_encoder_ignores_has_none(table):
    X = table.copy()
    X[:, 3] = 1.0
    vae = fitted(VAETransformer, X, hidden_layer_sizes=(8,), noise_variance="per-feature")
    loadings = latent_loadings(vae, table)
    np.testing.assert_array_equal(loadings[:, 3], 0)
    assert (np.delete(loadings, 3, axis=1) > 0).all()


class Rectified(torch.nn.Module):
    """A user's encoder, which changes its input in place."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.rectify = torch.nn.ReLU(inplace=True)
        self.linear = torch.nn.Linear(n_inputs, n_outputs)

    def forward(self, x):
        return self.linear(self.rectify(x))


def test_loadings_of_a_users_encoder(table):
    X = table - table.mean(0)
    estimator = fitted(AutoencoderTransformer, X, encoder=Rectified)
    weight = estimator._modules_[FLOAT64].encoder.linear.weight.abs().detach().numpy()
    np.testing.assert_allclose(latent_loadings(estimator, X), weight * (X > 0).mean(0), rtol=1e-12)


@every_kind
def test_metrics_leave_the_estimator_and_the_rows_alone(Estimator, table):
    estimator = fitted(Estimator, table, hidden_layer_sizes=(8,))
    X = table.astype(np.float32)
    before, rows, names = pickle.dumps(estimator), X.copy(), set(vars(estimator))
    for network in estimator._modules_.values():
        network.zero_grad()
    with torch.inference_mode():
        latent_loadings(estimator, X)
    latent_loadings(estimator, table)
    active_units(estimator, X)
    if hasattr(estimator, "posterior"):
        latent_summary(estimator, X)
    assert pickle.dumps(estimator) == before
    assert set(vars(estimator)) == names
    np.testing.assert_array_equal(X, rows)
    for network in estimator._modules_.values():
        assert all(weight.grad is None for weight in network.parameters())
        assert not network.training


# ------------------------------------------------------------------ containers and inputs


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_a_summary_turns_into_a_frame_whatever_set_output_asks_for(container, table):
    vae = fitted(VAETransformer, table).set_output(transform=container)
    summary = latent_summary(vae, table)
    names = ["vaetransformer0", "vaetransformer1"]
    assert list(summary) == ["latent", *COLUMNS]
    assert summary.latent.tolist() == names
    expected = pd.DataFrame({name: summary[name] for name in COLUMNS}, index=names)
    pd.testing.assert_frame_equal(summary.to_frame(), expected)


@pytest.mark.parametrize("globally", [True, False])
def test_set_output_makes_a_pandas_frame_of_loadings(globally, table):
    X = pd.DataFrame(table, columns=list("abcdef"))
    vae = fitted(VAETransformer, X)
    loadings = latent_loadings(vae, X)
    if not globally:
        vae.set_output(transform="pandas")
    with config_context(transform_output="pandas" if globally else "default"):
        framed = latent_loadings(vae, X)
    names = ["vaetransformer0", "vaetransformer1"]
    pd.testing.assert_frame_equal(framed, pd.DataFrame(loadings, names, list("abcdef")))


def test_set_output_makes_a_polars_frame_with_the_names_in_a_column(table):
    vae = fitted(VAETransformer, table)
    loadings = latent_loadings(vae, table)
    framed = latent_loadings(vae.set_output(transform="polars"), table)
    assert framed.columns == ["latent", *(f"x{feature}" for feature in range(6))]
    assert framed["latent"].to_list() == ["vaetransformer0", "vaetransformer1"]
    assert framed["latent"].dtype == pl.String
    np.testing.assert_array_equal(framed.drop("latent").to_numpy(), loadings)


def test_a_pipeline_transforms_the_rows_first(table):
    scaler = StandardScaler().fit(table)
    vae = fitted(VAETransformer, scaler.transform(table), hidden_layer_sizes=(8,))
    pipeline = make_pipeline(scaler, vae)
    np.testing.assert_array_equal(
        latent_loadings(pipeline, table), latent_loadings(vae, scaler.transform(table))
    )
    for name, values in latent_summary(vae, scaler.transform(table)).items():
        np.testing.assert_array_equal(latent_summary(pipeline, table)[name], values)


def test_estimators_of_another_kind_are_refused(table):
    sentence = (
        "latent_summary needs an estimator with a posterior method, or a Pipeline that ends in "
        "one. Got AutoencoderTransformer instead. Use a VAE, such as VAETransformer."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        latent_summary(AutoencoderTransformer(), table)
    sentence = (
        "latent_loadings needs an autoencoder of skvae, or a Pipeline that ends in one. "
        "Got PCA instead. Use one, such as VAETransformer."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        latent_loadings(make_pipeline(PCA()), table)


@pytest.mark.parametrize("metric", [active_units, latent_summary, latent_loadings])
def test_an_unfitted_estimator_is_refused(metric, table):
    with pytest.raises(NotFittedError):
        metric(VAETransformer(), table)


def test_posterior_variance_is_the_mean_of_the_variances(table):
    vae = VAETransformer(2, max_epochs=3, random_state=0).fit(table)
    _, std = vae.posterior(table)
    assert std.std() > 0.01
    summary = latent_summary(vae, table)
    np.testing.assert_allclose(summary.posterior_variance, (std**2).mean(0), rtol=1e-12)


def test_a_search_is_measured_by_its_best_estimator(table):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), VAETransformer(2, max_epochs=2, random_state=0)),
        {"vaetransformer__n_components": [2]},
        cv=2,
    ).fit(table)
    scaled = search.best_estimator_[0].transform(table)
    expected = latent_summary(search.best_estimator_[1], scaled)
    np.testing.assert_array_equal(latent_summary(search, table).kl, expected.kl)
    assert active_units(search, table) == expected.active.sum()


def test_a_feature_named_latent_keeps_its_column(table):
    frame = pl.DataFrame(table[:, :2], schema=["latent", "b"])
    vae = VAETransformer(2, max_epochs=1, random_state=0).fit(frame).set_output(transform="polars")
    loadings = latent_loadings(vae, frame)
    assert loadings.columns == ["latent_", "latent", "b"]


def test_a_threshold_below_zero_is_refused(table):
    vae = VAETransformer(2, max_epochs=1, random_state=0).fit(table)
    with pytest.raises(ValueError, match="The 'threshold' parameter of active_units must be"):
        active_units(vae, table, threshold=-1)
