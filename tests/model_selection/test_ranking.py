"""Candidates whose models find the same codes come first."""

import re

import numpy as np
import pytest
from known_factors import noise
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.metrics import udr_score
from skvae.model_selection import rank_unsupervised

# Exactly uncorrelated ranks: a full factorial.
GRID = np.indices((4, 5, 6)).reshape(3, -1).T * 1.0


def model(codes):
    """Return an estimator whose codes of GRID are these."""
    return FunctionTransformer(lambda X: codes).fit(GRID)


def relabelled(order, factors):
    return model(GRID[:, order] * factors)


SAME = [relabelled([0, 1, 2], 1.0), relabelled([2, 0, 1], [1, -2, 3]), relabelled([1, 0, 2], -1.0)]
CHANCE = [model(noise(len(GRID), 3, seed)) for seed in range(3)]


def vae(seed=0, n_components=2, **parameters):
    return VAETransformer(n_components, max_epochs=3, random_state=seed, **parameters)


@pytest.mark.parametrize("order", [["chance", "same"], ["same", "chance"]])
def test_permuted_codes_have_score_1_and_chance_is_last(order):
    groups = {"same": SAME, "chance": CHANCE}
    ranking = rank_unsupervised({name: groups[name] for name in order}, GRID)
    assert ranking.names == ("same", "chance")
    np.testing.assert_allclose(ranking.per_model[0], 1, atol=1e-12)
    assert ranking.scores[1] < 0.2
    np.testing.assert_array_equal(ranking.active_shares, [1, 1])
    np.testing.assert_array_equal(ranking.n_active, [[3, 3, 3], [3, 3, 3]])


@pytest.mark.parametrize("options", [{}, {"method": "lasso", "flavor": "disentanglement_lib"}])
def test_a_candidates_score_is_its_udr(options):
    candidates = {"mixed": [SAME[0], CHANCE[0], SAME[1]], "same": SAME}
    ranking = rank_unsupervised(candidates, GRID, **options)
    assert ranking.names == ("same", "mixed")
    for name, score, each in zip(ranking.names, ranking.scores, ranking.per_model, strict=True):
        codes = [estimator.transform(GRID) for estimator in candidates[name]]
        details = udr_score(codes, details=True, **options)
        assert score == pytest.approx(details.score)
        np.testing.assert_allclose(each, details.per_model)


def test_single_models_are_compared_with_all_others():
    models = [CHANCE[0], *SAME]
    ranking = rank_unsupervised(models, GRID)
    assert ranking.names == (1, 2, 3, 0)
    details = udr_score([estimator.transform(GRID) for estimator in models], details=True)
    np.testing.assert_allclose(ranking.scores, details.per_model[[1, 2, 3, 0]])
    named = rank_unsupervised(dict(zip("abcd", models, strict=True)), GRID)
    assert named.names == ("b", "c", "d", "a")


def test_of_equal_scores_the_first_given_comes_first():
    assert rank_unsupervised({"b": SAME, "a": SAME}, GRID).names == ("b", "a")


def test_collapsed_dimensions_are_told_by_the_posterior(table):
    models = [vae(seed, 3, noise_variance=1.0).fit(table) for seed in range(2)]
    pairs = [fitted.posterior(table) for fitted in models]
    codes, stds = zip(*pairs, strict=True)
    details = udr_score(codes, stds_list=stds, details=True)
    ranking = rank_unsupervised({"vae": models}, table)
    np.testing.assert_array_equal(ranking.n_active[0], details.n_active)
    assert ranking.scores[0] == pytest.approx(details.score)
    # Under so much noise nothing is worth a nat.
    with pytest.warns(UserWarning, match="collapsed"):
        empty = [
            vae(seed, 3, noise_variance=1e6).set_params(max_epochs=60, lr=0.01).fit(table)
            for seed in range(2)
        ]
    ranking = rank_unsupervised({"empty": empty, "vae": models}, table)
    assert ranking.names == ("vae", "empty")
    assert (ranking.active_shares[1], ranking.scores[1]) == (0, 0)


def test_pipelines_searches_and_folds_will_do(table):
    pipeline = make_pipeline(StandardScaler(), vae())
    folds = cross_validate(pipeline, table, cv=2, return_estimator=True)["estimator"]
    search = GridSearchCV(vae(), {"n_components": [1, 2]}, cv=2).fit(table)
    ranking = rank_unsupervised({"folds": folds, "others": (search, PCA(2).fit(table))}, table)
    assert set(ranking.names) == {"folds", "others"}
    fitted = [folds[0][-1], folds[1][-1]]
    scaled = [folds[0][0].transform(table), folds[1][0].transform(table)]
    posteriors = [one.posterior(X) for one, X in zip(fitted, scaled, strict=True)]
    codes, stds = zip(*posteriors, strict=True)
    place = ranking.names.index("folds")
    assert ranking.scores[place] == pytest.approx(udr_score(codes, stds_list=stds))


def test_candidates_without_a_posterior_have_the_rank_of_their_codes(table):
    models = [AutoencoderTransformer(2, max_epochs=2, random_state=s).fit(table) for s in (0, 1)]
    expected = udr_score([fitted.transform(table) for fitted in models])
    assert rank_unsupervised(models, table).scores[0] == pytest.approx(expected)


def test_it_prints_as_a_table():
    ranking = rank_unsupervised({4.0: SAME, "a": SAME[:2]}, GRID)
    assert repr(ranking).splitlines() == [
        "       udr  active_share  n_models",
        "4.0  1.000         1.000         3",
        "a    1.000         1.000         2",
    ]
    frame = ranking.to_frame()
    assert list(frame.index) == list(ranking.names)
    np.testing.assert_array_equal(frame["udr"], ranking.scores)
    np.testing.assert_array_equal(frame["active_share"], ranking.active_shares)
    assert frame["n_models"].tolist() == [3, 2]


def test_too_few_models_are_refused():
    sentence = (
        "rank_unsupervised needs at least two models of each candidate, because its score is "
        "how far they agree. Got 1 of 'alone' instead. Fit it with more seeds, or leave it out."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        rank_unsupervised({"same": SAME, "alone": CHANCE[:1]}, GRID)
    for n_models in (0, 1):
        sentence = (
            f"rank_unsupervised compares models, and needs at least two. Got {n_models} instead. "
            "Fit others, say from further seeds."
        )
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            rank_unsupervised(SAME[:n_models], GRID)


@pytest.mark.parametrize(
    "estimators", [{"a": SAME, "b": SAME[0]}, [1, 2], {"a": ["x", "y"]}, {"a": []}]
)
def test_what_is_no_model_is_refused(estimators):
    sentence = (
        "rank_unsupervised needs fitted estimators with transform: a list or a dict of them, or a "
        "dict that has a list of them for each candidate. Got something else instead. Give one of "
        "these."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        rank_unsupervised(estimators, GRID)
