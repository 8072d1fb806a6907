"""What is no number is refused with a sentence, whatever it comes in, and never becomes nan."""

import datetime
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.decomposition import PCA

from skvae import AutoencoderOutlierDetector, AutoencoderTransformer, BetaVAETransformer

SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
ROWS = np.random.RandomState(0).rand(12, 3)


@pytest.fixture(scope="module")
def bernoulli():
    return BetaVAETransformer(2, likelihood="bernoulli", **SMALL).fit(ROWS)


@pytest.fixture(scope="module")
def detector():
    return AutoencoderOutlierDetector(PCA(2), random_state=0).fit(ROWS)


def with_value(value):
    rows = ROWS.tolist()
    rows[3][1] = value
    return rows


def as_objects(rows):
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    array[:] = rows
    return array


class Holds:
    """An object that becomes an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        if isinstance(self.array, Exception):
            raise self.array
        return np.asarray(self.array, dtype=dtype)


CONTAINERS = {
    "list": lambda rows: rows,
    "tuple": lambda rows: tuple(map(tuple, rows)),
    "objects": as_objects,
    "frame": lambda rows: pd.DataFrame(as_objects(rows)),
    "__array__": lambda rows: Holds(as_objects(rows)),
}
without_names = pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
every_container = pytest.mark.parametrize("container", CONTAINERS)


# ------------------------------------------------------------------ computed


@every_container
@pytest.mark.parametrize("value", [Decimal("0.5"), Fraction(1, 2), True, np.float16(0.5)])
def test_what_is_a_number_is_computed_with(container, value, bernoulli, detector):
    rows = CONTAINERS[container](with_value(value))
    expected = np.array(with_value(float(value)))
    np.testing.assert_array_equal(bernoulli.transform(rows), bernoulli.transform(expected))
    np.testing.assert_array_equal(bernoulli.score_samples(rows), bernoulli.score_samples(expected))
    np.testing.assert_array_equal(detector.score_samples(rows), detector.score_samples(expected))
    fitted = AutoencoderTransformer(2, **SMALL)
    np.testing.assert_array_equal(fitted.fit_transform(rows), fitted.fit_transform(expected))


@without_names
def test_decimals_of_polars_are_numbers(bernoulli):
    frame = pl.DataFrame(ROWS.round(3), schema=["a", "b", "c"])
    np.testing.assert_array_equal(
        bernoulli.transform(frame.cast(pl.Decimal(10, 3))), bernoulli.transform(ROWS.round(3))
    )


# ------------------------------------------------------------------ refused


@every_container
@pytest.mark.parametrize("value", [None, np.nan, Decimal("nan"), float("nan")])
def test_what_is_missing_is_refused(container, value, bernoulli):
    rows = CONTAINERS[container](with_value(value))
    for method in (bernoulli.transform, bernoulli.score, AutoencoderTransformer(2, **SMALL).fit):
        with pytest.raises(ValueError, match=r"^Input( X)? contains NaN"):
            method(rows)
    codes = CONTAINERS[container]([row[:2] for row in with_value(value)])
    with pytest.raises(ValueError, match=r"^Input( X)? contains NaN"):
        bernoulli.inverse_transform(codes)


TIMES = (
    "X must be rows of numbers. Got dates or durations instead. Count them in a unit, as "
    "(X - start) / numpy.timedelta64(1, 'D') does."
)


@without_names
@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((12, 3), dtype="M8[s]"),
        np.full((12, 3), np.timedelta64("NaT")),
        pd.DataFrame({name: pd.date_range("2020", periods=12) for name in "abc"}),
        pd.DataFrame({name: pd.timedelta_range("1D", periods=12) for name in "abc"}),
        pl.DataFrame({name: [datetime.timedelta(1)] * 12 for name in "abc"}),
        Holds(np.zeros((12, 3), dtype="M8[s]")),
        *(
            make(with_value(value))
            for make in CONTAINERS.values()
            for value in (np.datetime64("NaT"), np.datetime64("2020"), np.timedelta64(1, "D"))
        ),
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_dates_and_durations_are_refused(rows, bernoulli, detector):
    methods = [bernoulli.transform, bernoulli.log_likelihood, detector.predict]
    for method in [*methods, AutoencoderTransformer(2, **SMALL).fit]:
        with pytest.raises((ValueError, TypeError)) as caught:
            method(rows)
        # Of NaT among numbers in a list scikit-learn says that it is missing.
        assert str(caught.value) == TIMES or str(caught.value).startswith("Input")


@every_container
@pytest.mark.parametrize(
    "value", [pd.NaT, pd.NA, "a", b"a", datetime.date(2020, 1, 1), {}, 1j], ids=repr
)
def test_what_is_no_number_is_refused_by_scikit_learn(container, value, bernoulli, detector):
    rows = CONTAINERS[container](with_value(value))
    methods = [bernoulli.transform, bernoulli.score_samples, detector.score_samples]
    for method in [*methods, AutoencoderTransformer(2, **SMALL).fit]:
        with pytest.raises((ValueError, TypeError)):
            method(rows)


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        (with_value(10**400), "list instead: int too large to convert to float"),
        (Holds(RuntimeError("no. Not now.")), "Holds instead: no"),
        (
            torch.ones(12, 3, requires_grad=True),
            "Tensor instead: Can't call numpy() on Tensor that requires grad",
        ),
    ],
    ids=["a great integer", "an error", "a tensor with gradients"],
)
def test_an_object_that_becomes_no_array_is_told(rows, got, bernoulli, detector):
    sentence = (
        f"X must be rows of numbers that NumPy can read. Got an error from {got}. Give an array of "
        f"them."
    )
    for method in (bernoulli.transform, detector.predict, AutoencoderTransformer(2, **SMALL).fit):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            method(rows)


@pytest.mark.parametrize("as_list", [False, True])
def test_numbers_under_a_mask_are_refused(as_list, bernoulli, detector):
    rows = np.ma.masked_array(ROWS, mask=ROWS[3, 1] == ROWS)
    sentence = (
        "X must have no masked values. Got 1 of them instead. Fill them in, as X.filled(0.0) does, "
        "or leave out their rows."
    )
    methods = [bernoulli.transform, detector.predict, AutoencoderTransformer(2, **SMALL).fit]
    for method in [*methods, lambda X: bernoulli.inverse_transform([row[:2] for row in X])]:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            method(list(rows) if as_list else rows)
    nothing_masked = np.ma.masked_array(ROWS)
    np.testing.assert_array_equal(bernoulli.transform(nothing_masked), bernoulli.transform(ROWS))


def test_what_float64_does_not_hold_is_refused(bernoulli):
    wide = ROWS.astype(np.longdouble)
    np.testing.assert_array_equal(bernoulli.transform(wide), bernoulli.transform(ROWS))
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
        return
    wide[0, 0] = np.longdouble("1e400")
    sentence = (
        f"X must have numbers in the range of float64. Got a {wide.dtype} that is infinite there "
        f"instead. Scale X."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        bernoulli.transform(wide)


def test_rows_too_far_off_to_compute_with_are_refused(bernoulli):
    rows = ROWS.copy()
    rows[5] = [1.7e308, -1.7e308, 1.7e308]
    sentence = (
        "The rows must be close enough to the training rows for the network to compute with them "
        "in float64. Got nan for row 5 instead. Clip the rows, or scale them as the training rows."
    )
    estimator = AutoencoderTransformer(2, **SMALL).fit(ROWS)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        estimator.reconstruct(rows)


# ------------------------------------------------------------------ left as it is


def unsorted_with_doubles(read_only):
    """Return a CSR matrix whose entries are in no order, one of them in two parts."""
    rows = csr_array(
        (np.array([0.5, 0.25, 0.25, 0.75]), np.array([2, 0, 2, 1]), np.array([0, 3, 3, 4])),
        shape=(3, 3),
    )
    for part in (rows.data, rows.indices, rows.indptr):
        part.setflags(write=not read_only)
    return rows


@pytest.mark.parametrize("read_only", [False, True])
def test_a_sparse_matrix_is_read_in_place_and_stays_as_it_is(read_only, bernoulli, detector):
    expected = np.array([[0.25, 0.0, 0.75], [0.0, 0.0, 0.0], [0.0, 0.75, 0.0]])
    sparse_detector = AutoencoderOutlierDetector(random_state=0).fit(csr_array(ROWS))
    for estimator, method in [
        (bernoulli, "score_samples"),
        (bernoulli, "transform"),
        (bernoulli, "log_likelihood"),
        (bernoulli, "elbo_terms"),
        (sparse_detector, "score_samples"),
        (sparse_detector, "p_value"),
        (sparse_detector, "explain"),
    ]:
        options = {"random_state": 0} if method == "log_likelihood" else {}
        X = unsorted_with_doubles(read_only)
        result = getattr(estimator, method)(X, **options)
        before = unsorted_with_doubles(read_only)
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(X, name), getattr(before, name))
        for ours, theirs in zip(
            result, getattr(estimator, method)(expected, **options), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_a_frame_of_integers_is_explained_by_a_detector_of_floats():
    names = ["a", "b", "c"]
    detector = AutoencoderOutlierDetector(PCA(2), random_state=0)
    detector.fit(pd.DataFrame(ROWS, columns=names))
    whole = np.array([[5, 0, 1], [0, 1, 0]])
    expected = detector.explain(pd.DataFrame(whole.astype(float), columns=names))
    for rows in (
        pd.DataFrame(whole, columns=names),
        pd.DataFrame(whole, columns=names).astype("Int64"),
        pd.DataFrame(whole, columns=names).astype("category"),
        pd.DataFrame(whole, columns=names).astype(float).astype("category"),
        pl.DataFrame(whole, schema=names),
        pl.DataFrame(whole, schema=names).cast(pl.Decimal(10, 3)),
    ):
        found = detector.explain(rows)
        assert found["column"].tolist() == expected["column"].tolist()
        np.testing.assert_allclose(found["contribution"], expected["contribution"])


def test_integers_are_explained_by_a_detector_of_floats():
    """The typical values are fractions, which integers do not hold."""
    detector = AutoencoderOutlierDetector(random_state=0).fit(csr_array(ROWS))
    whole = np.array([[5, 0, 1], [0, 1, 0]])
    expected = detector.explain(whole.astype(float))
    for rows in (whole, whole.astype(np.uint8), csr_array(whole)):
        found = detector.explain(rows)
        np.testing.assert_allclose(found["contribution"], expected["contribution"])
        np.testing.assert_allclose(found["typical"], expected["typical"])
