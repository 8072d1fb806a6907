"""The imputer in a file: its estimator, and what it knows about columns."""

from numbers import Integral

import numpy as np
from sklearn.impute import MissingIndicator

from skvae.files.errors import refusal
from skvae.imputation import VAEImputer
from skvae.saving.declarations import Declaration
from skvae.saving.fields import Array, Field, Maybe, Number, OrNone, Texts, object_array

__all__ = ["IMPUTERS"]

FITTED = {
    "n_features_in_": Number(Integral, least=1),
    "feature_names_in_": Maybe(Texts(object_array, "n_columns")),
    "estimator_": Field(),
    "_empty_": Array("bool", "n_columns"),
    "indicator_": OrNone(Array("int64", None)),  # the columns that it reports
}


def _attributes(imputer):
    """Return the attributes of an imputer; of the indicator only its columns."""
    attributes = dict(vars(imputer))
    indicator = attributes.get("indicator_")
    if indicator is not None:
        attributes["indicator_"] = indicator.features_.astype(np.int64)
    return attributes


def _restore(imputer, state, file, place):
    """Set the fitted attributes of an imputer, or raise an error if they do not match."""
    n_columns, estimator = state["n_features_in_"], state["estimator_"]
    file.agree(n_columns, "n_columns", place)
    if not hasattr(estimator, "impute") or not hasattr(estimator, "net_"):
        raise refusal(f"{place}.estimator_", "a fitted estimator with impute", estimator)
    if estimator.n_features_in_ != n_columns:
        got = f"one of {estimator.n_features_in_}"
        raise refusal(f"{place}.estimator_", f"an estimator of {n_columns} columns", got)
    indicated = state["indicator_"]
    if indicated is not None:
        state["indicator_"] = _indicator(indicated, n_columns, f"{place}.indicator_")
    vars(imputer).update(state)


def _indicator(indicated, n_columns, place):
    """Return an indicator fitted to missing values in these columns."""
    inside = (indicated >= 0) & (indicated < n_columns)
    if not inside.all() or not (np.diff(indicated) > 0).all():
        raise refusal(place, f"columns below {n_columns} in order", "others")
    row = np.zeros((1, n_columns))
    row[:, indicated] = np.nan
    return MissingIndicator(error_on_new=False).fit(row)


IMPUTERS = {
    "skvae.VAEImputer": Declaration(VAEImputer, FITTED, attributes=_attributes, restore=_restore)
}
