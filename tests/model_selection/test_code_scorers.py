import pickle
import re

import numpy as np
import pytest
from known_factors import rotation, sampled_factors
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import VAETransformer
from skvae.metrics import (
    modularity_score,
    mutual_information_gap,
    sap_score,
)
from skvae.model_selection import (
    downstream_scorer,
    latent_scorer,
)

FACTORS = sampled_factors(300, (3, 4))


@pytest.mark.parametrize("scoring", [None, "neg_mean_absolute_error"])
def test_a_downstream_score_is_that_of_the_model_on_the_codes(table, scoring):
    target = table @ np.arange(6.0)
    pipeline = make_pipeline(StandardScaler(), PCA(3)).fit(table)
    scorer = downstream_scorer(LinearRegression(), cv=3, scoring=scoring)
    codes = pipeline.transform(table)
    expected = cross_val_score(LinearRegression(), codes, target, cv=3, scoring=scoring).mean()
    assert scorer(pipeline, table, target) == expected
    assert pickle.loads(pickle.dumps(scorer))(pipeline, table, target) == expected


def test_a_downstream_model_stays_unfitted_and_needs_targets(table):
    model = LinearRegression()
    scorer = downstream_scorer(model)
    pca = PCA(3).fit(table)
    scorer(pca, table, table[:, 0])
    assert not hasattr(model, "coef_")
    assert repr(scorer) == "downstream_scorer(LinearRegression(), cv=5, scoring=None)"
    sentence = (
        "downstream_scorer needs the targets of the rows as y. Got None instead. Call the "
        "search's fit as fit(X, y)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        scorer(pca, table)


def turned(X, degrees):
    return X @ rotation(np.deg2rad(degrees)).T


def test_the_score_is_the_metric_of_the_codes():
    scorer = latent_scorer(mutual_information_gap, n_bins=5)
    pca = PCA(2).fit(FACTORS)
    expected = mutual_information_gap(FACTORS, pca.transform(FACTORS), n_bins=5)
    assert scorer(pca, FACTORS, FACTORS) == expected
    with config_context(transform_output="pandas"):
        assert scorer(pca, FACTORS, FACTORS) == expected
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(FACTORS)
    expected = mutual_information_gap(FACTORS, pipeline.transform(FACTORS), n_bins=5)
    assert scorer(pipeline, FACTORS, FACTORS) == expected


def test_stds_are_those_of_the_posteriors_also_inside_a_pipeline():
    scorer = latent_scorer(mutual_information_gap, stds=True, estimator="posterior")
    X = FACTORS.astype(float)
    vae = VAETransformer(2, hidden_layer_sizes=(), max_epochs=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), vae).fit(X)
    mean, std = vae.posterior(pipeline[0].transform(X))
    expected = mutual_information_gap(FACTORS, mean, estimator="posterior", stds=std)
    assert scorer(pipeline, X, FACTORS) == expected > 0
    sentence = (
        "latent_scorer with stds=True needs an estimator with a posterior method, or a Pipeline "
        "that ends in one. Got PCA instead. Use a VAE, such as VAETransformer."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        scorer(PCA(2).fit(X), X, FACTORS)


def test_a_search_finds_the_codes_that_hold_a_factor_each():
    # Every angle has as much variance and as independent codes: the factors alone tell.
    search = GridSearchCV(
        FunctionTransformer(turned, kw_args={"degrees": 0}),
        {"kw_args": [{"degrees": degrees} for degrees in (45, 20, 90, 10)]},
        scoring={
            "sap": latent_scorer(sap_score),
            "modularity": latent_scorer(modularity_score),
        },
        refit="sap",
        cv=KFold(3, shuffle=True, random_state=0),
        n_jobs=2,
    ).fit(FACTORS, FACTORS)
    assert search.best_params_ == {"kw_args": {"degrees": 90}}
    np.testing.assert_array_equal(search.cv_results_["rank_test_sap"], [4, 3, 1, 2])
    assert search.cv_results_["rank_test_modularity"][2] == 1


def test_factors_are_needed():
    sentence = (
        "latent_scorer needs the known factors of the rows as y. Got None instead. Call the "
        "search's fit as fit(X, y)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        latent_scorer(sap_score)(PCA(2).fit(FACTORS), FACTORS)


def test_a_scorer_says_what_it_is_also_after_a_pickle():
    scorer = latent_scorer(sap_score, nominal=[0], random_state=0)
    assert repr(scorer) == "latent_scorer(sap_score, nominal=[0], random_state=0)"
    same = pickle.loads(pickle.dumps(scorer))
    pca = PCA(2).fit(FACTORS)
    assert same(pca, FACTORS, FACTORS) == scorer(pca, FACTORS, FACTORS)
    assert repr(latent_scorer(mutual_information_gap, stds=True)) == (
        "latent_scorer(mutual_information_gap, stds=True)"
    )
