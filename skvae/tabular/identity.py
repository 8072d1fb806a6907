"""Identify the fit of a table in words, from the encoder and the cells."""

from hashlib import blake2b

import numpy as np

from skvae._frames import out_of_arrow
from skvae.base.identity import described
from skvae.tabular.reading import cells_of, columns_of, is_frame

__all__ = ["identity_of_table"]


def identity_of_table(encoder, X, X_val=None):
    """Return descriptions of an encoder and its tables, which identify a fit in a checkpoint.

    Parameters
    ----------
    encoder : TableEncoder
        An unfitted encoder.
    X, X_val : {DataFrame of pandas or polars, array-like}
        Valid tables. ``X_val`` may be None.

    Returns
    -------
    dict of {str: str}
        Each key starts with "table.", so it is not the name of a parameter of an autoencoder.

    Examples
    --------
    >>> import pandas as pd
    >>> from skvae.tabular import TableEncoder
    >>> from skvae.tabular.identity import identity_of_table
    >>> identity = identity_of_table(TableEncoder(), pd.DataFrame({"a": [1, 2]}))
    >>> identity["table.X"], identity["table.X_val"]
    ('(2, 1), ...', 'None')
    """
    return {
        "table.encoder": described(encoder),
        "table.X": _of_table(X),
        "table.X_val": "None" if X_val is None else _of_table(X_val),
    }


def _of_table(X):
    """Return the shape of a table, and a hash of its column names, dtypes and cells."""
    X = out_of_arrow(X)
    X = X if is_frame(X) else np.asarray(X)
    found = blake2b(digest_size=16)
    names = list(X.columns) if is_frame(X) else range(X.shape[1])
    for name, column in zip(names, columns_of(X), strict=True):
        cells = cells_of(column, name)
        of_objects = cells.values.dtype == object
        values = described(cells.values.tolist()) if of_objects else cells.values.dtype.str
        found.update(f"{name!r} {column.dtype} {cells.kind} {cells.tick} {values}".encode())
        found.update(np.ascontiguousarray(cells.missing))
        if not of_objects:
            found.update(np.ascontiguousarray(cells.values))
    return f"{X.shape}, {found.hexdigest()}"
