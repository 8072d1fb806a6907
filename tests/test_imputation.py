"""VAEImputer, in the habits of scikit-learn's imputers."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.impute import SimpleImputer
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
        with pytest.raises(ValueError, match=r"^An imputer's estimator must know of holes. Got "):
            VAEImputer(estimator).fit(table)


def test_a_fit_that_fails_leaves_none(table):
    imputer = VAEImputer(VAE).fit(table)
    with pytest.raises(ValueError, match=r"^An imputer's estimator must know of holes"):
        imputer.set_params(estimator=VAETransformer(2)).fit(table)
    assert not [name for name in vars(imputer) if name.endswith("_")]


def test_sparse_rows_are_filled_as_dense_ones(table):
    imputer = VAEImputer(VAE, add_indicator=True).fit(table.to_numpy())
    np.testing.assert_array_equal(
        imputer.transform(csr_array(table.to_numpy())), imputer.transform(table.to_numpy())
    )
