import pickle
import re

import numpy as np
import pytest
from linear_vae import probabilistic_pca, write_optimum
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import AutoencoderTransformer, BetaTCVAETransformer, VAETransformer
from skvae.metrics import (
    gaussian_total_correlation,
)
from skvae.model_selection import (
    active_units_scorer,
    downstream_scorer,
    elbo_scorer,
    log_likelihood_scorer,
    reconstruction_scorer,
    total_correlation_scorer,
)

OF_MODELS = [
    elbo_scorer,
    log_likelihood_scorer,
    reconstruction_scorer,
    active_units_scorer,
    total_correlation_scorer,
]


def less_one(X):
    return X - 1.0


@pytest.fixture
def optimum(table):
    """A linear VAE of four dimensions at its optimum."""
    vae = VAETransformer(4, hidden_layer_sizes=(), max_epochs=1, random_state=0).fit(table)
    write_optimum(vae, table, 4)
    return vae


def test_at_the_optimum_of_a_linear_vae_the_scorers_have_their_closed_forms(optimum, table):
    values, _, noise = probabilistic_pca(table, 4)
    d = table.shape[1]
    log_likelihood = -0.5 * (
        d * np.log(2 * np.pi) + np.log(values[:4]).sum() + (d - 4) * np.log(noise) + d
    )
    assert elbo_scorer(optimum, table) == pytest.approx(log_likelihood, rel=1e-9)
    assert log_likelihood_scorer(optimum, table) == pytest.approx(log_likelihood, rel=1e-9)
    assert active_units_scorer(optimum, table) == 4.0
    assert total_correlation_scorer(optimum, table) == pytest.approx(0, abs=1e-9)
    expected = -np.mean((table - optimum.reconstruct(table)) ** 2)
    assert reconstruction_scorer(optimum, table) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scorer", OF_MODELS)
def test_a_pipeline_has_the_score_of_what_its_last_step_sees(optimum, table, scorer):
    pipeline = make_pipeline(FunctionTransformer(less_one), optimum)  # fitted: not fitted again
    assert scorer(pipeline, table + 1.0) == pytest.approx(scorer(optimum, table), rel=1e-12)
    assert type(scorer(pipeline, table)) is float


@pytest.mark.parametrize("scorer", OF_MODELS)
@pytest.mark.parametrize("nested", [False, True])
def test_a_model_is_found_before_a_classifier(optimum, table, scorer, nested):
    y = table[:, 0] > table[:, 0].mean()
    steps = [FunctionTransformer(less_one), optimum]
    steps = [make_pipeline(*steps)] if nested else steps
    pipeline = make_pipeline(*steps, LogisticRegression().fit(optimum.transform(table), y))
    assert scorer(pipeline, table + 1.0) == pytest.approx(scorer(optimum, table), rel=1e-12)


@pytest.mark.parametrize("scorer", [elbo_scorer, log_likelihood_scorer, total_correlation_scorer])
def test_a_density_is_found_before_other_transformers(optimum, table, scorer):
    pipeline = make_pipeline(optimum, StandardScaler().fit(optimum.transform(table)))
    assert scorer(pipeline, table) == scorer(optimum, table)


@pytest.mark.parametrize("scorer", OF_MODELS)
def test_scorers_are_the_same_at_every_call_and_ignore_y(optimum, table, scorer):
    assert scorer(optimum, table) == scorer(optimum, table, np.arange(len(table)))
    assert pickle.loads(pickle.dumps(scorer)) is scorer


def test_the_reconstruction_of_any_transformer_is_scored(table):
    pca = PCA(2).fit(table)
    expected = -np.mean((table - pca.inverse_transform(pca.transform(table))) ** 2)
    assert reconstruction_scorer(pca, table) == pytest.approx(expected, rel=1e-12)


def test_the_total_correlation_is_that_of_the_posteriors_draws(table):
    vae = BetaTCVAETransformer(3, max_epochs=3, random_state=0).fit(table)
    score = total_correlation_scorer(vae, table)
    assert score == -gaussian_total_correlation(vae, table) < 0
    draws = np.concatenate([vae.sample_posterior(table, random_state=seed) for seed in range(300)])
    correlation = np.corrcoef(draws.T)
    assert score == pytest.approx(0.5 * np.linalg.slogdet(correlation)[1], rel=0.1)


@pytest.mark.parametrize("scorer", [elbo_scorer, log_likelihood_scorer])
def test_what_has_no_density_is_refused(table, scorer):
    sentence = (
        f"{scorer.__name__} needs an estimator with a density, or a Pipeline that ends in one. Got "
        f"AutoencoderTransformer instead. Use a VAE, such as VAETransformer."
    )
    autoencoder = AutoencoderTransformer(2, max_epochs=1).fit(table)
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        scorer(autoencoder, table)


def test_one_search_has_all_scores_also_inside_a_pipeline(digits):
    X, y = digits[:300], np.arange(300) % 2
    scoring = {scorer.__name__: scorer for scorer in OF_MODELS}
    scoring["downstream"] = downstream_scorer(LogisticRegression(), cv=2)
    vae = VAETransformer(3, hidden_layer_sizes=(16,), max_epochs=3, random_state=0)
    grid = {"vaetransformer__n_components": [2, 3]}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), vae), grid, scoring=scoring, refit="elbo_scorer", cv=2
    ).fit(X, y)
    for name in scoring:
        assert np.isfinite(search.cv_results_[f"mean_test_{name}"]).all()
    plain = cross_validate(search.best_estimator_, X, y, scoring=scoring, cv=search.cv)
    best = search.cv_results_["mean_test_elbo_scorer"][search.best_index_]
    assert plain["test_elbo_scorer"].mean() == pytest.approx(best, rel=1e-12)
