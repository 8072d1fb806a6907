"""Annotations say what validation admits and what ``fit`` sets."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from inspect import get_annotations
from numbers import Integral
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skvae import (
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae._typing import Transformer

FITS = {
    Estimator: [Estimator(2, max_epochs=1)]
    for Estimator in (
        AutoencoderTransformer,
        VAETransformer,
        BetaVAETransformer,
        BetaTCVAETransformer,
    )
} | {
    AutoencoderOutlierDetector: [
        AutoencoderOutlierDetector(PCA(2), calibration_fraction=0.2),
        AutoencoderOutlierDetector(PCA(2), anomaly_score="latent"),
    ],
}
WORDS = {
    "array-like": {Sequence, np.ndarray},
    "boolean": {bool},
    "random_state": {int, np.random.RandomState, NoneType},
    "verbose": {int},
    callable: {Callable},
    None: {NoneType},
}
every_estimator = pytest.mark.parametrize("Estimator", FITS)


def kinds(annotation):
    """Return the classes that an annotation is a union of."""
    parts = get_args(annotation) if isinstance(annotation, UnionType) else [annotation]
    return {get_origin(part) or part for part in parts}


def kinds_of_constraint(constraint):
    """Return the same of what scikit-learn validates."""
    if isinstance(constraint, Interval):
        return {int} if constraint.type is Integral else {float}
    if isinstance(constraint, StrOptions):
        return {str}
    if isinstance(constraint, HasMethods):
        return {Transformer}
    return {constraint} if isinstance(constraint, type) else WORDS[constraint]


@every_estimator
def test_annotations_of_parameters_are_their_constraints(Estimator):
    assert {field.name: kinds(field.type) for field in fields(Estimator)} == {
        name: set().union(*map(kinds_of_constraint, constraints))
        for name, constraints in Estimator._parameter_constraints.items()
    }


@every_estimator
def test_fit_sets_what_is_declared_and_of_that_kind(Estimator):
    frame = pd.DataFrame(np.random.RandomState(0).standard_normal((50, 4)), columns=list("abcd"))
    fitted = {}
    for model in FITS[Estimator]:
        fitted |= vars(model.fit(frame))
    ours = [cls for cls in Estimator.__mro__ if cls.__module__.startswith("skvae.")]
    declared = {name: kind for cls in ours for name, kind in get_annotations(cls).items()}
    declared = {name: kind for name, kind in declared.items() if name.endswith("_") and name != "_"}
    for name, kind in declared.items():
        assert kind is Any or isinstance(fitted[name], tuple(kinds(kind))), name
    undeclared = {name for name in fitted if name.endswith("_") and name[0] != "_"} - set(declared)
    assert not undeclared
