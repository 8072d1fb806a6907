"""Likelihoods that are proposed for columns drawn from one."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sentences import exactly

from skvae.tabular import TableEncoder, infer_likelihood

RNG = np.random.RandomState(0)
DRAWN = {
    "bernoulli": RNG.uniform(size=500) < 0.3,
    "poisson": RNG.poisson(3.0, 500),
    "negative-binomial": RNG.negative_binomial(1, 0.2, 500),
    "continuous-bernoulli": RNG.beta(0.3, 0.3, 500),
    "gaussian": RNG.standard_normal(500),
}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_columns_drawn_from_a_kind_are_proposed_it(make):
    proposal = infer_likelihood(make(DRAWN))
    assert proposal.columns == proposal.kinds == list(DRAWN)
    assert proposal.likelihood == [(name, [name]) for name in DRAWN]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([np.nan] * 30, "no value"),
        ([2.0] * 30, "constant, 2"),
        ([1, 2, 3, 4, 5] * 50, "whole numbers, variance only 0.669 times the mean"),
        ([2020, 2021] * 15, "numbers from 2020 to 2021"),
        ([0.3, 0.7] * 15, "numbers from 0.3 to 0.7"),
        ([0, 1, 2], "numbers from 0 to 2"),
    ],
)
def test_all_else_is_gaussian_and_says_why(values, reason):
    proposal = infer_likelihood(np.array(values, dtype=float)[:, None])
    assert (proposal.kinds, proposal.reasons) == (["gaussian"], [reason])


def test_missing_values_do_not_count():
    frame = pd.DataFrame(DRAWN).astype(float)
    frame.loc[::3] = np.nan
    assert infer_likelihood(frame).kinds == list(DRAWN)


def test_it_proposes_and_prints_a_row_a_column():
    proposal = infer_likelihood(pd.DataFrame({"a": [0, 1], "long": [1.5, 2.5]}))
    assert repr(proposal).splitlines() == [
        "      kind       reason",
        "a     bernoulli  only 0 and 1",
        "long  gaussian   numbers from 1.5 to 2.5",
    ]
    frame = proposal.to_frame()
    assert list(frame.index) == proposal.columns
    assert frame["kind"].tolist() == proposal.kinds
    assert frame["reason"].tolist() == proposal.reasons


def test_text_is_left_to_the_encoder():
    text = (
        "infer_likelihood needs columns of numbers. Got other values in column 'a' instead. Use a "
        "TableEncoder: its likelihoods_ are the kinds of its codes."
    )
    frame = pd.DataFrame({"a": ["x", "y"]})
    with pytest.raises(ValueError, match=exactly(text)):
        infer_likelihood(frame)
    assert TableEncoder().fit(frame).likelihoods_ == [("categorical", [0, 1, 2])]
