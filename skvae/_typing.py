"""Types of arguments, for type checkers."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Depends", "Estimator", "Floats", "Integers", "MatrixLike", "Seed", "Transformer"]


class Sparse(Protocol):
    """A sparse array of SciPy."""

    def toarray(self) -> np.ndarray: ...


class Estimator(Protocol):
    """An object with ``fit``: an estimator, a Pipeline or a search.

    Its methods are properties here, because they may depend on its parameters.
    """

    @property
    def fit(self) -> Any: ...

    @property
    def get_params(self) -> Any: ...


class Transformer(Estimator, Protocol):
    """An estimator with ``transform``."""

    @property
    def transform(self) -> Any: ...


MatrixLike = ArrayLike | Sparse  # a DataFrame is array-like: it has __array__
Integers = Sequence[int] | np.ndarray
Floats = Sequence[float] | np.ndarray
Seed = int | np.random.RandomState | None
# The type depends on an argument. With a union, callers would have to check the type first.
Depends = Any
