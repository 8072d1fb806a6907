"""The only imports of pandas, polars and pyarrow, and checks of the cells of their columns."""

import sys
from typing import Any, TypeGuard

import numpy as np

__all__ = [
    "check_finite",
    "factor_frame",
    "frame_of_rows",
    "import_pandas",
    "import_polars",
    "import_pyarrow",
    "is_lazy",
    "is_missing",
    "is_pandas",
    "is_polars",
    "out_of_arrow",
]


def import_pandas(function, purpose):
    """Return the module pandas, or raise an error that says what needs it.

    Parameters
    ----------
    function : str
        The name of the function that needs pandas, for the error message.
    purpose : str
        What the function needs pandas for, for the error message.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If pandas cannot be imported.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{function} needs pandas for {purpose}. Got none that can be imported instead. "
            f"Install it: pip install skvae[images]"
        ) from error
    return pandas


def import_polars(function, purpose):
    """Return the module polars, or raise an error, as ``import_pandas`` does."""
    try:
        import polars
    except ImportError as error:
        raise ImportError(
            f"{function} needs polars for {purpose}. Got none that can be imported instead. "
            f"Install it: pip install polars"
        ) from error
    return polars


def import_pyarrow(function, purpose):
    """Return pyarrow, or raise a sentence, as ``import_pandas`` does."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"{function} needs pyarrow for {purpose}. Got none that can be imported instead. "
            f"Install it: pip install pyarrow"
        ) from error
    return pyarrow


def is_pandas(X: Any) -> TypeGuard[Any]:
    """Return whether X is a pandas DataFrame, without importing pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def is_polars(X: Any) -> TypeGuard[Any]:
    """Return whether X is a polars DataFrame, without importing polars."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.DataFrame)


def is_lazy(X: Any) -> bool:
    """Return whether X is a polars LazyFrame, without importing polars."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.LazyFrame)


def out_of_arrow(X: Any) -> Any:
    """Convert a pyarrow table to a pandas DataFrame with the same dtypes; return others unchanged.

    pyarrow's own conversion to an array turns integers with missing values into floats, and cannot
    convert a table with dates and numbers. If pandas is not installed, the table is returned
    unchanged, and pyarrow's conversion is used later.
    """
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None or not isinstance(X, pyarrow.Table | pyarrow.RecordBatch):
        return X
    try:
        return X.to_pandas(types_mapper=import_pandas("A table", "its columns").ArrowDtype)
    except ImportError:
        return X


def is_missing(value):
    """Return whether an object is None, NaN, NaT or pd.NA."""
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT do not equal themselves
    except (TypeError, ValueError):  # pd.NA has no truth value, and neither has an array
        return type(value).__name__ == "NAType"


def check_finite(values, name):
    """Raise an error if one of the numbers of a column is infinite."""
    if np.isinf(values).any():
        raise ValueError(
            f"The numbers of X must be finite. Got infinity in column {name!r} instead. Give such "
            f"values a number, or NaN."
        )


def factor_frame(function, factor_values, factor_names):
    """Return the values of the factors as a pandas DataFrame."""
    pandas = import_pandas(function, "as_frame=True")
    return pandas.DataFrame(factor_values, columns=list(factor_names))


def frame_of_rows(library, rows, names, index=None):
    """Return an array of rows as a frame of ``library``, "pandas" or "polars".

    Only a frame of pandas has the ``index``.
    """
    purpose = f"transform_output='{library}'"
    if library == "polars":
        polars = import_polars("set_output", purpose)
        return polars.DataFrame(rows, schema=list(names), orient="row")
    return import_pandas("set_output", purpose).DataFrame(rows, index=index, columns=names)
