"""VAEImputer, in the habits of scikit-learn's imputers."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skvae import AutoencoderTransformer, VAEImputer, VAETransformer

VAE = VAETransformer(2, missing="mask", max_epochs=5, random_state=0)


@pytest.fixture
def table():
    X = np.random.default_rng(0).normal(size=(60, 4))
    X[::3, 1] = X[1::5, 2] = np.nan
    X[:, 3] = np.nan
    return pd.DataFrame(X, columns=["a", "b", "c", "empty"])


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values:UserWarning")
@pytest.mark.parametrize("keep_empty_features", [False, True])
@pytest.mark.parametrize("add_indicator", [False, True])
def test_columns_are_those_of_a_simple_imputer(table, keep_empty_features, add_indicator):
    options = {"keep_empty_features": keep_empty_features, "add_indicator": add_indicator}
    ours = VAEImputer(VAE, **options).set_output(transform="pandas").fit(table)
    theirs = SimpleImputer(**options).set_output(transform="pandas").fit(table)
    found, expected = ours.transform(table), theirs.transform(table)
    assert list(found) == list(expected)
    kept = [name for name in found if name in "abc"]
    seen = table[kept].notna()
    np.testing.assert_array_equal(found[kept].to_numpy()[seen], expected[kept].to_numpy()[seen])
    others = [name for name in found if name not in kept]
    np.testing.assert_array_equal(found[others], expected[others])


def test_it_is_a_step_of_a_pipeline(table):
    pipe = make_pipeline(VAEImputer(random_state=0, estimator=VAE), LinearRegression())
    assert np.isfinite(pipe.fit(table, np.arange(60.0)).predict(table)).all()


def test_a_seed_decides_where_the_estimator_has_none(table):
    vae = VAETransformer(2, missing="mask", max_epochs=2)
    once, again = (VAEImputer(vae, random_state=0).fit_transform(table) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_an_estimator_that_knows_of_no_holes_is_refused(table):
    for estimator in (VAETransformer(2), AutoencoderTransformer(2)):
        sentence = (
            f"The estimator of a VAEImputer must have a method impute. Got {estimator!r} instead. "
            f"Give a variational autoencoder with missing='mask'."
        )
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            VAEImputer(estimator).fit(table)


def test_a_fit_that_fails_leaves_none(table):
    imputer = VAEImputer(VAE).fit(table)
    with pytest.raises(ValueError, match=r"^The estimator of a VAEImputer must have a method "):
        imputer.set_params(estimator=VAETransformer(2)).fit(table)
    assert not [name for name in vars(imputer) if name.endswith("_")]


def test_sparse_rows_are_filled_as_dense_ones(table):
    imputer = VAEImputer(VAE, add_indicator=True).fit(table.to_numpy())
    np.testing.assert_array_equal(
        imputer.transform(csr_array(table.to_numpy())), imputer.transform(table.to_numpy())
    )


def test_by_default_the_columns_are_what_likelihood_says():
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    X = np.column_stack((x + 0.1 * rng.normal(size=150), x, x > 0)).astype(float)
    holes = np.where(rng.random(X.shape) < [0.2, 0.0, 0.3], np.nan, X)
    likelihood = [("gaussian", [0, 1]), ("categorical", 2)]
    imputer = VAEImputer(likelihood=likelihood, random_state=0)
    filled = imputer.fit_transform(holes)
    np.testing.assert_array_equal(np.unique(filled[:, 2]), [0.0, 1.0])
    missing = np.isnan(holes)
    assert (filled == X)[missing[:, 2], 2].mean() > 0.9
    assert np.abs(filled - X)[missing[:, 0], 0].mean() < 0.2
    assert imputer.estimator_.likelihood == likelihood


def test_a_likelihood_beside_an_estimator_is_refused(table):
    message = (
        f"likelihood= is a setting of the default estimator only. Got 'poisson' together with "
        f"{VAE!r} instead. Set it in the estimator."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        VAEImputer(VAE, likelihood="poisson").fit(table)


def test_the_default_fills_better_than_neighbours_do():
    """Columns that are smooth functions of one number, a third of the entries missing."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-2, 2, 300)
    X = np.column_stack((t, t**2, np.sin(2 * t), np.exp(t / 2), -t)) + 0.1 * rng.normal(
        size=(300, 5)
    )
    X /= X.std(0)
    holes = np.where(rng.random(X.shape) < 0.3, np.nan, X)
    missing = np.isnan(holes)
    ours, neighbours = (
        np.sqrt(np.mean((imputer.fit_transform(holes) - X)[missing] ** 2))
        for imputer in (VAEImputer(random_state=0), KNNImputer())
    )
    assert ours < neighbours
