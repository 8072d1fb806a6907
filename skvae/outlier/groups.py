"""Columns that count as one, such as a one-hot block, and missing values that a model ignores."""

import numpy as np
from scipy.sparse import issparse

from skvae.base.pipelines import last_step, split_last
from skvae.base.validation import dense
from skvae.outlier.tables import columns_of, take

__all__ = ["categories_of", "groups_of", "ignored_holes"]

FEW = 8  # rows with missing values that show whether NaN reaches the model


def categories_of(transformer):
    """Return for each categorical variable its columns of X, if the model has column likelihoods.

    The columns are those of a one-hot block, or a single column of codes.

    If other steps come before the model, its columns are not those of X, and the list is empty.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from skvae.outlier.groups import categories_of
    >>> categories_of(PCA())
    []
    """
    before, model = split_last(transformer)
    parts = getattr(model, "_parts_", None)
    if before or parts is None:
        return []
    return [list(part.columns) for part in parts if part.kind == "categorical"]


def groups_of(categories, n_columns):
    """Return all columns in groups that count as one, ordered by their first columns.

    Examples
    --------
    >>> from skvae.outlier.groups import groups_of
    >>> groups_of([[1, 3]], 4)
    [[0], [1, 3], [2]]
    """
    within = {place: columns for columns in categories for place in columns}
    groups = (within.get(place, [place]) for place in range(n_columns))
    return [group for place, group in enumerate(groups) if group[0] == place]


def ignored_holes(transformer, X):
    """Return which missing values of X a fitted model ignores: (n_samples, n_features), bool.

    Parameters
    ----------
    transformer : transformer
        Fitted. A model with ``missing="mask"`` ignores NaN in its input. Earlier steps may already
        have filled the missing values.
    X : {array, CSR matrix, DataFrame} of shape (n_samples, n_features)
        Rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae import VAETransformer
    >>> from skvae.outlier.groups import ignored_holes
    >>> X = np.array([[0.0, 1.0], [1.0, np.nan], [2.0, 2.0]])
    >>> vae = VAETransformer(1, missing="mask", max_epochs=1, random_state=0).fit(X)
    >>> ignored_holes(vae, X)[1]
    array([False,  True])
    """
    none = np.zeros(X.shape, dtype=bool)
    if getattr(split_last(transformer)[1], "missing", None) != "mask" or issparse(X):
        return none
    holes = np.stack([_missing(values) for values in columns_of(X)], axis=1)
    rows = np.flatnonzero(holes.any(axis=1))[:FEW]
    if not len(rows):
        return none
    _, arriving = last_step(transformer, take(X, rows))
    arriving = dense(arriving).astype(np.float64, copy=False)
    return holes if np.isnan(arriving).any() else none


def _missing(values):
    """Return where a column of a table has no value."""
    return values == "nan" if values.dtype == object else np.isnan(values)
