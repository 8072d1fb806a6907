"""Numbers whose values repeat: exact codes of both parts, and densities that are bounded."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn_frames import PANDAS, POLARS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, cross_val_score

from skvae import AutoencoderOutlierDetector, VAETransformer
from skvae.tabular import TableEncoder, TableTransformer
from skvae.tabular.hurdle import spikes_of

FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 3, "random_state": 0}
N = 60
RNG = np.random.default_rng(0)
# Of 60 rows 36 are zero, and the others 8 or 12.
GAIN = np.where(np.arange(N) % 5 < 3, 0.0, np.where(np.arange(N) % 2, 8.0, 12.0))
# Of 60 rows 36 are zero, and no other value repeats.
SPIKED = np.where(np.arange(N) % 5 < 3, 0.0, 10 + 2 * RNG.standard_normal(N))
FRAME = pd.DataFrame({"x": RNG.standard_normal(N), "kind": np.array(["a", "b"])[np.arange(N) % 2]})
NUMBERS = ["int8", "uint64", "Int64", "float64", "Float32", "sparse", "object of Decimal"]
NUMBERS += ["object of date", "datetime64[ns, zone]", "timedelta64[s]"]
NUMBERS_OF_POLARS = ["uint64", "Float32", "NaN", "Decimal", "Date", "Time", "Datetime of a zone"]


def hurdles(n_components, missing="mask", **params):
    """Return a transformer to which a value of half of the rows is common."""
    encoder = TableEncoder(missing="indicator" if missing is None else "keep", spike_share=0.5)
    vae = VAETransformer(n_components, missing=missing, **{**SMALL, **params})
    return TableTransformer(vae, encoder=encoder)


def repeats(column, draw):
    """Return the places of rows of a column, each up to thirty times."""
    times = st.sampled_from([1, 2, 10, 30])
    counts = draw(st.lists(times, min_size=len(column), max_size=len(column)))
    return np.repeat(np.arange(len(column)), counts)


def options(draw):
    return {
        "missing": draw(st.sampled_from(["indicator", "keep"])),
        "spike_share": draw(st.sampled_from([0.2, 0.5, 1.0])),
    }


@pytest.mark.parametrize("dtype", NUMBERS)
@FEW
@given(data=st.data())
def test_a_frame_of_pandas_whose_values_repeat_comes_back(dtype, data):
    column = PANDAS[dtype](data.draw)
    frame = column.iloc[repeats(column, data.draw)].reset_index(drop=True).to_frame("a")
    encoder = TableEncoder(**options(data.draw)).fit(frame)
    result = encoder.inverse_transform(encoder.transform(frame))
    values = frame["a"].to_numpy(dtype=object)
    is_real = dtype in ("float64", "Float32")
    largest = max((abs(v) for v in values if is_real and not pd.isna(v)), default=0.0)
    tolerance = {"rtol": 0, "atol": max(1e-12 * largest, 1e-292)} if is_real else {}
    pd.testing.assert_frame_equal(result, frame, check_exact=not is_real, **tolerance)


@pytest.mark.parametrize("dtype", NUMBERS_OF_POLARS)
@FEW
@given(data=st.data())
def test_a_frame_of_polars_whose_values_repeat_comes_back(dtype, data):
    column = POLARS[dtype](data.draw).alias("a")
    frame = column[repeats(column, data.draw).tolist()].to_frame()
    encoder = TableEncoder(**options(data.draw)).fit(frame)
    result = encoder.inverse_transform(encoder.transform(frame))
    assert result.schema == frame.schema
    assert result["a"].is_null().equals(frame["a"].is_null())
    if not column.dtype.is_float():
        assert result.equals(frame)
        return
    rows, expected = (one["a"].cast(pl.Float64).to_numpy() for one in (result, frame))
    largest = np.abs(expected[~np.isnan(expected)]).max(initial=0)
    np.testing.assert_allclose(rows, expected, rtol=0, atol=max(1e-12 * largest, 1e-292))


@pytest.mark.parametrize("dtype", ["int64", "Float64", "datetime64[us]", "object of Decimal"])
@FEW
@given(data=st.data())
def test_any_real_numbers_come_back_as_a_legal_frame(dtype, data):
    column = PANDAS[dtype](data.draw)
    frame = column.iloc[repeats(column, data.draw)].reset_index(drop=True).to_frame("a")
    encoder = TableEncoder(**options(data.draw)).fit(frame)
    number = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-2, 2)
    width = len(encoder.get_feature_names_out())
    codes = st.lists(st.lists(number, min_size=width, max_size=width), min_size=3, max_size=3)
    result = encoder.inverse_transform(data.draw(codes))
    assert result.dtypes.equals(frame.dtypes)
    encoder.transform(result)


def test_codes_are_a_block_and_a_number_where_it_is_no_spike():
    frame = pd.DataFrame({"gain": [*SPIKED, np.nan]})
    slab = SPIKED[SPIKED != 0]
    z = (SPIKED - slab.mean()) / slab.std()
    for missing, hole in (("keep", np.nan), ("indicator", 0.0)):
        encoder = TableEncoder(missing=missing, numeric="standard", spike_share=0.5)
        codes = encoder.set_output(transform="pandas").fit_transform(frame)
        names = ["gain", "gain_0.0", "gain_other", "gain_missing"]
        assert list(codes) == names[: 4 if missing == "indicator" else 3]
        np.testing.assert_allclose(codes["gain"][:-1], np.where(SPIKED == 0, hole, z), atol=1e-12)
        np.testing.assert_array_equal(codes["gain_0.0"][:-1], SPIKED == 0)
        np.testing.assert_array_equal(codes["gain_other"][:-1], SPIKED != 0)
        last = [np.nan] * 3 if missing == "keep" else [0, 0, 0, 1]
        np.testing.assert_array_equal(codes.iloc[-1], last)
        assert encoder.likelihoods_ == [
            ("gaussian", [0]),
            ("categorical", list(range(1, codes.shape[1]))),
        ]
        assert (encoder.spikes_, encoder.maps_) == ({"gain": [0.0]}, {"gain": "standard"})


def test_values_that_are_all_common_have_levels_alone():
    encoder = TableEncoder(spike_share=0.5).fit(FRAME.assign(gain=GAIN))
    assert encoder.spikes_ == {"gain": [0.0, 8.0, 12.0]}
    assert encoder.maps_ == {"x": "standard"}
    assert encoder.likelihoods_[-1] == ("categorical", [4, 5, 6, 7])
    rows = FRAME.assign(gain=GAIN.max() + 1)
    assert (encoder.transform(rows)[:, 4:] == [0, 0, 0, 1]).all()
    # What is known of such a row is no value that the column had; it gets the commonest one.
    assert (encoder.inverse_transform(encoder.transform(rows))["gain"] == 0).all()


@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_in_what_is_left_no_value_is_common(share):
    for mean in (0.2, 1.0, 5.0, 50.0):
        t = np.random.RandomState(0).poisson(mean, 500).astype(float)
        spikes = t[spikes_of(t, share)]
        left = t[~np.isin(t, spikes)]
        counts = np.unique(left, return_counts=True)[1]
        assert counts.max(initial=0) < max(10, share * len(left))
        assert len(counts) != 1
        assert (np.diff([(t == spike).sum() for spike in spikes]) <= 0).all()


def test_levels_with_weights_decode_to_the_mean():
    frame = pd.DataFrame({"gain": SPIKED})
    encoder = TableEncoder(numeric="standard", spike_share=0.5).fit(frame)
    slab = SPIKED[SPIKED != 0]
    decoded = encoder.inverse_transform([[1.0, 0.25, 0.75], [1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    high, low = slab.mean() + slab.std(), slab.mean() - slab.std()
    np.testing.assert_allclose(decoded["gain"], [0.75 * high, 0.0, low])


CONSTANTS = {
    "integers": (7, 9),
    "floats": (0.1, 1e300),
    "rounding": (0.3 + 1e-17 * np.arange(N) + np.spacing(0.3) * (np.arange(N) % 3), 0.31),
    "dates": (pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")),
    "one row of another": (np.arange(N) == 3, 2.0),
}


@pytest.mark.parametrize("missing", [None, "mask"])
@pytest.mark.parametrize("case", CONSTANTS)
def test_another_value_of_a_constant_column_weighs_what_an_unseen_level_does(case, missing):
    value, other = CONSTANTS[case]
    texts = "ab"
    if case == "one row of another":
        texts, value = np.where(value, "b", "a"), value.astype(float)
    model = hurdles(2, missing, noise_variance=0.1)
    scores = [
        model.fit(FRAME.assign(c=fitted)).score_samples(FRAME.assign(c=asked))
        for fitted, asked in ((value, other), (texts, "new"))
    ]
    np.testing.assert_array_equal(*scores)
    usual = model.score_samples(FRAME.assign(c=texts))
    assert (usual - scores[0] > np.log(N)).all()
    assert (usual - scores[0] < 50).all()


def test_a_fold_without_a_row_of_another_value_is_scored_as_with_an_unseen_level():
    value = (np.arange(N) == 3).astype(float)
    model = hurdles(2, noise_variance=0.1)
    scores = [
        cross_val_score(model, FRAME.assign(c=column), cv=KFold(3), error_score="raise")
        for column in (value, np.where(value, "b", "a"))
    ]
    np.testing.assert_array_equal(*scores)
    assert (np.abs(scores) < 100).all()


def test_a_spike_counts_alone_where_holes_are_masked():
    model = hurdles(2).fit(FRAME.assign(gain=SPIKED))
    encoder, vae = model.pipeline_
    log_prob, _ = vae.elbo_terms(encoder.transform(FRAME.assign(gain=SPIKED)))
    place = encoder.get_feature_names_out().tolist().index("gain")
    counted = np.nan_to_num(log_prob[:, place]) != 0
    np.testing.assert_array_equal(counted, SPIKED != 0)


def test_drawn_rows_have_the_share_of_the_spike():
    n, share = 400, 0.7
    x = np.random.RandomState(0).standard_normal(n)
    gain = np.where(np.arange(n) < share * n, 0.0, np.exp(x))
    model = hurdles(1, noise_variance="per-feature", max_epochs=20)
    model.fit(pd.DataFrame({"x": x, "gain": gain}))
    drawn = model.sample(n, random_state=0)["gain"]
    error = np.sqrt(2 * share * (1 - share) / n)
    assert abs((drawn == 0).mean() - share) < 3 * error


def test_a_detector_explains_both_parts_as_one_column():
    frame = FRAME.assign(gain=SPIKED, c=7)
    model = hurdles(1)
    one = {"n_estimators": 1, "calibration_fraction": 0.3, "n_refits": 0, "random_state": 0}
    detector = AutoencoderOutlierDetector(model, **one).fit(frame)
    strange = frame[:1].assign(gain=1e4, c=8)
    assert np.isfinite(detector.score_samples(strange)).all()
    explained = detector.explain(strange, n_features=4)
    assert sorted(explained["column"]) == ["c", "gain", "kind", "x"]
    assert np.isfinite(explained["contribution"]).all()
    assert set(explained["column"][:2]) == {"gain", "c"}


def test_by_default_constant_columns_alone_are_hurdles():
    assert TableEncoder().fit(FRAME.assign(gain=SPIKED, c=7)).spikes_ == {"c": [7]}
