"""Return rows of the data as DataFrames if ``set_output`` asks for them."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from sklearn import get_config

from skvae._frames import frame_of_rows, is_pandas
from skvae.base.validation import names_of_features

__all__ = ["asked_library", "rows_in_frame", "rows_in_frames"]

Method = TypeVar("Method", bound=Callable)
LIBRARIES = ("default", "pandas", "polars")


def asked_library(estimator):
    """Return the output format of ``transform``: "default", "pandas" or "polars".

    It is the estimator's own ``set_output``, or else that of ``sklearn.set_config``.

    Raises
    ------
    ValueError
        If it is another value.

    Examples
    --------
    >>> from sklearn import config_context
    >>> from sklearn.decomposition import PCA
    >>> from skvae.base.frames import asked_library
    >>> with config_context(transform_output="polars"):
    ...     asked_library(PCA()), asked_library(PCA().set_output(transform="pandas"))
    ('polars', 'pandas')
    """
    own = getattr(estimator, "_sklearn_output_config", {})
    library = own.get("transform", get_config()["transform_output"])
    if library not in LIBRARIES:
        raise ValueError(
            f"transform_output must be 'default', 'pandas' or 'polars'. Got {library!r} instead. "
            f"Set one of these by sklearn.set_config or set_output."
        )
    return library


def rows_in_frame(estimator, rows, given=None):
    """Return rows of the data in the output format of ``set_output``.

    Parameters
    ----------
    estimator : fitted estimator
        The columns get the names ``feature_names_in_``, or x0, x1, ... if it has none.
    rows : ndarray of shape (n_samples, n_features)
        Rows with the columns of the training data.
    given : object, default=None
        The input from which the rows were computed, one by one. If it is a pandas DataFrame, the
        result has its index.

    Returns
    -------
    ndarray, or DataFrame of pandas or polars

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvae.base.frames import rows_in_frame
    >>> scaler = StandardScaler().set_output(transform="pandas").fit([[1.0, 2.0]])
    >>> rows_in_frame(scaler, np.array([[3.0, 4.0]]))
        x0   x1
    0  3.0  4.0
    """
    library = asked_library(estimator)
    if library == "default":
        return rows
    index = given.index if is_pandas(given) else None
    return frame_of_rows(library, rows, names_of_features(estimator), index)


def rows_in_frames(method: Method) -> Method:
    """Decorate a method of one argument so that its rows have the format of ``set_output``."""

    @wraps(method)
    def answer(self, X):
        return rows_in_frame(self, method(self, X), X)

    return cast(Method, answer)
