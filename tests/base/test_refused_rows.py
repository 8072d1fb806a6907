"""Rows and settings that cannot be fitted are refused, and a refused fit leaves nothing."""

import re

import numpy as np
import pytest
from sentences import exactly
from small_transformers import every_estimator, small

from skvae import VAETransformer


@every_estimator
def test_data_that_cannot_be_fitted_is_refused(Estimator, table):
    name = Estimator.__name__
    X = table.copy()
    X[3, 1] = np.nan
    sentence = (
        f"Input X contains NaN, which {name} accepts only with missing='mask'. Got missing=None "
        f"instead. Set it and fit, or fill in the missing values, as a VAEImputer does."
        if hasattr(Estimator, "missing")
        else f"Input X contains NaN.\n{name} does not accept missing"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        small(Estimator).fit(X)
    sentence = (
        f"Found array with 1 sample(s) (shape=(1, 6)) while a minimum of 2 is required by {name}."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(Estimator).fit(table[:1])


def test_x_val_without_early_stopping_is_refused(table):
    sentence = (
        "X_val is for early stopping. Got X_val with early_stopping=False instead. "
        "Set early_stopping=True, or leave X_val out."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer).fit(table, X_val=table)


def test_too_few_rows_to_split_are_refused(table):
    sentence = (
        "Early stopping needs at least two rows to train on and two to validate. Got n_samples=3 "
        "with validation_fraction=0.1 instead. Give more rows, or set early_stopping=False."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer, early_stopping=True).fit(table[:3])


@pytest.mark.parametrize("scale", [1e18, 1e-20])
def test_data_out_of_the_range_of_float32_are_refused(scale, table):
    got = f"{scale * np.sqrt(table.var(0).mean()):.3g}"
    sentence = (
        "X must have a root mean variance in [1e-15, 1e+15], the range of float32 training. "
        f"Got {got} instead. Scale X."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer).fit(scale * table)


def test_a_column_that_float32_cannot_resolve_is_named(table):
    with pytest.warns(
        UserWarning, match=r"^Column \d of X has a standard deviation of .* Centre X"
    ):
        small(VAETransformer).fit(table + 1e7)


@pytest.mark.parametrize("sizes", [(8, 0), (-1,), (2.5,)])
def test_layers_of_no_size_are_refused(sizes, table):
    sentence = f"hidden_layer_sizes must hold integers of at least 1. Got {sizes} instead."
    with pytest.raises(ValueError, match=exactly(sentence)):
        small(VAETransformer, hidden_layer_sizes=sizes).fit(table)


@pytest.mark.parametrize(
    ("parameters", "X", "error"),
    [
        ({}, np.full((4, 6), np.nan), "NaN"),
        ({"lr": -1.0}, np.ones((4, 6)), "'lr' parameter"),
        ({"hidden_layer_sizes": (0,)}, np.ones((4, 6)), "hidden_layer_sizes"),
    ],
)
def test_a_fit_that_fails_leaves_nothing_of_the_one_before(parameters, X, error, table):
    fitted = small(VAETransformer).fit(table).set_params(**parameters)
    with pytest.raises(ValueError, match=error):
        fitted.fit(X)
    assert [name for name in vars(fitted) if name.endswith("_")] == []
