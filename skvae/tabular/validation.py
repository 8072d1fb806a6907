"""Tables that are valid: their columns, their size, their numbers."""

import numpy as np
from sklearn.utils.validation import validate_data

from skvae._frames import out_of_arrow
from skvae.base.validation import check_names
from skvae.tabular.reading import is_frame

__all__ = ["finite", "valid_table"]


def valid_table(encoder, X, *, reset, of_numbers):
    """Return X, a frame as it is, a table of pyarrow as one of pandas, others as an array.

    Parameters
    ----------
    encoder : TableEncoder
        Which takes number and names of the columns from X to ``reset``, else compares them.
    X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
        A table.
    reset : bool
        Whether ``fit`` asks.
    of_numbers : bool
        Whether an array may only hold numbers.

    Returns
    -------
    {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
        Of one row at least.
    """
    X = out_of_arrow(X)
    check_names(X)
    if not is_frame(X):
        dtype = "numeric" if of_numbers else None
        try:
            return validate_data(
                encoder, X, reset=reset, dtype=dtype, ensure_all_finite="allow-nan"
            )
        except ValueError as error:
            if "string" not in str(error):  # to float, or arrays of them
                raise
            raise ValueError(
                "An array has to hold numbers. Got text in it instead. Give columns of several "
                "kinds as a DataFrame."
            ) from error
    validate_data(encoder, X, reset=reset, skip_check_array=True)
    for size, what in zip(X.shape, ("sample", "feature"), strict=True):
        if size == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required "
                f"by TableEncoder."
            )
    return X


def finite(cells, name):
    """Return cells, or say that a number is infinite."""
    if cells.kind == "real" and np.isinf(cells.values).any():
        raise ValueError(
            f"The numbers of X must be finite. Got infinity in column {name!r} instead. Give such "
            f"values a number, or NaN."
        )
    return cells
