"""What makers and readers of data return: scikit-learn's Bunch, printed as a small table."""

import numpy as np
from sklearn.utils import Bunch

from skvae._results import printed

__all__ = ["Dataset"]


class Dataset(Bunch):
    """Data by their names, as attributes and as entries of a dict.

    Of an array or a frame it prints the type and the shape, of all else the value: a ``Bunch``
    prints every number.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.datasets.dataset import Dataset
    >>> Dataset(data=np.zeros((3, 4)), image_shape=(2, 2, 1), frame=None)
                 type     shape   value
    data         float64  (3, 4)
    image_shape  tuple            (2, 2, 1)
    frame        None
    """

    def __repr__(self):
        """Return a line for each entry, of many the first and the last."""
        cells = [_cells(value) for value in self.values()]
        names = ("type", "shape", "value")
        columns = [(name, [row[place] for row in cells]) for place, name in enumerate(names)]
        return printed(list(self), columns)


def _cells(value):
    """Return the type, the shape or None, and the value, or None of what is an array or None."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, None
    name = type(value).__name__
    if hasattr(value, "shape"):  # a frame's
        return name, value.shape, None
    if value is None:
        return "None", None, None
    return name, None, value
