"""Whatever is given as rows is computed with rightly, or refused; nothing else changes by it."""

import copy
import os
import pickle
import random
import traceback
import warnings
from functools import cache

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hostile_rows import (
    CONTAINERS,
    DTYPES,
    HOSTILE,
    MIXED,
    NAMES,
    NOT_MADE,
    NOT_NUMBERS,
    NUMBERS,
    SPARSE,
    with_value,
)
from hypothesis import HealthCheck, Phase, event, given, reject, settings
from hypothesis.extra import numpy as arrays
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
    metrics,
    model_selection,
)

pytestmark = pytest.mark.property
many = settings(
    max_examples=int(os.environ.get("SKVAE_EXAMPLES", "50")),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a failure's example is small, and shows its draws
    database=None,
    suppress_health_check=list(HealthCheck),
)

SHAPE = (8, 3)
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
ESTIMATORS = {
    "autoencoder": AutoencoderTransformer(2, **SMALL),
    "VAE": VAETransformer(2, **SMALL),
    "beta-VAE": BetaVAETransformer(2, likelihood="bernoulli", **SMALL),
    "beta-TCVAE": BetaTCVAETransformer(2, **SMALL),
    "detector": AutoencoderOutlierDetector(VAETransformer(2, **SMALL), random_state=0),
    "detector of frames": AutoencoderOutlierDetector(PCA(1), random_state=0),
}
every_estimator = pytest.mark.parametrize("name", ESTIMATORS)

VERBS = {
    "transform": lambda e, X: e.transform(X),
    "reconstruct": lambda e, X: e.reconstruct(X),
    "reconstruction_error": lambda e, X: e.reconstruction_error(X),
    "errors of features": lambda e, X: e.reconstruction_error(X, per_feature=True),
    "score_samples": lambda e, X: e.score_samples(X),
    "score": lambda e, X: e.score(X),
    "reconstruction_scorer": model_selection.reconstruction_scorer,
    "active_units": metrics.active_units,
}
PROBABLE = {
    "posterior": lambda e, X: e.posterior(X),
    "elbo_terms": lambda e, X: e.elbo_terms(X),
    "log_likelihood": lambda e, X: e.log_likelihood(X, n_importance=3, random_state=0),
    "sample_posterior": lambda e, X: e.sample_posterior(X, random_state=0),
    "elbo_scorer": model_selection.elbo_scorer,
    "log_likelihood_scorer": model_selection.log_likelihood_scorer,
    "total_correlation_scorer": model_selection.total_correlation_scorer,
    "latent_summary": lambda e, X: metrics.latent_summary(e, X)["kl"],
    "latent_loadings": metrics.latent_loadings,
    "kl_decomposition": lambda e, X: (
        metrics.kl_decomposition(e, X, n_samples=100, random_state=0).kl_per_dimension
    ),
}
DETECTING = {
    "score_samples": lambda e, X: e.score_samples(X),
    "decision_function": lambda e, X: e.decision_function(X),
    "predict": lambda e, X: np.abs(e.predict(X)),  # a score near the threshold may be either
    "p_value": lambda e, X: e.p_value(X) > 0,
    "explain": lambda e, X: e.explain(X)["contribution"].sum(),
}
FITTING = {
    "fit": lambda e, X: clone(e).fit(X).n_features_in_,
    "partial_fit": lambda e, X: clone(e).partial_fit(X).n_features_in_,
    "fit with X_val": lambda e, X: (
        clone(e).set_params(early_stopping=True).fit(grid(0), X_val=X).n_features_in_
    ),
    "load_weights": lambda e, X: (
        copy_of(e).load_weights(e.net_.module_.state_dict(), X).n_features_in_
    ),
}


def grid(seed):
    """Rows of eighths, which every floating dtype holds, from 0 to 1."""
    return np.random.RandomState(seed).randint(0, 9, SHAPE) / 8


def copy_of(estimator):
    return pickle.loads(pickle.dumps(estimator))


@cache
def fitted(name):
    X = np.vstack([grid(seed) for seed in range(8)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = pd.DataFrame(X, columns=NAMES) if name == "detector of frames" else X
        return clone(ESTIMATORS[name]).fit(rows)


def methods_of(name):
    if "detector" in name:
        return DETECTING | {"fit": FITTING["fit"]}
    return VERBS | FITTING | ({} if name == "autoencoder" else PROBABLE)


# ------------------------------------------------------------------ what may not change


def content(X):
    """Return what an input holds, to compare by."""
    if sparse.issparse(X):
        parts = {name: np.array(value) for name, value in vars(X).items() if np.ndim(value) == 1}
        return [
            X.format,
            X.shape,
            sorted((n, p.tobytes()) for n, p in parts.items() if n[0] != "_"),
        ]
    if isinstance(X, np.ndarray):
        return [X.dtype, X.strides, X.flags.writeable, np.ma.getmaskarray(X).tobytes()] + (
            [list(map(id, X.flat))] if X.dtype == object else [np.asarray(X).tobytes()]
        )
    if isinstance(X, pd.DataFrame):
        return [list(X.columns), list(X.dtypes), list(X.index), repr(X.values.tolist())]
    if isinstance(X, pl.DataFrame):
        return [X.schema, repr(X.rows())]
    if torch.is_tensor(X):
        return [X.dtype, X.requires_grad, repr(X)]
    return repr(X)


def global_state():
    state = np.random.get_state()
    return [
        np.get_printoptions(),
        np.geterr(),
        (state[0], state[1].tobytes(), *state[2:]),
        random.getstate(),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        warnings.filters.copy(),
        os.getcwd(),
    ]


def answer(method, estimator, X):
    """Return a method's result, or None where it refuses, after a look at what may not change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, attributes, held = global_state(), copy.copy(vars(estimator)), content(X)
        try:
            result, refusal = method(estimator, X), None
        except (ValueError, TypeError) as error:
            result, refusal = None, error
        assert refusal is None or is_refusal(refusal), "".join(traceback.format_exception(refusal))
        assert global_state() == before
        assert vars(estimator).keys() == attributes.keys()
        assert all(vars(estimator)[name] is value for name, value in attributes.items())
        assert content(X) == held
    event("refused" if result is None else "computed")
    return result


def is_refusal(error):
    """Return whether this package raises an error, or what scikit-learn does to check an input."""
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    ours = [place for place, name in enumerate(frames) if "/skvae/" in name]
    after = frames[ours[-1] + 1 :]
    return str(error) and (not after or "/sklearn/" in after[0])


def parts_of(result):
    parts = result if isinstance(result, tuple) else (result,)
    return [np.asarray(part, dtype=np.float64) for part in parts]


def assert_equal(result, expected):
    for part, other in zip(parts_of(result), parts_of(expected), strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-3, atol=1e-4)


# ------------------------------------------------------------------ the properties


def rows_of(dtype):
    """Draw rows that are exactly the same in any dtype of a kind."""
    top, unit = (9, 8) if np.dtype(dtype).kind == "f" else (2, 1)

    def rows(seed):
        X = np.random.RandomState(seed).randint(0, top, SHAPE)
        X[:2] = [[0], [top - 1]]  # no column is constant
        return (X / unit).astype(dtype)

    return st.integers(0, 2**32 - 1).map(rows)


@every_estimator
@many
@given(data=st.data())
def test_rows_of_numbers_are_what_they_are_in_float64(name, data, tmp_path_factory):
    dtype = data.draw(st.sampled_from(DTYPES), label="dtype")
    container = data.draw(st.sampled_from(sorted(CONTAINERS)), label="container")
    method = data.draw(st.sampled_from(sorted(methods_of(name))), label="method")
    rows = data.draw(rows_of(dtype), label="rows")
    expected_rows = rows.astype(np.float64)
    if name == "detector of frames" and method == "fit" and container in SPARSE:
        reject()  # of sparse rows PCA finds its components, and the noise, in another way
    try:
        X = CONTAINERS[container](rows.copy(), tmp_path_factory.getbasetemp())
    except NOT_MADE:
        reject()  # not every container has every dtype
    estimator, method = fitted(name), methods_of(name)[method]
    result = answer(method, estimator, X)
    expected = answer(method, estimator, expected_rows)
    if name == "detector of frames" and container in SPARSE and result is None:
        return  # it was fitted to rows that are not sparse
    assert (result is None) == (expected is None)
    if result is not None:
        assert_equal(result, expected)


def drawn_with(draw, values, name):
    """Return one of the values, a method, rows, and a container of the rows with the value."""
    value = draw(st.sampled_from(values), label="value")
    container = draw(st.sampled_from(sorted(MIXED)), label="container")
    method = draw(st.sampled_from(sorted(methods_of(name))), label="method")
    rows = draw(rows_of(np.float64), label="rows")
    try:
        return value, method, rows, MIXED[container](with_value(rows, value))
    except NOT_MADE:
        reject()


@every_estimator
@many
@given(data=st.data())
def test_a_number_of_any_kind_is_computed_with(name, data):
    value, method, rows, X = drawn_with(data.draw, NUMBERS, name)
    estimator, method = fitted(name), methods_of(name)[method]
    rows[1, 1] = value
    result, expected = answer(method, estimator, X), answer(method, estimator, rows)
    assert (result is None) == (expected is None)
    if result is not None:
        assert_equal(result, expected)


@every_estimator
@many
@given(data=st.data())
def test_what_is_no_number_is_refused(name, data):
    _, method, _, X = drawn_with(data.draw, NOT_NUMBERS, name)
    assert answer(methods_of(name)[method], fitted(name), X) is None


@every_estimator
@many
@given(data=st.data())
def test_what_is_no_rows_of_numbers_is_refused(name, data):
    kind = data.draw(st.sampled_from(sorted(HOSTILE)), label="kind")
    method = data.draw(st.sampled_from(sorted(methods_of(name))), label="method")
    X = HOSTILE[kind](data.draw(rows_of(np.float64), label="rows"))
    if kind == "a column more" and "fit" in method:
        return
    result = answer(methods_of(name)[method], fitted(name), X)
    assert result is None or kind == "of unknown length"


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if "detector" not in name])
@many
@given(data=st.data())
def test_codes_are_what_they_are_in_float64_or_refused(name, data, tmp_path_factory):
    dtype = data.draw(st.sampled_from(DTYPES), label="dtype")
    rows = data.draw(rows_of(dtype), label="codes")[:, :2]
    value = data.draw(st.sampled_from([None, *NUMBERS, *NOT_NUMBERS]), label="value")
    container = data.draw(st.sampled_from(["C", "F", "list", "read-only", "objects", "__array__"]))
    estimator, expected_rows = fitted(name), rows.astype(np.float64)
    expected = estimator.inverse_transform(expected_rows)
    X = CONTAINERS[container](rows.copy(), None)
    assert_equal(answer(type(estimator).inverse_transform, estimator, X), expected)
    X = MIXED["list"](with_value(expected_rows, value))
    result = answer(type(estimator).inverse_transform, estimator, X)
    assert (result is None) == all(value is not number for number in NUMBERS)


@pytest.mark.parametrize("name", ["autoencoder", "VAE"])
@many
@given(data=st.data())
def test_however_large_the_rows_are_no_result_is_nan(name, data):
    dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64]), label="dtype")
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=8 * np.dtype(dtype).itemsize)
    X = data.draw(arrays.arrays(dtype, SHAPE, elements=numbers), label="rows")
    methods = VERBS if name == "autoencoder" else VERBS | PROBABLE
    method = data.draw(st.sampled_from(sorted(methods)), label="method")
    result = answer(methods[method], fitted(name), X)
    if result is not None:
        assert not any(np.isnan(part).any() for part in parts_of(result))
