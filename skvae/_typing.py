"""What arguments may be, for type checkers."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Depends", "Estimator", "Floats", "Integers", "MatrixLike", "Seed", "Transformer"]


class Sparse(Protocol):
    """A sparse array of SciPy's."""

    def toarray(self) -> np.ndarray: ...


class Estimator(Protocol):
    """What is fitted: an estimator, a Pipeline, a search. Its methods may be conditional."""

    @property
    def fit(self) -> Any: ...

    @property
    def get_params(self) -> Any: ...


class Transformer(Estimator, Protocol):
    """What turns rows into codes."""

    @property
    def transform(self) -> Any: ...


MatrixLike = ArrayLike | Sparse  # a frame is array-like: it has __array__
Integers = Sequence[int] | np.ndarray
Floats = Sequence[float] | np.ndarray
Seed = int | np.random.RandomState | None
Depends = Any  # what it is depends on an argument: a union would have to be told apart first
