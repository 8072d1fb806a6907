"""Whole files whose contents do not fit together are refused, with the place of what does not."""

import contextlib

import numpy as np
import pytest
from refused_files import assert_refuses, parameter
from saved_files import HOSTILE, must_hold

import skvae
from skvae import AutoencoderTransformer, SavingError
from skvae.files.context import Reading
from skvae.files.values import read_value
from skvae.saving.estimators import read_estimator
from skvae.saving.values import KINDS


def fitted(name, value):
    return lambda document, arrays: document["estimator"]["fitted"].update({name: value})


def array(name, change):
    def edit(document, arrays):
        arrays[name] = change(arrays[name].copy())

    return edit


def fill(value):
    def change(values):
        values.flat[0] = value
        return values

    return change


def fitted_parameter(name, value):
    def change(document, arrays):
        pairs = dict(document["estimator"]["fitted"]["_fitted_params_"]["dict"])
        document["estimator"]["fitted"]["_fitted_params_"]["dict"] = [
            *{**pairs, name: value}.items()
        ]

    return change


def other_class(document, arrays):
    document["estimator"]["class"] = "os.system"


def without(name):
    return lambda document, arrays: document["estimator"]["fitted"].pop(name)


def abstract(document, arrays):
    document["estimator"]["class"] = "skvae.base.BaseVAETransformer"


WEIGHT = "estimator._weights_.encoder.layers.0.weight"
MOMENT = "estimator._optimizer_state_.0.exp_avg"
REFUSED = [
    ("ae", other_class, "one of {classes}", "estimator", "os.system"),
    (
        "detector",
        without("_frame_type_"),
        "names and a kind of frames where it was fitted to such",
        "estimator",
        "others",
    ),
    ("vae", abstract, "the name of a class below BaseVAETransformer", "estimator", "none"),
    ("ae", array(WEIGHT, fill(np.nan)), "finite numbers", WEIGHT, "inf or nan"),
    ("ae", array(WEIGHT, lambda w: w[:-1]), "(4, 4) of float32", WEIGHT, "(3, 4) of float32"),
    (
        "ae",
        array(WEIGHT, lambda w: w.astype(np.float64)),
        "(4, 4) of float32",
        WEIGHT,
        "(4, 4) of float64",
    ),
    (
        "ae",
        array("estimator.code_mean_", lambda a: a[:1]),
        "n_components=1 as elsewhere",
        "estimator.code_covariance_",
        "2",
    ),
    (
        "ae",
        array("estimator.code_mean_", lambda a: a.astype(np.float32)),
        "an array of float64",
        "estimator.code_mean_",
        "float32",
    ),
    ("ae", fitted("n_iter_", 7), "n_epochs=1 as elsewhere", "estimator", "7"),
    ("ae", fitted("n_iter_", True), "an integer of at least 1", "estimator.n_iter_", "True"),
    (
        "ae",
        fitted("n_features_in_", 10**9),
        "parameters of a network as large as its weights",
        "estimator",
        "a larger one",
    ),
    (
        "ae",
        fitted_parameter("n_components", 10**9),
        "n_components=2 as elsewhere",
        "estimator",
        "1000000000",
    ),
    (
        "vae",
        fitted_parameter("n_components", 10**9),
        "parameters of a network as large as its weights",
        "estimator",
        "a larger one",
    ),
    (
        "vae",
        fitted_parameter("hidden_layer_sizes", {"tuple": [10**6]}),
        "(1000000, 4) of float32",
        WEIGHT,
        "(4, 4) of float32",
    ),
    ("ae", fitted("cache", 1), "some of {ae}", "estimator", "cache"),
    (
        "ae",
        parameter("beta", 1.0),
        "parameters that AutoencoderTransformer has",
        "estimator",
        "beta",
    ),
    (
        "ae",
        parameter("lr", -1.0),
        "valid parameters",
        "estimator",
        "The 'lr' parameter of AutoencoderTransformer must be a float in the range (0.0, ...",
    ),
    ("vae", array(MOMENT, fill(np.inf)), "finite numbers", MOMENT, "inf or nan"),
    (
        "vae",
        array("estimator._optimizer_state_.0.step", fill(-1)),
        "nothing negative",
        "estimator._optimizer_state_.0.step",
        "what is",
    ),
    (
        "vae",
        fitted("noise_variance_", {"float": "inf"}),
        "a finite number of at least 0.0",
        "estimator.noise_variance_",
        "inf",
    ),
    (
        "detector",
        fitted("offset_", {"float": "nan"}),
        "a finite number",
        "estimator.offset_",
        "nan",
    ),
    (
        "detector",
        array("estimator._seen_rows_.keys", lambda a: a[::-1]),
        "keys in order",
        "estimator._seen_rows_.keys",
        "others",
    ),
    (
        "detector",
        array("estimator.estimators_samples_[1]", fill(40)),
        "rows below 40",
        "estimator.estimators_samples_",
        "others",
    ),
    (
        "detector",
        array("estimator._calibration_.out_of_bag", lambda a: a[::-1]),
        "scores in order",
        "estimator._calibration_",
        "others",
    ),
    ("detector", fitted("n_features_in_", 3), "n_columns=4 as elsewhere", "estimator", "3"),
]


@pytest.mark.parametrize(("name", "change", "expected", "place", "got"), REFUSED)
def test_what_does_not_fit_together_is_refused(name, change, expected, place, got, changed):
    from skvae.saving.estimators import DECLARATIONS

    names = DECLARATIONS["skvae.AutoencoderTransformer"].fitted
    expected = expected.format(classes=", ".join(DECLARATIONS), ae=", ".join(names))
    assert_refuses(changed(name, change), must_hold(expected, place, got))


def test_arrays_that_are_missing_or_left_over_are_refused(changed):
    assert_refuses(
        changed("ae", lambda document, arrays: arrays.pop("estimator.code_mean_")),
        must_hold("an array", "estimator.code_mean_", "none"),
    )
    assert_refuses(
        changed("ae", lambda document, arrays: arrays.update(more=np.zeros(3))),
        must_hold("arrays of its own", "estimator", "also more"),
    )


def test_a_parameter_that_an_earlier_version_did_not_have_gets_its_default(changed):
    path = changed("ae", lambda document, arrays: document["estimator"]["parameters"].pop("tol"))
    assert skvae.load(path).tol == AutoencoderTransformer().tol


def test_a_cache_in_a_file_is_refused(changed):
    assert_refuses(
        changed("pipeline", parameter("memory", "cache")),
        "A file keeps Pipelines without a cache. Got estimator.memory with memory='cache' "
        "instead. Set memory=None.",
    )


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_of_value_is_read_from_what_it_is_not(name):
    """Whatever stands where a value of a kind should, alone, among others or in their place."""
    for one in HOSTILE:
        for content in (one, [one], [one, one], [one, 1], ["int8", one], ["date", one], [one] * 3):
            file = Reading(KINDS, {}, read_estimator)
            with contextlib.suppress(SavingError):
                read_value({name: content}, file, "place")
