"""Rows that are drawn next to each other: from the data, and sampled from models."""

from collections.abc import Mapping
from functools import partial

from sklearn.utils import check_array

from skvae.base.pipelines import split_last
from skvae.base.validation import dense, valid_numbers
from skvae.plotting.models import table_of, to_data_units
from skvae.tabular.reading import is_frame

__all__ = ["drawn", "range_of_bytes", "same_columns", "valid_data"]


def range_of_bytes(estimator):
    """Return (0, the value that ``input_scale`` maps to 1), or None if there is no scaling."""
    scale = getattr(estimator, "input_scale", 1)
    return None if scale == 1 else (0, 1 / scale)


def valid_data(X, by_column):
    """Return rows as a validated array, or a frame as it is if its columns are shown."""
    if by_column and is_frame(X):
        return X
    finite = "allow-nan" if by_column else True
    validate = partial(check_array, dtype="numeric", input_name="X", ensure_all_finite=finite)
    return valid_numbers(validate, dense(X), allow_nan=by_column)


def drawn(estimators, n_samples, latent, seed, by_column):
    """Return samples of each model by name, from one seed, in the units of the data.

    If columns are shown, samples have the noise of p(x|z). ``latent`` is as for ``SampleDisplay``.
    """
    samples = {}
    for name, estimator in estimators.items():
        last = split_last(estimator)[1]
        options = {"latent": latent.get(name) if isinstance(latent, Mapping) else latent}
        if by_column and hasattr(last, "posterior"):
            options["observation_noise"] = True
        rows = last.sample(n_samples, random_state=seed, **options)
        samples[name] = (table_of if by_column else to_data_units)(estimator, rows)
    return samples


def same_columns(samples):
    """Return the samples, or raise an error if they differ in their numbers of columns."""
    widths = {name: rows.shape[1] for name, rows in samples.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(
            f"Rows that are shown together must have the same columns. Got {widths} instead. "
            f"Draw them in figures of their own."
        )
    return samples
