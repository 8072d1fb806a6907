"""Input of the displays: fitted estimators and Pipelines, single or several by name."""

from collections.abc import Mapping

import numpy as np

from skvae.base.pipelines import last_step, split_last
from skvae.base.validation import dense
from skvae.metrics.latents import latent_summary

__all__ = [
    "feature_names_of",
    "image_shape_of",
    "informativeness",
    "last_that_can",
    "named",
    "one_row",
    "reconstruct",
    "rows_before",
    "table_before",
    "table_of",
    "to_data_units",
]


def named(estimators):
    """Return estimators by name: from a dict, or named by class or by parameters that differ.

    Examples
    --------
    >>> from skvae import BetaVAETransformer, VAETransformer
    >>> from skvae.plotting.models import named
    >>> list(named([VAETransformer(), BetaVAETransformer()]))
    ['VAETransformer', 'BetaVAETransformer']
    >>> list(named([BetaVAETransformer(beta=1.0), BetaVAETransformer(beta=4.0)]))
    ['beta=1', 'beta=4']
    """
    if isinstance(estimators, Mapping):
        return dict(estimators)
    if not isinstance(estimators, list | tuple):
        estimators = [estimators]
    lasts = [split_last(estimator)[1] for estimator in estimators]
    names = [type(last).__name__ for last in lasts]
    if len(names) > 1 and len(set(names)) == 1:
        names = _differences(lasts)
    names = [
        name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names)
    ]
    return dict(zip(names, estimators, strict=True))


def _differences(estimators):
    """Return for each estimator of one class a text with the parameters that differ."""
    parameters = [
        {
            name: f"{value:g}" if isinstance(value, float) else str(value)
            for name, value in estimator.get_params(deep=False).items()
            if isinstance(value, str | int | float)
        }
        for estimator in estimators
    ]
    differ = [
        name
        for name in dict.fromkeys(name for own in parameters for name in own)
        if len({own.get(name) for own in parameters}) > 1
    ]
    texts = [", ".join(f"{n}={own[n]}" for n in differ if n in own) for own in parameters]
    return [text or type(e).__name__ for text, e in zip(texts, estimators, strict=True)]


def last_that_can(estimator, method, display):
    """Return the estimator at the end of a Pipeline or search, or raise if it lacks a method."""
    last = split_last(estimator)[1]
    if not hasattr(last, method):
        raise TypeError(
            f"{display} needs an estimator with {method}, or a Pipeline that ends in one. Got "
            f"{type(last).__name__} instead. Leave out the steps behind it, as in pipe[:-1]."
        )
    return last


def _inverses(estimator):
    """Return the steps before the last, reversed; None if one has no ``inverse_transform``."""
    before = split_last(estimator)[0]
    if all(hasattr(steps, "inverse_transform") for steps in before):
        return before[::-1]
    return None


def to_data_units(estimator, rows):
    """Return rows decoded by the last step, in the units of the Pipeline's input.

    If an earlier step has no ``inverse_transform``, the rows stay in the units of the last step.
    """
    return _numbers(table_of(estimator, rows))


def table_of(estimator, rows):
    """Return the same as ``to_data_units``, in the container of the last inverse, maybe a frame."""
    for steps in _inverses(estimator) or []:
        rows = steps.inverse_transform(rows)
    return rows


def rows_before(estimator, X):
    """Return the rows of X as an array, in the same units as ``to_data_units``."""
    return _numbers(dense(table_before(estimator, X)))


def _numbers(table):
    """Return a table as a numeric array, or raise an error if it is not numeric."""
    rows = np.asarray(table)
    if rows.dtype.kind in "biuf":
        return rows
    try:
        if rows.dtype.kind == "O":  # numbers and booleans beside each other
            return rows.astype(np.float64)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        "Rows are drawn as lines over numbers. Got a table with other columns instead. Give the "
        "model behind its encoder and the codes, as in pipe[-1] and pipe[:-1].transform(X), where "
        "pipe is the Pipeline, or pipeline_ of a TableTransformer."
    )


def table_before(estimator, X):
    """Return the rows of X in the same units, in their own container."""
    return last_step(estimator, X)[1] if _inverses(estimator) is None else X


def reconstruct(estimator, X):
    """Return the reconstruction of X by any estimator that can encode and decode."""
    last, X_last = last_step(estimator, X)
    if hasattr(last, "reconstruct"):
        rows = last.reconstruct(X_last)
    else:
        rows = last.inverse_transform(np.asarray(last.transform(X_last)))
    return to_data_units(estimator, rows)


def one_row(x):
    """Return a single row as a table with one row; it keeps its column names if it has any."""
    if hasattr(x, "to_frame"):
        return x.to_frame().T
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if len(shape) == 1:
        return np.reshape(x, (1, -1))
    if len(shape) != 2 or shape[0] != 1:
        raise ValueError(
            f"x must be one row, of shape (n_features,) or (1, n_features). Got shape "
            f"{tuple(shape)} instead. Give a single row, such as X[:1]."
        )
    return x


def feature_names_of(estimator):
    """Return the column names that match the rows of ``to_data_units``, or None."""
    source = split_last(estimator)[1] if _inverses(estimator) is None else estimator
    return getattr(source, "feature_names_in_", None)


def image_shape_of(estimator, image_shape=None):
    """Return the given shape, or else that of the last estimator, or None."""
    own = getattr(split_last(estimator)[1], "image_shape", None)
    return own if image_shape is None else image_shape


def informativeness(estimator, X):
    """Return how informative each dimension is over the rows of X, and the name of the measure.

    It is the "KL" in nats if there is a posterior, and otherwise the "variance" of the code.
    """
    if hasattr(estimator, "posterior"):
        return np.asarray(latent_summary(estimator, X)["kl"]), "KL"
    return np.asarray(estimator.transform(X)).var(axis=0), "variance"
