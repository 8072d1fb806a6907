"""Rows of a grid of factors, all of them or a random sample, and checks of numbers."""

from numbers import Integral, Real

import numpy as np

from skvae.datasets.dataset import Dataset

__all__ = ["bunch", "check_integer", "check_number", "grid_levels", "is_integer"]


def is_integer(value):
    """Return whether a value is an integer; booleans are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_integer(function, name, value, least=1):
    """Raise an error unless a value is an integer that is at least ``least``."""
    if not is_integer(value) or value < least:
        raise ValueError(
            f"{function} needs {name} to be an integer of {least} or more. Got {value!r} instead. "
            f"Give one, as in {name}={least}."
        )


def check_number(function, name, value, contains, interval):
    """Raise an error unless ``contains(value)``; ``interval`` describes the allowed range."""
    if not isinstance(value, Real) or isinstance(value, bool) or not contains(value):
        raise ValueError(
            f"{function} needs {name} to be a number in {interval}. Got {value!r} instead. Give "
            f"one in that range."
        )


def grid_levels(function, factor_sizes, n_samples, rng):
    """Return rows of a grid of factors.

    Parameters
    ----------
    function : str
        The name that error messages start with.
    factor_sizes : tuple of int
        The number of levels of each factor.
    n_samples : int or None
        The number of rows to draw uniformly from the grid. None returns each row once; the last
        factor changes fastest.
    rng : RandomState
        Only used if rows are drawn.

    Returns
    -------
    ndarray of shape (n_rows, n_factors), int64
        The level of each factor, from 0.

    Examples
    --------
    >>> from skvae.datasets.grids import grid_levels
    >>> grid_levels("make_sprites", (2, 2), None, None)
    array([[0, 0],
           [0, 1],
           [1, 0],
           [1, 1]])
    """
    n_rows = int(np.prod(factor_sizes, dtype=np.int64))
    if n_samples is None:
        rows = np.arange(n_rows)
    else:
        check_integer(function, "n_samples", n_samples)
        rows = rng.randint(n_rows, size=n_samples, dtype=np.int64)
    return np.stack(np.unravel_index(rows, factor_sizes), axis=1)


def bunch(data, factors, factor_values, factor_names, factor_sizes, image_shape, frame):
    """Return the results as a Bunch; ``images`` has no channel axis if there is one channel."""
    shape = image_shape[:2] if image_shape[2] == 1 else image_shape
    return Dataset(
        data=data,
        images=data.reshape(len(data), *shape),
        factors=factors,
        factor_values=factor_values,
        factor_names=factor_names,
        factor_sizes=factor_sizes,
        image_shape=image_shape,
        frame=frame,
    )
