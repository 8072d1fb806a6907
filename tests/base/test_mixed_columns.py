"""Estimators of columns of several kinds."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_selector

from skvae import AutoencoderOutlierDetector, BetaTCVAETransformer, VAETransformer

KINDS = [
    ("gaussian", make_column_selector(dtype_include="float32")),
    ("bernoulli", "flag"),
    ("categorical", "code"),
    ("categorical", slice("low", "high")),
    ("poisson", [-2]),
    ("negative-binomial", [False] * 8 + [True]),
]

NAMED = [("gaussian", ["a", "b"]), *KINDS[1:4], ("poisson", "events")]
NAMED += [("negative-binomial", "visits")]


def make_table(n_rows=200):
    """Return a frame with a column of every kind, all of one hidden number."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=n_rows)
    level = np.digitize(hidden, [-0.5, 0.5])
    return pd.DataFrame(
        {
            "a": (hidden + 0.3 * rng.normal(size=n_rows)).astype(np.float32),
            "b": (2 * hidden + 0.3 * rng.normal(size=n_rows)).astype(np.float32),
            "flag": hidden > rng.normal(size=n_rows),
            "code": np.array([2, 3, 7])[level],
            "low": (level == 0).astype(int),
            "middle": (level == 1).astype(int),
            "high": (level == 2).astype(int),
            "events": rng.poisson(np.exp(hidden)),
            "visits": rng.negative_binomial(2, 1 / (1 + np.exp(hidden))),
        }
    )


def make(likelihood=KINDS, **options):
    settings = {"max_epochs": 5, "hidden_layer_sizes": (8,), "random_state": 0, **options}
    return VAETransformer(2, likelihood=likelihood, **settings)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(make_table())


def test_all_that_is_of_columns_has_them(fitted):
    table = make_table()
    log_prob, kl = fitted.elbo_terms(table)
    np.testing.assert_allclose(log_prob.sum(1) - kl, fitted.score_samples(table), rtol=1e-5)
    assert log_prob.shape == fitted.reconstruct(table).shape == table.shape
    assert fitted.reconstruction_error(table, per_feature=True).shape == table.shape
    assert np.ndim(fitted.noise_variance_) == 0
    assert fitted.dispersion_.shape == (1,)
    assert list(fitted.history_) == ["train_loss", "reconstruction", "kl"]


def test_draws_are_rows_like_those_fitted(fitted):
    names = list(make_table())
    rows = pd.DataFrame(fitted.sample(100, random_state=0, observation_noise=True), columns=names)
    assert (rows[["low", "middle", "high"]].sum(axis=1) == 1).all()
    assert set(rows["code"]) <= {2, 3, 7}
    assert set(rows["flag"]) == {0, 1}
    assert (rows[["events", "visits"]] % 1 == 0).all(axis=None)
    means = fitted.sample(20, random_state=0)
    np.testing.assert_allclose(means[:, 4:7].sum(1), 1, rtol=1e-5)
    assert set(means[:, 3]) <= {2, 3, 7}


def test_permuted_columns_permute_results(fitted):
    table = make_table()
    order = ["visits", "code", "b", "low", "middle", "high", "events", "flag", "a"]
    other = make(NAMED).fit(table[order])
    np.testing.assert_array_equal(other.transform(table[order]), fitted.transform(table))
    errors = fitted.reconstruction_error(table, per_feature=True)
    found = other.reconstruction_error(table[order], per_feature=True)
    np.testing.assert_array_equal(found, errors[:, [list(table).index(name) for name in order]])


def test_clones_pickles_and_warm_starts_have_the_same_columns(fitted):
    table = make_table()
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(make([("gaussian", slice(0, 9))]).fit(table))).transform(table),
        clone(make([("gaussian", slice(0, 9))])).fit(table).transform(table),
    )
    warm = make(max_epochs=2, warm_start=True).fit(table).set_params(max_epochs=3).fit(table)
    np.testing.assert_array_equal(warm.transform(table), fitted.transform(table))
    assert warm.partial_fit(table[:50]).n_iter_ == 6


def test_one_kind_of_all_columns_may_be_named_alone():
    X = make_table()[["events", "visits"]]
    alone, pair = make("poisson").fit(X), make([("poisson", [0, 1])]).fit(X)
    np.testing.assert_array_equal(alone.transform(X), pair.transform(X))


def test_numbers_alone_are_the_gaussian_likelihood():
    X = make_table()[["a", "b"]]
    pairs, plain = make([("gaussian", ["a", "b"])]).fit(X), make("gaussian").fit(X)
    np.testing.assert_array_equal(pairs.transform(X), plain.transform(X))
    assert pairs.noise_variance_ == pytest.approx(plain.noise_variance_, rel=1e-6)
    np.testing.assert_allclose(pairs.score_samples(X), plain.score_samples(X), rtol=1e-5)


def test_a_new_code_makes_a_row_less_normal_and_no_error(fitted):
    table = make_table()
    new = table.assign(code=100)
    log_prob = fitted.elbo_terms(new)[0][:, 3]
    assert (log_prob <= -np.log(len(table) + 1) + 1e-6).all()
    assert (fitted.elbo_terms(table.assign(low=0, middle=0, high=0))[0][:, 4:7].sum(1) < -5).all()


def test_a_detector_takes_them_and_explains_by_columns():
    table = make_table()
    detector = AutoencoderOutlierDetector(make(NAMED, max_epochs=30), random_state=0).fit(table)
    odd = table[:1].assign(events=60)
    assert detector.explain(odd, n_features=1)["column"].item() == "events"


def test_a_category_and_a_number_of_equal_information_gain_as_many_nats():
    rng = np.random.default_rng(0)
    n_rows = 2000
    level, value = rng.integers(4, size=n_rows), rng.normal(size=n_rows)
    codes = [np.where(rng.random(n_rows) < 0.9, level, rng.integers(4, size=n_rows)) for _ in "abc"]
    # What the hidden level tells of a code in nats, and of a number of such noise.
    p = np.array([0.925, 0.025, 0.025, 0.025])
    information = np.log(4) + (p * np.log(p)).sum()
    noise = (np.exp(2 * information) - 1) ** -0.5
    numbers = [value + noise * rng.normal(size=n_rows) for _ in "abc"]
    X = np.column_stack([*numbers, *codes])
    pairs = [("gaussian", [0, 1, 2]), *(("categorical", column) for column in (3, 4, 5))]
    vae = make(pairs, max_epochs=60, batch_size=100, hidden_layer_sizes=(32,)).set_params(
        n_components=4
    )
    log_prob, _ = vae.fit(X).elbo_terms(X)
    before = 0.5 * np.log(2 * np.pi * np.e * X[:, :3].var(0)).sum(), 3 * np.log(4)
    gains = before[0] + log_prob[:, :3].sum(1).mean(), before[1] + log_prob[:, 3:].sum(1).mean()
    assert gains[0] / gains[1] == pytest.approx(1, abs=0.2)


TABLE = make_table()
REFUSED = {
    "twice": (
        [("gaussian", ["a", "b"]), ("bernoulli", "a")],
        TABLE[["a", "b"]],
        "Every column of X must be in exactly one pair of likelihood. Got column 'a' in 2 pairs "
        "instead. Name it once.",
    ),
    "left out": (
        [("gaussian", [0])],
        TABLE[["a", "b"]].to_numpy(),
        "Every column of X must be in exactly one pair of likelihood. Got column 1 in 0 pairs "
        "instead. Name it once.",
    ),
    "no pair": (
        ["gaussian"],
        TABLE[["a"]],
        "likelihood must be a kind, or pairs (kind, columns). Got 'gaussian' among the pairs "
        "instead. Give each kind with its columns.",
    ),
    "unknown": (
        [("gaussian", ["c"])],
        TABLE[["a", "b"]],
        "likelihood must name columns of X. Got 'c' for columns a, b instead. Fit a DataFrame that "
        "has it, or give its index.",
    ),
    "beyond": (
        [("gaussian", [0, 2])],
        TABLE[["a", "b"]],
        "likelihood must name columns of X, or give indices below 2. Got 2 instead. Use one of "
        "them.",
    ),
    "mask": (
        [("gaussian", [True])],
        TABLE[["a", "b"]],
        "A mask of columns must have one value for each of the 2 columns of X. Got 1 instead. Give "
        "one for each.",
    ),
    "not whole": (
        [("poisson", ["a"])],
        TABLE[["a"]].abs() * 0 + 0.5,
        "Counts must be whole numbers. Got 0.5 in column 'a' instead. Use likelihood 'gaussian' "
        "for it.",
    ),
    "below zero": (
        [("poisson", ["events"])],
        TABLE[["events"]] - 1,
        "The 'poisson' likelihood needs values in [0, inf). Got values in [-1, "
        f"{TABLE['events'].max() - 1}] in column 'events' instead. Use another kind for it, or "
        "scale it.",
    ),
    "not one-hot": (
        [("categorical", ["low", "code"])],
        TABLE[["low", "code"]].clip(upper=1),
        "The columns of a 'categorical' pair must be one-hot: a single 1 in every row, and 0 "
        "elsewhere. Got [1, 1] in the columns from 'low' on instead. Give every variable its own "
        "pair, also a column of codes.",
    ),
    "no codes": (
        [("categorical", "a")],
        TABLE[["a"]] * 0 + 0.5,
        "A 'categorical' pair of one column must hold codes, integers of at most 16777216. Got "
        "values such as 0.5 in column 0 instead. Use an OrdinalEncoder, or likelihood 'gaussian' "
        "for it.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_columns_are_refused_in_a_sentence(name):
    pairs, X, sentence = REFUSED[name]
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(pairs).fit(X)


def test_what_is_of_alike_columns_is_refused():
    with pytest.raises(ValueError, match=r"^input_scale cannot be used with counts, with columns "):
        make(input_scale=0.5).fit(make_table())


def test_further_training_keeps_kinds_and_levels():
    table = make_table()
    vae = BetaTCVAETransformer(2, likelihood=KINDS, max_epochs=1, random_state=0).fit(table)
    with pytest.raises(ValueError, match=r"Got 8 in column 'code' instead. Fit again, to all"):
        vae.partial_fit(table.assign(code=8))
    with pytest.raises(ValueError, match=r"^Further training needs the kinds of columns with"):
        vae.set_params(likelihood=[("gaussian", slice(0, 9))]).partial_fit(table)
