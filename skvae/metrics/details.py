"""A score together with its parts."""

import numpy as np
from sklearn.utils import Bunch

from skvae._results import Result

__all__ = ["DetailedScore"]


class DetailedScore(Result, Bunch):
    """A score with its parts, as attributes and as entries of a dict.

    In the printed table, a number stands in the column "value". A vector has a row of its own, with
    one column for each entry. A matrix has one row of the table for each of its rows, with the
    row's number after the name.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.metrics import DetailedScore
    >>> DetailedScore(score=0.5, per_factor=np.array([0.25, 0.75]))
                value      0      1
    score       0.500
    per_factor         0.250  0.750
    """

    def _table(self):
        rows = [row for name, part in self.items() for row in _rows(name, part)]
        width = max(len(values) for _, _, values in rows)
        columns = [("value", [value for _, value, _ in rows])]
        for place in range(width):
            values = [row[place] if place < len(row) else None for _, _, row in rows]
            columns.append((str(place), values))
        return [label for label, _, _ in rows], columns


def _rows(name, part):
    """Yield (label, number or None, entries of the vector) for each table row of one part."""
    if isinstance(part, list) or np.ndim(part) == 2:  # a list has rows of several lengths
        for place, row in enumerate(part):
            yield f"{name} {place}", None, row
    elif np.ndim(part) == 1:
        yield name, None, part
    else:
        yield name, part, ()
