"""A table to codes and back: the law that it is the same table, and what is legal, by dtype."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn_frames import PANDAS, POLARS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal

from skvae.tabular import TableEncoder
from skvae.tabular.monotone import MAPS

MISSING = st.sampled_from(["indicator", "keep"])
NUMERIC = st.sampled_from(["auto", *MAPS])
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def back(frame, **options):
    encoder = TableEncoder(max_categories=1000, **options).fit(frame)
    return encoder.inverse_transform(encoder.transform(frame))


def tolerance(values):
    return 1e-12 * np.abs(np.asarray(values, dtype=float)[~pd.isna(values)]).max(initial=0)


@pytest.mark.parametrize("dtype", PANDAS)
@FEW
@given(data=st.data(), missing=MISSING, numeric=NUMERIC)
def test_a_frame_of_pandas_comes_back(dtype, data, missing, numeric):
    frame = PANDAS[dtype](data.draw).to_frame("a b")
    result = back(frame, missing=missing, numeric=numeric)
    is_real = getattr(frame.dtypes.iloc[0], "kind", "O") == "f" or dtype == "object of float"
    atol = tolerance(frame["a b"].to_numpy(dtype=float, na_value=np.nan)) if is_real else 0.0
    pd.testing.assert_frame_equal(result, frame, rtol=0, atol=atol, check_exact=not is_real)


@pytest.mark.parametrize("dtype", POLARS)
@FEW
@given(data=st.data(), missing=MISSING, numeric=NUMERIC)
def test_a_frame_of_polars_comes_back(dtype, data, missing, numeric):
    column = POLARS[dtype](data.draw).alias("a b")
    (result,) = back(column.to_frame(), missing=missing, numeric=numeric).get_columns()
    is_real = column.dtype.is_float()
    atol = tolerance(column.cast(pl.Float64).to_numpy()) if is_real else 0.0
    assert_series_equal(result, column, rel_tol=0, abs_tol=atol, check_exact=not is_real)


@pytest.mark.parametrize("dtype", PANDAS)
@FEW
@given(data=st.data(), missing=MISSING, numeric=NUMERIC)
def test_any_real_numbers_come_back_as_a_legal_frame_of_pandas(dtype, data, missing, numeric):
    frame = PANDAS[dtype](data.draw).to_frame("a")
    encoder = TableEncoder(missing=missing, numeric=numeric).fit(frame)
    result = encoder.inverse_transform(codes(encoder, data.draw))
    assert result.dtypes.equals(frame.dtypes)
    result.to_string()  # dates of impossible years could not be printed
    encoder.transform(result)


@pytest.mark.parametrize("dtype", POLARS)
@FEW
@given(data=st.data(), missing=MISSING, numeric=NUMERIC)
def test_any_real_numbers_come_back_as_a_legal_frame_of_polars(dtype, data, missing, numeric):
    frame = POLARS[dtype](data.draw).alias("a").to_frame()
    encoder = TableEncoder(missing=missing, numeric=numeric).fit(frame)
    result = encoder.inverse_transform(codes(encoder, data.draw))
    assert result.schema == frame.schema
    result.rows()
    encoder.transform(result)


def codes(encoder, draw):
    """Return three rows of any real numbers."""
    width = len(encoder.get_feature_names_out())
    number = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-5, 5)
    return draw(st.lists(st.lists(number, min_size=width, max_size=width), min_size=3, max_size=3))
