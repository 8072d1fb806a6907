"""What an encoder refuses or warns of, in whole sentences."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sentences import exactly

from skvae import VAEImputer, VAETransformer
from skvae.tabular import TableEncoder, TableTransformer

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "y"], "c": [0.5, 1.5, 2.5]})


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_are_those_fitted_in_their_order(library):
    frame = FRAME if library == "pandas" else pl.DataFrame(FRAME.to_dict("list"))
    encoder = TableEncoder().fit(frame)
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        encoder.transform(frame[["b", "a", "c"]])
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing:\n- c"):
        encoder.transform(frame[["a", "b"]])


@pytest.mark.parametrize(
    ("column", "values", "held", "got"),
    [
        ("a", ["one", "two", "six"], "numbers", "text or categories"),
        ("a", pd.to_datetime(["2020"] * 3), "numbers", "times without a time zone"),
        ("b", pd.to_timedelta([1, 2, 3]), "text or categories", "durations"),
    ],
)
def test_a_column_of_another_kind_is_refused(column, values, held, got):
    text = (
        f"Column {column!r} had {held} when TableEncoder was fitted. Got {got} instead. Convert "
        f"the column to {held}."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(FRAME).transform(FRAME.assign(**{column: values}))


def test_zones_are_not_guessed():
    times = pd.DataFrame({"a": pd.to_datetime(["2020-01-01", "2021-01-01"])})
    text = (
        "Column 'a' had times without a time zone when TableEncoder was fitted. Got times with a "
        "time zone instead. Convert the column to times without a time zone."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(times).transform(times.assign(a=times["a"].dt.tz_localize("UTC")))


def test_infinite_numbers_are_refused():
    text = (
        "The numbers of X must be finite. Got infinity in column 'c' instead. Give such values a "
        "number, or NaN."
    )
    strange = FRAME.assign(c=[1.0, np.inf, 2.0])
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(strange)
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(FRAME).transform(strange)


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (pd.DataFrame({"a": [[1], [2]]}), "unhashable type: 'list'"),
        (pd.DataFrame({"a": [1j, 2j]}), "complex128"),
        (pl.DataFrame({"a": [[1], [2]]}), "List(Int64)"),
    ],
)
def test_columns_that_it_does_not_take_are_named(frame, what):
    text = (
        f"TableEncoder takes columns of numbers, booleans, text, categories, dates, times, "
        f"durations and periods. Got column 'a' of {what} instead. Convert it, or leave it out."
    )
    with pytest.raises(TypeError, match=exactly(text)):
        TableEncoder().fit(frame)


@pytest.mark.parametrize(
    ("frame", "message"),
    [(FRAME[:0], r"0 sample\(s\) \(shape=\(0, 3\)\)"), (FRAME[[]], r"0 feature\(s\)")],
)
def test_an_empty_frame_is_refused(frame, message):
    with pytest.raises(ValueError, match=f"Found array with {message}"):
        TableEncoder().fit(frame)


@pytest.mark.parametrize(
    "rows", [[["a", 2.0], ["b", 3.0]], np.array([["a", 2.0], ["b", 3.0]], dtype=object)]
)
def test_text_comes_in_a_frame(rows):
    text = (
        "An array must contain numbers. Got text instead. Pass columns of several kinds as a "
        "DataFrame."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(rows)


@pytest.mark.parametrize("given", [5, VAETransformer])
def test_a_table_transformer_takes_an_estimator(given):
    text = (
        f"TableTransformer takes an estimator. Got {given!r} instead. Pass an instance, such as "
        f"VAETransformer(5, missing='mask')."
    )
    with pytest.raises(TypeError, match=exactly(text)):
        TableTransformer(given).fit(FRAME)


def test_a_table_has_its_rows():
    text = "X must be a table in memory. Got a LazyFrame of polars instead. Pass X.collect()."
    lazy = pl.LazyFrame(FRAME.to_dict("list"))
    for estimator in (TableEncoder(), TableTransformer(), VAETransformer(2), VAEImputer()):
        with pytest.raises(ValueError, match=exactly(text)):
            estimator.fit(lazy)


def test_a_number_that_is_missing_for_the_first_time_is_filled_with_a_warning():
    encoder = TableEncoder().fit(FRAME)
    text = (
        "Numbers and booleans should be missing only in columns that had missing values in fit. "
        "Got missing values in ['c'] instead, and filled them with the mean or the most frequent "
        "value. Fit to rows with missing values in these columns, or set missing='keep'."
    )
    with pytest.warns(UserWarning, match=exactly(text)):
        codes = encoder.transform(FRAME.assign(c=[np.nan, 1.5, 2.5]))
    assert codes[0, -1] == 0


def test_a_dtype_without_missing_values_gets_none():
    encoder = TableEncoder(missing="keep").fit(FRAME)
    text = (
        "Column 'a' of dtype int64 cannot hold missing values. Got NaN in its codes instead. Fill "
        "the NaN, or fit to a nullable dtype."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        encoder.inverse_transform(np.full((1, 5), np.nan))


def test_codes_have_all_columns():
    text = (
        "inverse_transform needs the 5 columns that transform returns. Got 3 instead. Pass all of "
        "them."
    )
    with pytest.raises(ValueError, match=exactly(text)):
        TableEncoder().fit(FRAME).inverse_transform(np.zeros((1, 3)))


def test_without_polars_its_table_cannot_be_made(monkeypatch):
    encoder = TableEncoder().fit(pl.DataFrame({"a": [1, 2]}))
    monkeypatch.setitem(sys.modules, "polars", None)
    text = (
        "TableEncoder needs polars for the table that it was fitted to. Got none that can be "
        "imported instead. Install it: pip install polars"
    )
    with pytest.raises(ImportError, match=exactly(text)):
        encoder.inverse_transform([[0.0]])
