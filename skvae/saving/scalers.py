"""Estimators of scikit-learn in default models and scores: scalers, functions, a covariance.

They have declarations here, so that a default detector can be saved and loaded without skops, whose
import takes longer than the rest of loading. If such an estimator is unusual, skops saves it, like
all others.
"""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.covariance import EmpiricalCovariance
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skvae.files.errors import refusal
from skvae.outlier.members import draw_in, draw_out
from skvae.saving.declarations import OUTPUT, Declaration, parameter_names
from skvae.saving.fields import (
    Field,
    Maybe,
    Number,
    OrNone,
    Texts,
    check_finite,
    object_array,
)

__all__ = ["SCALERS"]

# These names are in files, and never change. A ufunc of NumPy only computes numbers from numbers.
FUNCTIONS = {"draw_in": draw_in, "draw_out": draw_out} | {
    f"numpy.{name}": one for name, one in vars(np).items() if isinstance(one, np.ufunc)
}


class Function(Field):
    """A harmless function, stored by its name, or None."""

    def write(self, value, file, place):
        return next((name for name, one in FUNCTIONS.items() if one is value), None)

    def read(self, node, file, place):
        if node is not None and node not in tuple(FUNCTIONS):
            raise refusal(place, "a function of NumPy's or of the outlier detector's", node)
        return FUNCTIONS.get(node)


class PerColumn(Field):
    """Numbers for each column, or each pair of columns; NaN for a column without values."""

    def __init__(self, n_axes=1):
        self.n_axes = n_axes

    def read(self, node, file, place):
        array = super().read(node, file, place)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            raise refusal(place, "an array of numbers", node)
        if array.ndim != self.n_axes:
            raise refusal(place, f"an array of {self.n_axes} axes", f"{array.ndim}")
        for length in array.shape:
            file.agree(length, "n_columns", place)
        check_finite(array, "nan", place)
        return array


class RowsSeen(Field):
    """The number of rows (or their total weight): one number, or one for each column."""

    def read(self, node, file, place):
        of_columns = isinstance(node, dict) and "array" in node
        return (PerColumn() if of_columns else Number(least=0)).read(node, file, place)


COLUMNS = {
    "n_features_in_": Number(Integral, least=1),
    "feature_names_in_": Maybe(Texts(object_array, "n_columns")),
}
SEEN = {**COLUMNS, "n_samples_seen_": RowsSeen()}
# Attributes that are None unless a parameter asks for them.
ASKED = {
    StandardScaler: {"mean_": "with_mean", "scale_": "with_std"},
    RobustScaler: {"center_": "with_centering", "scale_": "with_scaling"},
    EmpiricalCovariance: {"precision_": "store_precision"},
}


def _is_usual(cls, fitted, estimator):
    """Return whether an estimator is of exactly a class, with exactly the declared attributes."""
    if type(estimator) is not cls:
        return False
    found = vars(estimator).keys() - {*parameter_names(cls), OUTPUT}
    needed = {name for name, field in fitted.items() if not isinstance(field, Maybe)}
    if found and not needed <= found <= fitted.keys():
        return False
    if cls is FunctionTransformer:
        functions = (estimator.func, estimator.inverse_func)
        known = all(
            one is None or any(one is own for own in FUNCTIONS.values()) for one in functions
        )
        others = (estimator.kw_args, estimator.inv_kw_args, estimator.feature_names_out)
        return known and all(one is None or type(one) is str for one in others)
    return not found or _has_what_is_asked(estimator, vars(estimator))


def _has_what_is_asked(estimator, state):
    asked = ASKED.get(type(estimator), {}).items()
    return all(state[name] is not None for name, of in asked if getattr(estimator, of))


def _restore(estimator, state, file, place):
    """Set the fitted attributes of an estimator, or raise an error if they do not match."""
    file.agree(state["n_features_in_"], "n_columns", place)
    if not _has_what_is_asked(estimator, state):
        raise refusal(place, "numbers of every column that its parameters ask for", "none")
    vars(estimator).update(state)


def _declared(cls, fitted):
    parameters = {"func": Function(), "inverse_func": Function()}
    return Declaration(
        cls,
        fitted,
        parameters=parameters if cls is FunctionTransformer else {},
        attributes=vars,
        restore=_restore,
        takes=partial(_is_usual, cls, fitted),
    )


def _each(*names):
    return {name: PerColumn() for name in names}


def _each_or_none(*names):
    return {name: OrNone(PerColumn()) for name in names}


SCALERS = {
    f"sklearn.{module}.{cls.__name__}": _declared(cls, fitted)
    for module, cls, fitted in [
        ("preprocessing", StandardScaler, {**SEEN, **_each_or_none("mean_", "var_", "scale_")}),
        (
            "preprocessing",
            MinMaxScaler,
            {**SEEN, **_each("scale_", "min_", "data_min_", "data_max_", "data_range_")},
        ),
        ("preprocessing", MaxAbsScaler, {**SEEN, **_each("scale_", "max_abs_")}),
        ("preprocessing", RobustScaler, {**COLUMNS, **_each_or_none("center_", "scale_")}),
        ("preprocessing", FunctionTransformer, COLUMNS),
        (
            "covariance",
            EmpiricalCovariance,
            {
                **COLUMNS,
                **_each("location_"),
                "covariance_": PerColumn(2),
                "precision_": OrNone(PerColumn(2)),
            },
        ),
    ]
}
