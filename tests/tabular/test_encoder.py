"""A table to codes and back: the law that it is the same table, and what is legal, by dtype."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn_frames import PANDAS, POLARS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal
from sklearn.base import clone

from skvae.tabular import TableEncoder
from skvae.tabular.monotone import MAPS
from skvae.tabular.scales import TINIEST

MISSING = st.sampled_from(["indicator", "keep"])
NUMERIC = st.sampled_from(["auto", *MAPS])
# The same examples at every run: what fails here fails everywhere.
FEW = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def back(frame, **options):
    encoder = TableEncoder(max_categories=1000, **options).fit(frame)
    return encoder.inverse_transform(encoder.transform(frame))


def tolerance(values):
    """Return what real numbers may differ by: rounding, and where all are tiny they are zero."""
    largest = np.abs(np.asarray(values, dtype=float)[~pd.isna(values)]).max(initial=0)
    return max(1e-12 * largest, TINIEST)


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
    if not column.dtype.is_float():
        return assert_series_equal(result, column)
    assert_series_equal(result.is_null(), column.is_null())
    assert result.dtype == column.dtype
    rows, expected = (one.cast(pl.Float64).to_numpy() for one in (result, column))
    np.testing.assert_allclose(rows, expected, rtol=0, atol=tolerance(expected))


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


MIXED = pd.DataFrame(
    {
        "age": [31, 55, 43, 20, 31, 70],
        "job": pd.Categorical(["nurse", "smith", "nurse", "cook", "smith", "nurse"]),
        "pay": [1.5, np.nan, 2.5, 90.0, 1.0, 2.0],
        "city": ["Rom", None, "Oslo", "Rom", "Rom", "Bonn"],
        "own": [True, False, True, True, False, False],
        "since": pd.to_datetime(
            ["2020-01-01", "2021-06-30", None, "2019-02-03"] + ["2020-05-05"] * 2
        ),
    }
)


def test_names_index_and_order_come_back():
    frame = MIXED.set_axis(list("uvwxyz"))
    encoder = TableEncoder().set_output(transform="pandas").fit(frame)
    codes = encoder.transform(frame)
    assert codes.index.equals(frame.index)
    pd.testing.assert_frame_equal(encoder.inverse_transform(codes), frame)
    encoder.set_output(transform="default")
    rows = encoder.inverse_transform(encoder.transform(frame))
    pd.testing.assert_frame_equal(rows, frame.reset_index(drop=True))


@pytest.mark.parametrize("columns", [[0, 1], [("a", "b"), ("a", "c")]])
def test_names_that_are_not_text_come_back(columns):
    frame = pd.DataFrame([[1, "x"], [2, "y"]], columns=columns)
    pd.testing.assert_frame_equal(back(frame), frame)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint64", "bool"])
def test_an_array_comes_back_with_its_dtype(dtype):
    X = np.array([[0, 1], [1, 1], [0, 0]], dtype=dtype)
    result = back(X)
    assert result.dtype == X.dtype
    np.testing.assert_allclose(result, X, rtol=0, atol=1e-12)


def test_a_second_fit_forgets_the_first():
    encoder = TableEncoder().fit(MIXED)
    frame = MIXED[["job"]]
    pd.testing.assert_frame_equal(encoder.inverse_transform(encoder.fit_transform(frame)), frame)


def test_permuted_columns_permute_the_codes():
    columns = ["since", "own", "city", "pay", "job", "age"]
    codes = TableEncoder().set_output(transform="pandas").fit_transform(MIXED)
    permuted = TableEncoder().set_output(transform="pandas").fit_transform(MIXED[columns])
    pd.testing.assert_frame_equal(permuted[codes.columns], codes)


@pytest.mark.parametrize("missing", ["indicator", "keep"])
def test_polars_and_pandas_have_the_same_codes(missing):
    data = {name: [None if pd.isna(v) else v for v in MIXED[name]] for name in MIXED}
    other = pl.DataFrame(data)
    encoder = TableEncoder(missing=missing).fit(MIXED)
    codes = encoder.transform(MIXED)
    np.testing.assert_allclose(encoder.transform(other), codes, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        TableEncoder(missing=missing).fit(other).transform(MIXED), codes, rtol=0, atol=1e-12
    )


def test_likelihoods_have_every_code_once_and_blocks_sum_to_one():
    encoder = TableEncoder().fit(MIXED)
    codes = encoder.transform(MIXED)
    assert encoder.likelihoods_ == [
        ("gaussian", [0, 5, 13]),
        ("bernoulli", [6, 12, 14]),
        ("categorical", [1, 2, 3, 4]),
        ("categorical", [7, 8, 9, 10, 11]),
    ]
    assert sorted(place for _, places in encoder.likelihoods_ for place in places) == [*range(15)]
    for _, places in encoder.likelihoods_[2:]:
        np.testing.assert_array_equal(codes[:, places].sum(axis=1), 1)
    for place in encoder.likelihoods_[1][1]:
        assert set(codes[:, place]) == {0, 1} or place == 12
    np.testing.assert_allclose(codes[:, [0, 5, 13]].mean(axis=0), 0, atol=1e-12)


def test_names_of_codes_are_told_apart():
    frame = pd.DataFrame({"a": ["b_c", "unknown"], "a_b": ["c", "d"], "a_b_c_2": [0.0, 1.0]})
    assert TableEncoder().fit(frame).get_feature_names_out().tolist() == [
        *("a_b_c", "a_unknown", "a_unknown_2"),
        *("a_b_c_2", "a_b_d", "a_b_unknown", "a_b_c_2_2"),
    ]


@pytest.mark.parametrize("missing", ["indicator", "keep"])
@pytest.mark.parametrize("values", [[None] * 3, [np.nan] * 3, [7.0] * 3, ["x"] * 3, [True] * 3])
def test_columns_that_are_constant_or_wholly_missing_come_back(values, missing):
    frame = pd.DataFrame({"a": values})
    pd.testing.assert_frame_equal(back(frame, missing=missing), frame)


def test_a_column_that_was_wholly_missing_takes_values_later():
    encoder = TableEncoder().fit(pd.DataFrame({"a": [np.nan] * 3}))
    assert encoder.transform(pd.DataFrame({"a": [2.0, np.nan]})).tolist() == [[2.0, 0], [0, 1]]


@pytest.mark.parametrize("unit", [1.0, 1e6, 1e-6])
def test_another_value_of_a_constant_column_does_not_depend_on_its_unit(unit):
    encoder = TableEncoder().fit([[0.002 * unit]] * 3)
    codes = encoder.transform([[0.002 * unit], [0.02 * unit]])
    np.testing.assert_array_equal(codes, [[1, 0], [0, 1]])


def test_whole_numbers_with_holes_at_predict_only():
    encoder = TableEncoder(missing="keep").fit(pd.DataFrame({"a": pd.array([1, 2, 3], "Int64")}))
    rows = pd.DataFrame({"a": pd.array([1, None, 3], "Int64")})
    pd.testing.assert_frame_equal(encoder.inverse_transform(encoder.transform(rows)), rows)


def test_a_dtype_may_be_another_of_the_same_kind():
    encoder = TableEncoder().fit(MIXED)
    other = MIXED.astype({"age": "float64", "job": "object", "own": "int8", "city": "category"})
    other["since"] = other["since"].dt.as_unit("ns")
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(MIXED))


def test_dates_in_coarser_and_finer_units_are_the_same_times():
    days = pd.Series(pd.to_datetime(["2020-01-01", "2021-03-05", "2022-02-02"]))
    codes = [
        TableEncoder()
        .fit(days.dt.as_unit(fitted).to_frame("a"))
        .transform(days.dt.as_unit(asked).to_frame("a"))
        for fitted in ("s", "ns")
        for asked in ("s", "ns")
    ]
    np.testing.assert_allclose(codes[1:], [codes[0]] * 3, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (["2020-01-01", "2020-03-01"], "D"),
        (["2020-01-01 05:00", "2020-03-01 00:00"], "h"),
        (["2020-01-01 05:07", "2020-03-01 00:00"], "min"),
    ],
)
def test_decoded_times_are_multiples_of_the_step_of_those_fitted(times, step):
    frame = pd.DataFrame({"a": pd.to_datetime(times)})
    decoded = TableEncoder().fit(frame).inverse_transform(np.linspace(-2, 2, 50)[:, None])["a"]
    assert decoded.equals(decoded.dt.floor(step))
    assert decoded.nunique() == 50


def test_bounds_of_a_dtype_hold_what_is_decoded():
    # The greatest float below 2**64 is 2**11 below it.
    frame = pd.DataFrame({"a": np.array([-1, 2, 3], "int8"), "b": np.array([1, 2, 3], "uint64")})
    rows = TableEncoder().fit(frame).inverse_transform([[1e9, 1e300], [-1e9, -1e300]])
    assert rows.to_numpy(dtype=object).tolist() == [[127, 2**64 - 2**11], [-128, 0]]


def test_integers_that_floats_do_not_tell_apart_come_back():
    frame = pd.DataFrame({"id": np.arange(5) + 2**62 + 1})
    pd.testing.assert_frame_equal(back(frame), frame)


def test_a_pickle_and_a_clone_fitted_anew_have_the_same_codes():
    encoder = TableEncoder(min_frequency=2).fit(MIXED)
    for other in (pickle.loads(pickle.dumps(encoder)), clone(encoder).fit(MIXED)):
        np.testing.assert_array_equal(other.transform(MIXED), encoder.transform(MIXED))
        codes = np.eye(len(encoder.get_feature_names_out()))
        decoded = other.inverse_transform(codes)
        pd.testing.assert_frame_equal(decoded, encoder.inverse_transform(codes))


def test_dates_far_beyond_all_others_end_at_the_last():
    days = pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"]).as_unit("s"), name="a").to_frame()
    encoder = TableEncoder(numeric="standard").fit(days)
    for far in (1e303, 1e308, np.finfo(np.float64).max):
        first, last = encoder.inverse_transform([[-far], [far]])["a"].dt.year
        assert (first, last) == (1, 9999)


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_of_a_zone_far_before_all_others_can_be_shown(unit):
    days = pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"]).as_unit(unit), name="a")
    frame = days.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").to_frame()
    encoder = TableEncoder(numeric="standard").fit(frame)
    rows = encoder.inverse_transform([[-1e300], [1e300]])
    assert "1678-01-01" in rows.to_string()
    assert "9999-12-31" in rows.to_string()


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-290])
@pytest.mark.parametrize("numeric", ["auto", *MAPS])
def test_numbers_far_beyond_all_others_have_the_last_codes(numeric, unit):
    most = np.finfo(np.float64).max
    encoder = TableEncoder(numeric=numeric).fit(pd.DataFrame({"a": unit * np.arange(-1.0, 3.0)}))
    low, middle, high = encoder.transform(pd.DataFrame({"a": [-most, 0.0, most]})).ravel()
    assert -np.inf < low < middle < high < np.inf
    decoded = encoder.inverse_transform([[-most], [low], [middle], [high], [most]])["a"]
    assert np.isfinite(decoded).all()
    assert decoded.is_monotonic_increasing


@pytest.mark.parametrize("numeric", ["auto", *MAPS])
def test_a_column_without_a_negative_number_comes_back_without_one(numeric):
    days = pd.to_timedelta([0, 3, 1, 2], "D")
    frame = pd.DataFrame({"price": [0.0, 1.5, 9.0, 2.0], "count": [0, 3, 1, 1], "wait": days})
    codes = np.full((1, 3), -10.0)
    fitted = TableEncoder(numeric=numeric).fit(frame)
    assert (fitted.inverse_transform(codes) == frame.iloc[:1]).all(axis=None)
    lower = frame.assign(price=frame["price"] - 1, count=frame["count"] - 1, wait=days - days[1])
    fitted = TableEncoder(numeric=numeric).fit(lower)
    assert (fitted.inverse_transform(codes) < lower.min()).all(axis=None)
