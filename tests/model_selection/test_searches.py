"""scikit-learn's and Optuna's searches over the estimators, and the compositions around them."""

import re

import joblib
import numpy as np
import optuna
import pandas as pd
import pytest
from optuna_integration import OptunaSearchCV
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.datasets import make_linear_gaussian

LEARNING_RATES = [1e-4, 1e-3, 1e-2]


def make(Estimator=VAETransformer, **parameters):
    settings = {"n_components": 2, "hidden_layer_sizes": (8,), "max_epochs": 3, "random_state": 0}
    return Estimator(**{**settings, **parameters})


def elbo(model, X, y=None):
    """Return the score of the last step of a Pipeline, as its own ``score`` does."""
    return model[-1].score(model[:-1].transform(X))


# ------------------------------------------------------------------ scikit-learn's searches


def test_a_randomized_search_scores_and_refits_what_it_draws(table):
    distributions = {"lr": LEARNING_RATES, "n_components": [1, 2]}
    search = RandomizedSearchCV(make(), distributions, n_iter=3, cv=2, random_state=0).fit(table)
    results = search.cv_results_
    for parameters, score in zip(results["params"], results["mean_test_score"], strict=True):
        scores = cross_val_score(make(**parameters), table, cv=2)
        assert score == pytest.approx(scores.mean(), rel=1e-12)
    best = make(**search.best_params_).fit(table)
    np.testing.assert_array_equal(search.transform(table), best.transform(table))
    assert search.score(table) == best.score(table)


def test_a_halving_search_gives_more_epochs_to_the_better(table):
    search = HalvingGridSearchCV(
        make(),
        {"lr": LEARNING_RATES},
        resource="max_epochs",
        max_resources=6,
        min_resources=2,
        cv=2,
    ).fit(table)
    assert search.n_resources_ == [2, 6]
    results = search.cv_results_
    assert results["n_resources"].tolist() == [2, 2, 2, 6]
    for parameters, score in zip(results["params"], results["mean_test_score"], strict=True):
        folds = [slice(200, 400), slice(0, 200)]
        expected = [make(**parameters).fit(table[fold]).score(table[::-1][fold]) for fold in folds]
        assert parameters["max_epochs"] in (2, 6)
        assert score == pytest.approx(np.mean(expected), rel=1e-6)
    assert search.best_estimator_.n_iter_ == 6


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, BetaTCVAETransformer])
def test_cross_validation_scores_rows_held_out(Estimator, table):
    results = cross_validate(make(Estimator), table, cv=KFold(2), return_estimator=True)
    held_out = [table[:200], table[200:]]
    scores = [fitted.score(X) for fitted, X in zip(results["estimator"], held_out, strict=True)]
    np.testing.assert_array_equal(results["test_score"], scores)


def test_nested_cross_validation_is_a_search_in_every_fold(table):
    search = GridSearchCV(make(), {"n_components": [1, 2]}, cv=2)
    scores = cross_val_score(search, table, cv=KFold(2))
    expected = [
        clone(search).fit(train).score(test)
        for train, test in ((table[200:], table[:200]), (table[:200], table[200:]))
    ]
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_neither_jobs_nor_backend_change_a_search(backend, table):
    search = GridSearchCV(make(BetaTCVAETransformer), {"beta": [1.0, 6.0]}, cv=2)
    expected = clone(search).fit(table).cv_results_
    with joblib.parallel_config(backend, n_jobs=2):
        results = search.fit(table).cv_results_
    assert results.keys() == expected.keys()
    for name in results:
        if not name.endswith("time"):
            np.testing.assert_array_equal(results[name], expected[name], name)


def test_a_candidate_that_diverges_is_reported_and_the_search_goes_on(table):
    search = GridSearchCV(make(), {"lr": [1e9, 1e-3]}, cv=2, error_score=np.nan)
    begin, end = (
        re.escape("ValueError: The training loss must stay finite. Got nan in epoch "),
        re.escape(" instead. Use a smaller lr than 1000000000.0, or scale X.\n"),
    )
    with (
        pytest.warns(UserWarning, match="^One or more of the test scores are non-finite"),
        pytest.warns(FitFailedWarning, match=f"{begin}[123]{end}"),
    ):
        search.fit(table)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])
    assert search.best_params_ == {"lr": 1e-3}


# ------------------------------------------------------------------ what a search selects


def test_the_bound_selects_beta_1_and_the_training_objective_the_smallest():
    rows = make_linear_gaussian(600, n_features=8, random_state=0)
    model = make(
        BetaVAETransformer,
        n_components=3,
        hidden_layer_sizes=(),
        noise_variance=rows.noise_variance,
        max_epochs=30,
        batch_size=100,
        lr=0.05,
    )

    def objective(fitted, X, y=None):
        return -fitted.history_["train_loss"][-1]

    scoring = {"bound": lambda fitted, X, y=None: fitted.score(X), "objective": objective}
    betas = [0.25, 1.0, 4.0]
    search = GridSearchCV(model, {"beta": betas}, cv=2, scoring=scoring, refit=False).fit(rows.data)
    bound, training = (search.cv_results_[f"mean_test_{name}"] for name in scoring)
    assert betas[np.argmax(bound)] == 1
    assert bound.max() < rows.log_likelihood + 0.1  # of rows drawn, which vary
    assert (np.diff(training) < 0).all()
    default = GridSearchCV(model, {"beta": betas}, cv=2, refit=False).fit(rows.data)
    np.testing.assert_array_equal(default.cv_results_["mean_test_score"], bound)


# ------------------------------------------------------------------ compositions


def test_codes_stand_beside_other_features(table):
    union = FeatureUnion([("codes", make()), ("pca", PCA(2))]).fit(table)
    expected = np.hstack([make().fit(table).transform(table), PCA(2).fit_transform(table)])
    np.testing.assert_allclose(union.transform(table), expected, rtol=1e-10)
    names = ["codes__vaetransformer0", "codes__vaetransformer1", "pca__pca0", "pca__pca1"]
    assert union.get_feature_names_out().tolist() == names


def test_codes_of_some_columns_of_a_frame(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    frame["kind"] = np.where(table[:, 0] > 5, "high", "low")
    columns = ColumnTransformer(
        [
            ("codes", make(), list("abc")),
            ("more", make(AutoencoderTransformer), slice(3, 6)),
            ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )
    result = columns.set_output(transform="pandas").fit_transform(frame)
    assert result.shape == (400, 6)
    codes = make().fit(frame[list("abc")]).transform(frame[list("abc")])
    np.testing.assert_array_equal(result.filter(like="codes__"), codes)


def test_string_labels_stratify_the_folds_of_a_pipeline(table):
    labels = np.where(table[:, 0] > 5, "high", "low")
    pipeline = make_pipeline(StandardScaler(), make(), LogisticRegression())
    scores = cross_val_score(pipeline, table, labels, cv=2)
    assert scores.shape == (2,)
    assert cross_val_score(make(), table, labels, cv=KFold(2)).tolist() == [
        *cross_val_score(make(), table, cv=KFold(2))
    ]


# ------------------------------------------------------------------ validation rows


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def early(**parameters):
    """Return an estimator that asks for ``X_val``; needs metadata routing."""
    return make(early_stopping=True, **parameters).set_fit_request(X_val=True)


def test_a_pipeline_transforms_the_validation_rows(routing, table):
    X, X_val = table[:300], table[300:]
    pipeline = Pipeline([("scale", StandardScaler()), ("vae", early())], transform_input=["X_val"])
    scaler = StandardScaler().fit(X)
    expected = make(early_stopping=True).fit(scaler.transform(X), X_val=scaler.transform(X_val))
    fitted = pipeline.fit(X, X_val=X_val)[-1]
    np.testing.assert_array_equal(fitted.history_["valid_loss"], expected.history_["valid_loss"])
    codes = pipeline.fit_transform(X, X_val=X_val)
    np.testing.assert_array_equal(codes, expected.transform(scaler.transform(X)))


def test_a_search_passes_the_validation_rows_on_whole(routing, table):
    X, X_val = table[:300], table[300:]
    search = GridSearchCV(early(), {"n_components": [1, 2]}, cv=2)
    fitted = search.fit(X, np.zeros(300), X_val=X_val).best_estimator_
    expected = make(early_stopping=True, **search.best_params_).fit(X, X_val=X_val)
    np.testing.assert_array_equal(fitted.history_["valid_loss"], expected.history_["valid_loss"])
    results = cross_validate(
        early(), X, params={"X_val": X_val}, cv=KFold(2), return_estimator=True
    )
    expected = make(early_stopping=True).fit(X[150:], X_val=X_val)
    np.testing.assert_array_equal(
        results["estimator"][0].history_["valid_loss"], expected.history_["valid_loss"]
    )


def test_a_search_over_a_pipeline_passes_the_validation_rows_through_it(routing, table):
    X, X_val = table[:300], table[300:]
    pipeline = Pipeline([("scale", StandardScaler()), ("vae", early())], transform_input=["X_val"])
    search = GridSearchCV(pipeline, {"vae__lr": LEARNING_RATES}, cv=2, scoring=elbo)
    fitted = search.fit(X, X_val=X_val).best_estimator_
    expected = clone(pipeline).set_params(**search.best_params_).fit(X, X_val=X_val)
    np.testing.assert_array_equal(fitted.transform(X), expected.transform(X))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_without_routing_a_search_passes_the_validation_rows_on_as_well(table):
    search = GridSearchCV(make(early_stopping=True), {"n_components": [1, 2]}, cv=2)
    fitted = search.fit(table[:300], X_val=table[300:]).best_estimator_
    expected = make(early_stopping=True, **search.best_params_)
    expected.fit(table[:300], X_val=table[300:])
    np.testing.assert_array_equal(fitted.history_["valid_loss"], expected.history_["valid_loss"])


# ------------------------------------------------------------------ Optuna


@pytest.fixture
def quiet():
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(verbosity)


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental", "ignore::FutureWarning")
@pytest.mark.parametrize("enable_pruning", [False, True])
def test_optunas_search_by_fits_or_pass_by_pass(enable_pruning, quiet, table):
    search = OptunaSearchCV(
        make(),
        {"lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)},
        n_trials=3,
        cv=KFold(2),
        random_state=0,
        enable_pruning=enable_pruning,
        max_iter=3,
    ).fit(table)
    assert [trial.state.name for trial in search.trials_] == ["COMPLETE"] * 3
    for trial in search.trials_:
        scores = cross_val_score(make(**trial.params), table, cv=KFold(2))
        assert trial.value == pytest.approx(scores.mean(), rel=1e-6)
    assert search.transform(table).shape == (400, 2)


def test_a_trial_is_pruned_between_passes(quiet, table):
    def objective(trial):
        vae = make(lr=trial.suggest_categorical("lr", [1e-2, 1e-7]))
        for epoch in range(4):
            score = vae.partial_fit(table[:300]).score(table[300:])
            trial.report(score, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return score

    pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    for lr in (1e-2, 1e-7):
        study.enqueue_trial({"lr": lr})
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    for epoch, score in study.trials[0].intermediate_values.items():
        fitted = make(lr=1e-2, max_epochs=epoch + 1).fit(table[:300])
        assert score == pytest.approx(fitted.score(table[300:]), rel=1e-6)
