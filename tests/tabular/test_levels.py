"""Levels that are rare, unknown, missing or many, each in its place."""

import numpy as np
import pandas as pd
import pytest
from sentences import exactly
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skvae import VAETransformer
from skvae.tabular import TableEncoder

CITIES = pd.DataFrame({"city": ["Rom"] * 5 + ["Oslo"] * 3 + ["Bern", "Bonn", "Bonn"]})


@pytest.mark.parametrize("min_frequency", [3, 0.2])
def test_rare_levels_share_a_column_and_come_back_as_the_commonest(min_frequency):
    encoder = TableEncoder(min_frequency=min_frequency).fit(CITIES)
    names = ["city_Oslo", "city_Rom", "city_rare", "city_unknown"]
    assert encoder.get_feature_names_out().tolist() == names
    assert encoder.rare_levels_ == {"city": ["Bonn", "Bern"]}
    assert encoder.transform(CITIES)[-3:].tolist() == [[0, 0, 1, 0]] * 3
    expected = ["Rom"] * 5 + ["Oslo"] * 3 + ["Bonn"] * 3
    assert encoder.inverse_transform(encoder.transform(CITIES))["city"].tolist() == expected


def test_more_levels_than_max_categories_are_rare_with_a_warning():
    text = (
        "A column of text should have at most max_categories=2 levels. Got 4 in column 'city' "
        "instead, and the less frequent ones now share one column of codes. Leave out a column of "
        "ids, or set min_frequency or max_categories."
    )
    with pytest.warns(UserWarning, match=exactly(text)):
        encoder = TableEncoder(max_categories=2).fit(CITIES)
    assert encoder.rare_levels_ == {"city": ["Bonn", "Bern"]}
    TableEncoder(max_categories=2, min_frequency=3).fit(CITIES)  # no warning of what was asked


@pytest.mark.parametrize("value", ["Ulm", None])
def test_unknown_levels_have_a_column_and_come_back_missing(value):
    encoder = TableEncoder().fit(CITIES)
    codes = encoder.transform(pd.DataFrame({"city": [value, "Rom"]}))
    assert codes.tolist() == [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0]]
    assert encoder.inverse_transform(codes)["city"].isna().tolist() == [True, False]


def test_a_missing_level_is_not_an_unknown_one_where_training_had_some():
    encoder = TableEncoder().fit(pd.DataFrame({"city": ["Rom", None]}))
    codes = encoder.transform(pd.DataFrame({"city": ["Ulm", None, "Rom"]}))
    assert codes.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_kept_holes_are_nan_throughout_the_block():
    encoder = TableEncoder(missing="keep").fit(pd.DataFrame({"city": ["Rom", None]}))
    codes = encoder.transform(pd.DataFrame({"city": ["Ulm", None, "Rom"]}))
    np.testing.assert_array_equal(codes, [[0, 1], [np.nan, np.nan], [1, 0]])


def test_the_order_of_a_category_is_that_of_its_block():
    dtype = pd.CategoricalDtype(["low", "mid", "high", "never"], ordered=True)
    frame = pd.DataFrame({"a": pd.Categorical(["high", "low", "mid"], dtype=dtype)})
    encoder = TableEncoder().fit(frame)
    names = ["a_low", "a_mid", "a_high", "a_unknown"]
    assert encoder.get_feature_names_out().tolist() == names
    assert encoder.inverse_transform(np.eye(4))["a"].dtype == dtype


def test_true_is_not_1():
    frame = pd.DataFrame({"a": np.array([True, 1, "x"], dtype=object)})
    encoder = TableEncoder().fit(frame)
    decoded = encoder.inverse_transform(encoder.transform(frame))["a"]
    assert [type(value) for value in decoded] == [bool, int, str]


def test_an_unknown_level_never_makes_a_row_look_more_normal():
    rng = np.random.RandomState(0)
    kind = rng.choice(list("abcdefgh"), 1000)
    frame = pd.DataFrame({"kind": kind, "size": rng.standard_normal(1000) + (kind > "d")})
    strange = frame[:200].assign(kind="new")
    one_hot = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["kind"]),
        remainder=StandardScaler(),
    )
    rose = {}
    for name, encoder in (("table", TableEncoder()), ("zeros", one_hot)):
        vae = VAETransformer(2, max_epochs=30, random_state=0)
        scores = make_pipeline(encoder, vae).fit(frame).score_samples
        rose[name] = (scores(strange) > scores(frame[:200])).mean()
    assert rose["table"] == 0
    assert rose["zeros"] > 0.5  # what it would be without a column of its own
