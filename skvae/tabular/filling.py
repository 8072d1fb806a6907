"""Fill the missing cells of a table with the cells of another table."""

import numpy as np

from skvae._frames import import_polars, is_pandas
from skvae.tabular.reading import cells_of, columns_of, is_frame
from skvae.tabular.writing import frame_of

__all__ = ["holes_filled"]


def holes_filled(X, filled):
    """Return X with its missing cells replaced by the cells of another table.

    Parameters
    ----------
    X : {DataFrame of pandas or polars, array-like} of shape (n_samples, n_features)
        A table. Its other cells do not change, even if they have levels that ``filled`` lacks.
    filled : {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
        A table with the columns of X, in the dtypes that an encoder was fitted to.

    Returns
    -------
    {DataFrame of pandas or polars, ndarray} of shape (n_samples, n_features)
        A pandas column with missing cells gets the dtype of ``filled``, if this dtype can hold all
        known values of the column. Categories and columns of polars keep their own dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.filling import holes_filled
    >>> holes_filled([[1.0, np.nan]], np.array([[5.0, 6.0]]))
    array([[1., 6.]])
    """
    if not is_frame(X):
        X = np.asarray(X)
        return np.where(np.isnan(X), filled, X) if X.dtype.kind == "f" else X
    patch = _patched_pandas if is_pandas(X) else _patched_polars
    columns = []
    for name, column, other in zip(X.columns, columns_of(X), columns_of(filled), strict=True):
        missing = cells_of(column, name).missing
        columns.append(patch(column, other, missing) if missing.any() else column)
    library = "pandas" if is_pandas(X) else "polars"
    return frame_of(columns, library, X.columns, getattr(X, "index", None))


def _patched_pandas(column, other, missing):
    places = np.flatnonzero(missing)
    if hasattr(column, "cat"):
        known = column.cat.categories
        new = [level for level in other[missing].dropna().unique() if level not in known]
        column = column.cat.add_categories(new)
    elif column.dtype != other.dtype or hasattr(column.dtype, "fill_value"):  # or if sparse
        return _as_dtype(column, other, places)
    column = column.copy()
    column.iloc[places] = other.iloc[places].to_numpy()
    return column


def _as_dtype(column, other, places):
    """Return a filled column in the dtype of the other column, if this changes no known value.

    pandas stores integers with missing values as floats. After filling, they become integers
    again, unless a known value is not an integer.
    """
    filled = column.astype(object)
    filled.iloc[places] = other.iloc[places].tolist()
    known = np.delete(np.arange(len(filled)), places)
    if hasattr(other, "cat") and not filled.iloc[known].isin(other.cat.categories).all():
        return filled.infer_objects()
    try:
        alike = filled.astype(other.dtype)
        if (alike.iloc[known].astype(object) == filled.iloc[known]).all():
            return alike
    except (TypeError, ValueError, OverflowError):  # the dtype cannot hold the known values
        pass
    return filled.infer_objects()


def _patched_polars(column, other, missing):
    polars = import_polars("impute", "the table that it was given")
    return other.cast(column.dtype).zip_with(polars.Series(missing), column)
