"""Rows in everything that they may come in, and what is no row of numbers in some of it."""

import datetime
from decimal import Decimal
from fractions import Fraction

import dask.array
import numpy as np
import pandas as pd
import polars as pl
import torch
from scipy import sparse

NAMES = ["a", "b", "c"]
FLOATS = ["float16", "float32", "float64", "longdouble", ">f4", ">f8"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i4"]
DTYPES = ["bool", *INTEGERS, *FLOATS]


# What those raise who make a container, where theirs has no place for a dtype or a value.
NOT_MADE = (TypeError, ValueError, OverflowError, NotImplementedError, pl.exceptions.PolarsError)


class Holds:
    """An object that becomes an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype)


class Subclass(np.ndarray):
    """An array by another name."""


def read_only(X):
    X.setflags(write=False)
    return X


def memory_map(X, path, mode):
    np.save(path / "rows.npy", X)
    return np.load(path / "rows.npy", mmap_mode=mode)


def frame(X):
    return pd.DataFrame(X.astype(X.dtype.newbyteorder("=")), columns=NAMES)


def nullable(X):
    kind = {"b": "boolean", "i": "Int64", "u": "UInt64", "f": "Float64"}[X.dtype.kind]
    return frame(X).astype(kind)


def sparse_frame(X):
    X = X.astype(np.float64) if X.dtype in (np.float16, np.longdouble) else X  # SciPy has neither
    return frame(X).astype(pd.SparseDtype(frame(X).dtypes.iloc[0], 0))


def polars(X):
    return pl.DataFrame(dict(zip(NAMES, X.astype(X.dtype.newbyteorder("=")).T, strict=True)))


def unsorted(X, index_dtype=np.int32):
    """Return a read-only CSR matrix whose entries stand backwards in every row."""
    X = sparse.csr_array(X)
    parts = [X.data.copy(), X.indices.astype(index_dtype), X.indptr.astype(index_dtype)]
    for first, last in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        for part in parts[:2]:
            part[first:last] = part[first:last][::-1].copy()
    return sparse.csr_array(tuple(map(read_only, parts)), shape=X.shape)


def twice(X):
    """Return a CSR matrix that has every entry in two halves."""
    X = sparse.csr_array(X.astype(np.float64))
    parts = (np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr)
    return sparse.csr_array(parts, shape=X.shape)


def in_sparse(kind):
    def build(X, _=None):
        wide = X.dtype in (np.float16, np.longdouble) or not X.dtype.isnative
        return getattr(sparse, kind)(X.astype(np.float64) if wide else X)

    return build


# Of rows, an array of any dtype, and a folder.
CONTAINERS = {
    "C": lambda X, _: X,
    "F": lambda X, _: np.asfortranarray(X),
    "strided": lambda X, _: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda X, _: X[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": lambda X, _: read_only(X),
    "memmap": lambda X, path: memory_map(X, path, "r"),
    "memmap, private": lambda X, path: memory_map(X, path, "c"),
    "subclass": lambda X, _: X.view(Subclass),
    "nothing masked": lambda X, _: np.ma.masked_array(X),
    "objects": lambda X, _: X.astype(object),
    "list": lambda X, _: X.tolist(),
    "tuple": lambda X, _: tuple(map(tuple, X.tolist())),
    "list of arrays": lambda X, _: list(X),
    "__array__": lambda X, _: Holds(X),
    "pandas": lambda X, _: frame(X),
    "pandas, nullable": lambda X, _: nullable(X),
    "pandas, category": lambda X, _: frame(X).astype("category"),
    "pandas, sparse": lambda X, _: sparse_frame(X),
    "pandas, objects": lambda X, _: frame(X).astype(object),
    "polars": lambda X, _: polars(X),
    "polars, Decimal": lambda X, _: polars(X.astype(np.float64)).cast(pl.Decimal(8, 3)),
    "torch": lambda X, _: torch.from_numpy(X),
    "list of tensors": lambda X, _: list(torch.from_numpy(X)),
    "dask": lambda X, _: dask.array.from_array(X, chunks=(3, 2)),
    "unsorted": lambda X, _: unsorted(in_sparse("csr_array")(X)),
    "long indices": lambda X, _: unsorted(in_sparse("csr_array")(X), np.int64),
    "entries twice": lambda X, _: twice(X),
    **{
        kind: in_sparse(kind)
        for form in ("csr", "csc", "coo", "bsr", "lil", "dok", "dia")
        for kind in (f"{form}_array", f"{form}_matrix")
    },
}
SPARSE = {"unsorted", "long indices", "entries twice", "pandas, sparse"} | {
    name for name in CONTAINERS if name.endswith(("_array", "_matrix"))
}

try:
    import pyarrow

    CONTAINERS["pandas, arrow"] = lambda X, _: frame(X).convert_dtypes(dtype_backend="pyarrow")
    CONTAINERS["pyarrow"] = lambda X, _: pyarrow.Table.from_pandas(frame(X))
except ImportError:
    pass

NUMBERS = [
    Decimal("0.5"),
    Fraction(1, 2),
    0.5,
    np.float16(0.5),
    np.float32(0.5),
    np.longdouble(0.5),
]
NOT_NUMBERS = [
    None,
    np.nan,
    np.inf,
    Decimal("nan"),
    pd.NA,
    pd.NaT,
    np.datetime64("NaT"),
    np.timedelta64("NaT"),
    np.datetime64("2020-01-01"),
    np.timedelta64(1, "D"),
    datetime.datetime(2020, 1, 1),
    datetime.date(2020, 1, 1),
    datetime.timedelta(1),
    pd.Timestamp("2020-01-01"),
    "a",
    "",
    b"a",
    1j,
    10**400,
    {"a": 1},
    [1.0],
    (),
    object(),
]


def with_value(X, value):
    """Return rows as an array of objects with another value in one place."""
    rows = X.astype(object)
    rows[1:2, 1:2] = np.nan
    rows[1, 1] = value
    return rows


# Of an array of objects.
MIXED = {
    "objects": lambda X: X,
    "list": lambda X: [list(row) for row in X],
    "tuple": lambda X: tuple(map(tuple, X)),
    "__array__": Holds,
    "pandas": lambda X: pd.DataFrame(X, columns=NAMES),
    "pandas, inferred": lambda X: pd.DataFrame(X, columns=NAMES).infer_objects(),
    "polars": lambda X: pl.DataFrame({name: list(X[:, n]) for n, name in enumerate(NAMES)}),
}


def is_first(X):
    """Return where a value is the first row's first."""
    return np.equal(X, X[0, 0])


# No rows of numbers at all, and some no rows.
HOSTILE = {
    "masked": lambda X: np.ma.masked_array(X, mask=is_first(X)),
    "rows masked": lambda X: list(np.ma.masked_array(X, mask=is_first(X))),
    "complex": lambda X: X.astype(complex),
    "dates": lambda X: X.round().astype(int).astype("M8[s]"),
    "durations": lambda X: X.round().astype(int).astype("m8[s]"),
    "text": lambda X: X.astype(str),
    "bytes": lambda X: X.astype("S5"),
    "records": lambda X: np.zeros(X.shape, dtype=[("a", float)]),
    "raw": lambda X: np.zeros(X.shape, dtype="V4"),
    "nan": lambda X: np.where(is_first(X), np.nan, X),
    "infinite": lambda X: np.where(is_first(X), -np.inf, X),
    "wide": lambda X: np.full(X.shape, np.finfo(np.longdouble).max),
    "sparse nan": lambda X: sparse.csr_array(np.where(is_first(X), np.nan, 0.0)),
    "sparse complex": lambda X: sparse.csr_array(X.astype(complex)),
    "matrix": lambda X: X.view(np.matrix),
    "a column more": lambda X: np.hstack([X, X]),
    "no column": lambda X: X[:, :0],
    "no row": lambda X: X[:0],
    "one axis": lambda X: X[0],
    "three axes": lambda X: X[None],
    "a number": lambda X: 3.0,
    "None": lambda X: None,
    "a word": lambda X: "abc",
    "a dict": lambda X: {"a": 1},
    "a set": lambda X: {1, 2},
    "a generator": lambda X: (row for row in X),
    "ragged": lambda X: [[1.0, 2.0, 3.0], [1.0]],
    "a series": lambda X: pd.Series(X[:, 0]),
    "dates of pandas": lambda X: pd.DataFrame({n: pd.date_range("2020", periods=8) for n in NAMES}),
    "periods": lambda X: pd.DataFrame(
        {n: pd.period_range("2020", periods=8, freq="D") for n in NAMES}
    ),
    "zones": lambda X: pd.DataFrame({n: pd.date_range("2020", periods=8, tz="UTC") for n in NAMES}),
    "intervals": lambda X: pd.DataFrame({n: pd.interval_range(0, 8) for n in NAMES}),
    "missing of pandas": lambda X: frame(X).astype("Float64").mask(is_first(X)),
    "missing of polars": lambda X: polars(X).with_columns(a=pl.lit(None)),
    "lazy": lambda X: polars(X).lazy(),
    "a series of polars": lambda X: polars(X)["a"],
    "lists of polars": lambda X: pl.DataFrame({n: [[1.0]] * 8 for n in NAMES}),
    "with gradients": lambda X: torch.from_numpy(X).requires_grad_(),
    "bfloat16": lambda X: torch.from_numpy(X).bfloat16(),
    "sparse of torch": lambda X: torch.from_numpy(X).to_sparse(),
    "of no device": lambda X: torch.from_numpy(X).to("meta"),
    "conjugate": lambda X: torch.from_numpy(X).to(torch.complex64).conj(),
    "rows of gradients": lambda X: list(torch.from_numpy(X).requires_grad_()),
    "of unknown length": lambda X: (lambda Y: Y[Y[:, 0] > 2])(dask.array.from_array(X)),
}
