"""Check tables: their columns, their size and their numbers."""

from sklearn.utils.validation import validate_data

from skvae._frames import check_finite, out_of_arrow
from skvae.base.validation import check_names
from skvae.tabular.reading import is_frame

__all__ = ["finite", "valid_table"]


def valid_table(encoder, X, *, reset, of_numbers):
    """Return X, validated: a DataFrame, or else an array.

    Parameters
    ----------
    encoder : TableEncoder
        Its number and names of columns are compared with those of X.
    X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
        A table. A table of pyarrow becomes a DataFrame of pandas.
    reset : bool
        True in ``fit``: the encoder then takes the number and names of the columns from X.
    of_numbers : bool
        Whether an array must contain numbers only.

    Returns
    -------
    {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
        A table with at least one row and one column.

    Raises
    ------
    ValueError
        If X has no row or no column, if an array contains text, or if the columns do not match.
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
            if "string" not in str(error):  # NumPy could not convert text to numbers
                raise
            raise ValueError(
                "An array must contain numbers. Got text instead. Pass columns of several kinds as "
                "a DataFrame."
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
    """Return cells, or raise an error if a number is infinite."""
    if cells.kind == "real":
        check_finite(cells.values, name)
    return cells
