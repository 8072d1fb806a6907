"""Data frames, where they are asked for: what imports pandas, polars and pyarrow."""

import sys
from typing import Any, TypeGuard

__all__ = [
    "factor_frame",
    "frame_of_rows",
    "import_pandas",
    "import_polars",
    "import_pyarrow",
    "is_lazy",
    "is_pandas",
    "is_polars",
    "out_of_arrow",
]


def import_pandas(function, purpose):
    """Return pandas, or raise a sentence.

    Parameters
    ----------
    function : str
        The name that the sentence begins with.
    purpose : str
        What it needs pandas for.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If there is no pandas.
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
    """Return polars, or raise a sentence, as ``import_pandas`` does."""
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
    """Return whether X is a DataFrame of pandas; pandas is not imported for it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(X, pandas.DataFrame)


def is_polars(X: Any) -> TypeGuard[Any]:
    """Return whether X is a DataFrame of polars; polars is not imported for it."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.DataFrame)


def is_lazy(X: Any) -> bool:
    """Return whether X is a LazyFrame of polars; polars is not imported for it."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.LazyFrame)


def out_of_arrow(X: Any) -> Any:
    """Return a table of pyarrow as a DataFrame of pandas of its dtypes, anything else as it is.

    Its own conversion to an array makes floats of integers that have holes, and has no array of
    dates beside numbers. Without pandas it is all there is.
    """
    pyarrow = sys.modules.get("pyarrow")
    if pyarrow is None or not isinstance(X, pyarrow.Table | pyarrow.RecordBatch):
        return X
    try:
        return X.to_pandas(types_mapper=import_pandas("A table", "its columns").ArrowDtype)
    except ImportError:
        return X


def factor_frame(function, factor_values, factor_names):
    """Return factors' values as a DataFrame, or raise the sentence of ``import_pandas``."""
    pandas = import_pandas(function, "as_frame=True")
    return pandas.DataFrame(factor_values, columns=list(factor_names))


def frame_of_rows(library, rows, names, index=None):
    """Return an array of rows as a frame of "pandas" or "polars", which has no index."""
    purpose = f"transform_output='{library}'"
    if library == "polars":
        polars = import_polars("set_output", purpose)
        return polars.DataFrame(rows, schema=list(names), orient="row")
    return import_pandas("set_output", purpose).DataFrame(rows, index=index, columns=names)
