import numpy as np
import pandas as pd
import pytest
from pictures import fitted, flowers, pixels
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from skvae import AutoencoderTransformer, BetaVAETransformer, VAETransformer
from skvae.base.pipelines import split_last
from skvae.metrics import latent_summary
from skvae.plotting.models import (
    dense,
    feature_names_of,
    informativeness,
    last_that_can,
    named,
    one_row,
    reconstruct,
    rows_before,
    to_data_units,
)

X = pixels()


def test_names():
    vae, beta_vae = VAETransformer(), BetaVAETransformer()
    assert list(named({"mine": vae})) == ["mine"]
    assert list(named(vae)) == ["VAETransformer"]
    assert list(named((vae, beta_vae))) == ["VAETransformer", "BetaVAETransformer"]
    assert list(named([vae, vae])) == ["VAETransformer (0)", "VAETransformer (1)"]
    both = [VAETransformer(2, lr=0.1), make_pipeline(VAETransformer(3, lr=0.01))]
    assert list(named(both)) == ["lr=0.1, n_components=2", "lr=0.01, n_components=3"]
    mixed = [vae, BetaVAETransformer(beta=2.0), BetaVAETransformer(beta=8.0)]
    assert list(named(mixed)) == [
        "VAETransformer",
        "BetaVAETransformer (1)",
        "BetaVAETransformer (2)",
    ]


def test_steps_before_the_last_are_found_through_pipelines_and_searches():
    inner = make_pipeline(PCA(4), AutoencoderTransformer(2, max_epochs=1, random_state=0))
    outer = make_pipeline(StandardScaler(), GridSearchCV(inner, {"pca__n_components": [4]}, cv=2))
    outer.fit(X)
    before, last = split_last(outer)
    assert last is outer[-1].best_estimator_[-1]
    assert [type(steps[0]) for steps in before] == [StandardScaler, PCA]
    codes = last.transform(outer[-1].best_estimator_[0].transform(outer[0].transform(X)))
    rows = outer[-1].best_estimator_[0].inverse_transform(last.inverse_transform(codes))
    expected = outer[0].inverse_transform(rows)
    np.testing.assert_allclose(reconstruct(outer, X), expected, rtol=1e-10)
    np.testing.assert_array_equal(to_data_units(outer, last.inverse_transform(codes)), expected)
    np.testing.assert_array_equal(rows_before(outer, X), X)


def test_where_a_step_has_no_inverse_rows_are_those_of_the_last_step():
    vae = VAETransformer(2, hidden_layer_sizes=(), max_epochs=1, random_state=0)
    pipe = make_pipeline(Normalizer(), vae).fit(X)
    rows = pipe[0].transform(X)
    np.testing.assert_array_equal(rows_before(pipe, X), rows)
    np.testing.assert_array_equal(reconstruct(pipe, X), pipe[-1].reconstruct(rows))


def test_names_are_those_of_the_rows_shown():
    table, _ = flowers()
    pipe = make_pipeline(StandardScaler(), VAETransformer(2, max_epochs=1)).fit(table)
    np.testing.assert_array_equal(feature_names_of(pipe), table.columns)
    pipe = make_pipeline(Normalizer(), VAETransformer(2, max_epochs=1)).fit(table)
    assert feature_names_of(pipe) is None


def test_others_than_ours_can_be_shown():
    pca = PCA(3).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_array_equal(reconstruct(pca, X), expected)
    values, measure = informativeness(pca, X)
    np.testing.assert_allclose(values, pca.explained_variance_ * 59 / 60)
    assert measure == "variance"


def test_a_posterior_is_measured_by_its_divergence():
    vae = fitted(VAETransformer, X)
    expected = latent_summary(vae, X)["kl"]
    for container in ("default", "pandas", "polars"):
        values, measure = informativeness(vae.set_output(transform=container), X)
        np.testing.assert_array_equal(values, expected)
        assert measure == "KL"


def test_what_is_behind_the_autoencoder_is_one_sentence():
    pipe = make_pipeline(PCA(2), LogisticRegression()).fit(X, X[:, 0] > 0.5)
    with pytest.raises(TypeError) as raised:
        last_that_can(pipe, "inverse_transform", "ReconstructionDisplay")
    assert str(raised.value) == (
        "ReconstructionDisplay needs an estimator with inverse_transform, or a Pipeline that ends "
        "in one. Got LogisticRegression instead. Leave out the steps behind it, as in pipe[:-1]."
    )


@pytest.mark.parametrize("x", [X[0], X[:1], X[0].tolist(), pd.DataFrame(X).iloc[0]])
def test_one_row_in_any_form(x):
    np.testing.assert_array_equal(one_row(x), X[:1])


def test_a_frame_of_one_row_keeps_its_names():
    table, _ = flowers()
    assert list(one_row(table[:1]).columns) == list(one_row(table.iloc[0]).columns)


def test_more_rows_than_one_are_one_sentence():
    with pytest.raises(ValueError, match="instead") as raised:
        one_row(X)
    assert str(raised.value) == (
        "x must be one row, of shape (n_features,) or (1, n_features). Got shape (60, 12) "
        "instead. Give a single row, such as X[:1]."
    )


def test_sparse_rows_are_shown_dense():
    np.testing.assert_array_equal(dense(csr_array(X)), X)
