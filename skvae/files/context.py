"""State of a file being written or read: its arrays, its sizes, and the names it may import."""

import pkgutil
from contextlib import contextmanager

from skvae.files.errors import SavingError, refusal

__all__ = ["Reading", "Writing", "name_of"]


class Writing:
    """The content of a file that is being written.

    Parameters
    ----------
    kinds : dict of {str: Kind}
        The types of values that can be written, such as :data:`skvae.files.values.PLAIN`.
    write_part : callable, default=None
        Writes an estimator: (estimator, file, place) -> JSON content. None if there are none.

    Attributes
    ----------
    arrays : dict of {str: ndarray}
        The arrays by their places.
    """

    def __init__(self, kinds, write_part=None):
        self.kinds, self.arrays, self._write_part = kinds, {}, write_part

    def add(self, array, place):
        """Add an array under the name of its place."""
        if place in self.arrays:
            raise SavingError(
                f"A file keeps one array for each place. Got two for {place} instead. Use other "
                f"names, without dots."
            )
        self.arrays[place] = array

    def write_part(self, estimator, place):
        """Write an estimator that is part of another one; return its JSON content."""
        return self._write_part(estimator, self, place)


class Reading:
    """The content of a file that is being read.

    Parameters
    ----------
    kinds : dict of {str: Kind}
        The types of values, as they were when the file was written.
    arrays : dict of {str: ndarray}
        The arrays of the file; each one is taken once.
    read_part : callable, default=None
        Reads an estimator: (node, file, place) -> estimator. None if there are none.
    trusted : collection of str, default=()
        Names that may be imported.

    Attributes
    ----------
    n_entries : int
        Total number of entries of all arrays. A valid file never names a larger size.
    sizes : dict of {str: int}
        Sizes of the current estimator that are already known, by name.
    """

    def __init__(self, kinds, arrays, read_part=None, trusted=()):
        self.kinds = kinds
        self.n_entries = sum(array.size for array in arrays.values())
        self.arrays, self.trusted, self.sizes = dict(arrays), frozenset(trusted), {}
        self._read_part = read_part

    def take(self, place):
        """Return the array of a place."""
        if place not in self.arrays:
            raise refusal(place, "an array", "none")
        return self.arrays.pop(place)

    def read_part(self, node, place):
        """Return an estimator that is part of another one."""
        with self.own_sizes():
            return self._read_part(node, self, place)

    @contextmanager
    def own_sizes(self):
        """Start with no known sizes, and restore the earlier ones at the end."""
        before, self.sizes = self.sizes, {}
        yield
        self.sizes = before

    def agree(self, size, name, place):
        """Record a size, or raise an error if it differs from the value found earlier."""
        known = self.sizes.setdefault(name, size)
        if known != size:
            raise refusal(place, f"{name}={known} as elsewhere", f"{size}")

    def check_trusted(self, name, place):
        """Raise an error for a name that the caller has not listed as trusted."""
        if name not in self.trusted:
            raise SavingError(
                f"The file's {place} is code by name, which load imports only if it is trusted. "
                f"Got {name!r}, which is not in trusted={sorted(self.trusted)}, instead. Add it if "
                f"you trust what it names."
            )

    def resolve(self, name, place):
        """Return the class or function that a trusted name refers to."""
        if not isinstance(name, str):
            raise refusal(place, "a name", name)
        self.check_trusted(name, place)
        try:
            return pkgutil.resolve_name(name)
        except (ImportError, AttributeError, ValueError) as error:
            raise SavingError(
                f"The file's {place} must be importable here. Got {name!r}, and from its import: "
                f"{error}, instead. Make its module importable."
            ) from error


def name_of(function, place):
    """Return the name by which a function or class can be imported again.

    Examples
    --------
    >>> from torch import nn
    >>> from skvae.files.context import name_of
    >>> name_of(nn.Linear, "encoder")
    'torch.nn.modules.linear.Linear'
    """
    module, qualified = (getattr(function, key, None) for key in ("__module__", "__qualname__"))
    name = f"{module}.{qualified}"
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not function:
        raise SavingError(
            f"A file keeps a function or class by the name that imports it. Got {place}="
            f"{function!r}, which has none, instead. Define it at the top level of a module."
        )
    return name
