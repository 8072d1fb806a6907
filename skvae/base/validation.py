"""Validation of X: arrays, sparse matrices, DataFrames and other tables become valid rows."""

from functools import partial

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skvae._frames import is_lazy, is_pandas, is_polars, out_of_arrow

__all__ = [
    "FittedColumns",
    "as_rows",
    "check_flat",
    "check_names",
    "check_unmasked",
    "dense",
    "generated_feature_names",
    "names_of_features",
    "valid_numbers",
    "valid_rows",
    "without_nan",
]

MOST_CHANNELS = 4  # if the second side of a 4-D array is at most this, it holds the channels


class FittedColumns:
    """The attributes that ``validate_data`` sets: the number of columns, and names if X has any."""

    n_features_in_: int
    feature_names_in_: np.ndarray


def check_flat(X, name="X"):
    """Raise an error if X is a pair of rows and targets, or an array of images."""
    shape = getattr(X, "shape", ())
    if isinstance(X, list | tuple) and X:
        shape = (len(X), *getattr(X[0], "shape", ()))
        are_images = isinstance(X, list) and np.shape(X[-1]) == shape[1:]
        if len(X) == 2 and len(shape) == 3 and not are_images:
            raise ValueError(
                f"{name} must be rows alone, (n_samples, n_features). Got a pair of arrays "
                f"instead. Pass the first: the target of a row is the row itself."
            )
    if len(shape) > 2:
        image_shape, rows = (*shape[1:], 1)[:3], "np.reshape(X, (len(X), -1))"
        if len(shape) == 4 and shape[1] <= MOST_CHANNELS < shape[3]:
            image_shape, rows = (*shape[2:], shape[1]), "np.moveaxis(X, 1, 3).reshape(len(X), -1)"
        raise ValueError(
            f"{name} must be flat, (n_samples, n_features). Got shape {tuple(shape)} instead. "
            f"Use {rows}, with image_shape={image_shape} for convolutions."
        )


def as_rows(x):
    """Return a single row, which may be a pandas Series, as a table with one row."""
    check_flat(x)
    shape = x.shape if hasattr(x, "shape") else np.shape(x)
    if len(shape) > 1:
        if shape[0] != 1:
            raise ValueError(
                f"x0 and x1 must be one row each. Got {shape[0]} rows instead. Give one at a time."
            )
        return x
    return x.to_frame().T if hasattr(x, "to_frame") else np.reshape(x, (1, -1))


def valid_numbers(validate, X, *, name="X", allow_nan=False):
    """Return X after scikit-learn's checks, and check that it has numbers that fit into float64.

    scikit-learn's checks alone are not enough: they ignore masks, accept dates, and may accept
    objects, of which None and NaT would silently become nan.

    Parameters
    ----------
    validate : callable
        Function from X to an array or a sparse matrix of any dtype.
    X : object
        The rows as the user gave them.
    name : str, default="X"
        The name of X in error messages.
    allow_nan : bool, default=False
        Whether a missing value becomes nan. If False, it is an error.

    Returns
    -------
    {ndarray, sparse matrix}
        Rows of a numeric dtype. X is not copied if it has one already.

    Raises
    ------
    ValueError or TypeError
        If X has no valid numbers. Some errors come from scikit-learn or from the library of X.

    Examples
    --------
    >>> from decimal import Decimal
    >>> import numpy as np
    >>> from skvae.base.validation import valid_numbers
    >>> valid_numbers(np.asarray, [[Decimal("0.5"), 1]])
    array([[0.5, 1. ]])
    """
    X = out_of_arrow(X)
    check_unmasked(X, name)
    check_names(X)
    _check_no_times(X, name)
    try:
        rows = validate(X)
        if rows.dtype == object:
            _check_no_times(rows, name)
            finite = "allow-nan" if allow_nan else True
            rows = check_array(
                rows,
                accept_sparse=True,
                dtype=np.float64,
                ensure_all_finite=finite,
                input_name=name,
                ensure_min_samples=0,
            )
    except (ValueError, TypeError, MemoryError) as error:
        _check_no_text(X, name, error)
        raise
    except Exception as error:  # an object that cannot become an array may raise any error
        raise ValueError(
            f"{name} must be rows of numbers that NumPy can read. Got an error from "
            f"{type(X).__name__} instead: {str(error).partition('. ')[0].rstrip('.')}. Give an "
            f"array of them."
        ) from error
    _check_no_times(rows, name)
    _check_range(rows, name)
    return rows


def valid_rows(estimator, X, *, reset, holes, fewest=1):
    """Return X as a valid array or CSR matrix with the columns of an estimator.

    ``reset`` sets the estimator's columns to those of X. With ``holes`` NaN is a missing value.
    """
    check_flat(X)
    validate = partial(
        validate_data,
        estimator,
        accept_sparse="csr",
        dtype="numeric",
        reset=reset,
        ensure_min_samples=fewest,
        ensure_all_finite="allow-nan" if holes else True,
    )
    try:
        return valid_numbers(validate, X, allow_nan=holes)
    except ValueError as error:
        if "contains NaN" in str(error) and hasattr(estimator, "missing"):
            raise ValueError(
                f"Input X contains NaN, which {type(estimator).__name__} accepts only with "
                f"missing='mask'. Got missing=None instead. Set it and fit, or fill in the missing "
                f"values, as a VAEImputer does."
            ) from error
        raise


def check_unmasked(X, name):
    """Raise an error for a masked array, or a list of them, since NumPy would ignore the mask."""
    parts = X if isinstance(X, list | tuple) else [X]
    masks = [np.ma.getmaskarray(part) for part in parts if isinstance(part, np.ma.MaskedArray)]
    n_masked = sum(int(mask.sum()) for mask in masks)
    if n_masked:
        raise ValueError(
            f"{name} must have no masked values. Got {n_masked} of them instead. "
            f"Fill them in, as {name}.filled(0.0) does, or leave out their rows."
        )


def check_names(X):
    """Raise an error for a DataFrame with two columns of the same name, and for a LazyFrame."""
    if is_lazy(X):
        raise ValueError(
            "X must be a table in memory. Got a LazyFrame of polars instead. Pass X.collect()."
        )
    names = getattr(X, "columns", None)
    if getattr(names, "is_unique", True):
        return
    twice = names[names.duplicated()][0]
    raise ValueError(
        f"Every column of X must have a name of its own. Got {twice!r} {(names == twice).sum()} "
        f"times instead. Rename the columns."
    )


def _check_no_times(X, name):
    """Raise an error for dates and durations, whose numbers would depend on a unit."""
    if isinstance(X, np.ndarray) and X.dtype.kind == "O":
        objects = X.flat
    elif hasattr(X, "iloc") and hasattr(X, "columns"):
        columns = np.flatnonzero([getattr(dtype, "kind", "") == "O" for dtype in X.dtypes])
        objects = (value for place in columns for value in X.iloc[:, place])
    else:
        objects = ()
    for column, dtype in zip(X.columns, X.dtypes, strict=True) if hasattr(X, "columns") else ():
        if hasattr(dtype, "pyarrow_dtype") and dtype.kind in "mM":  # NumPy converts to numbers
            raise _no_numbers(name, column, dtype)
    if getattr(getattr(X, "dtype", None), "kind", "") in ("m", "M") or any(
        isinstance(value, np.datetime64 | np.timedelta64) for value in objects
    ):
        raise ValueError(
            f"{name} must be rows of numbers. Got dates or durations instead. Count them in a "
            f"unit, as ({name} - start) / numpy.timedelta64(1, 'D') does."
        )


def _check_no_text(X, name, error):
    """Raise an error that names the column that cannot become numbers, or that says it is text."""
    if not (is_pandas(X) or is_polars(X)):
        if any(words in str(error) for words in ("string to float", "bytes/strings")):
            raise ValueError(
                f"{name} must be rows of numbers. Got text instead. Encode it, or give a DataFrame "
                f"to a TableTransformer."
            ) from error
        return
    for place, column in enumerate(X.columns):
        values = X.iloc[:, place] if hasattr(X, "iloc") else X[:, place]
        try:
            is_other = np.asarray(values).dtype.kind in "mM"
            np.asarray(values).astype(np.complex128)
        except (ValueError, TypeError):
            is_other = True
        if is_other:
            raise _no_numbers(name, column, values.dtype) from error


def _no_numbers(name, column, dtype):
    return ValueError(
        f"{name} must be rows of numbers. Got a column {column!r} of {dtype} instead. Encode it, "
        f"as a TableTransformer does, or a TableEncoder in a Pipeline."
    )


def _check_range(rows, name):
    """Raise an error for numbers of a wider dtype that would be infinite in float64."""
    if rows.dtype.itemsize <= np.dtype(np.float64).itemsize or not rows.size:
        return
    if np.abs(rows.data if issparse(rows) else rows).max(initial=0) > np.finfo(np.float64).max:
        raise ValueError(
            f"{name} must have numbers in the range of float64. Got a {rows.dtype} that is "
            f"infinite there instead. Scale {name}."
        )


def without_nan(result, unobserved=None):
    """Return the results of rows, after a check that none is NaN.

    ``unobserved`` is a function that returns the places of missing values, where NaN is correct.
    """
    if not np.isnan(result.min()):  # the minimum needs no second array
        return result
    wrong = np.isnan(result)
    if unobserved is not None:
        wrong &= ~unobserved()
    if wrong.any():
        row = np.argmax(wrong.reshape(len(result), -1).any(axis=1))
        raise ValueError(
            f"The rows must be close enough to the training rows for the network to compute with "
            f"them in {result.dtype}. Got nan for row {row} instead. Clip the rows, or scale them "
            f"as the training rows."
        )
    return result


def dense(X):
    """Return X as an array.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from skvae.base.validation import dense
    >>> dense(csr_array([[0.0, 1.0]]))
    array([[0., 1.]])
    """
    return X.toarray() if issparse(X) else np.asarray(X)


def generated_feature_names(n_columns):
    """Return the names x0, x1, ... for columns without names.

    Examples
    --------
    >>> from skvae.base.validation import generated_feature_names
    >>> generated_feature_names(2)
    array(['x0', 'x1'], dtype=object)
    """
    return np.array([f"x{column}" for column in range(n_columns)], dtype=object)


def names_of_features(estimator):
    """Return the names of the columns of the training data, or generated names x0, x1, ....

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.base.validation import names_of_features
    >>> names_of_features(StandardScaler().fit([[1.0, 2.0]]))
    array(['x0', 'x1'], dtype=object)
    """
    names = getattr(estimator, "feature_names_in_", None)
    return generated_feature_names(estimator.n_features_in_) if names is None else names
