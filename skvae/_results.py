"""Results that print as small tables, and turn into frames by one word."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skvae._frames import import_pandas

__all__ = ["Result", "ResultColumns", "printed"]

MOST_LINES = 20  # of what is printed: half a terminal
MOST_WIDTH = 100  # characters
WIDEST_CELL = 38  # characters; the labels, two columns of text and what is between them fit
BETWEEN = "  "
MOST_COLUMNS = MOST_WIDTH // (1 + len(BETWEEN))  # of one character each
LEFT_OUT = "..."
DECIMALS = 3
LEAST_FIXED, MOST_FIXED = 0.1, 1e6  # between them the greatest number of a column shows its digits


class Result(ABC):
    """What a function has found: it prints as a small table, and ``to_frame`` has all of it."""

    @abstractmethod
    def _table(self) -> tuple[Sequence | None, list[tuple[str, Sequence]]]:
        """Return the labels of the rows, or None, and the columns with their names."""

    def to_frame(self) -> Any:
        """Return the table as a frame of pandas.

        Returns
        -------
        DataFrame
            All rows and columns of what is printed, unrounded.

        Raises
        ------
        ImportError
            If there is no pandas.
        """
        pandas = import_pandas(f"{type(self).__name__}.to_frame", "a frame")
        labels, columns = self._table()
        frame = pandas.DataFrame(
            {place: values for place, (_, values) in enumerate(columns)}, index=labels
        )
        frame.columns = [name for name, _ in columns]
        return frame

    def __repr__(self):
        """Return the table, of many rows and columns the first and the last."""
        return printed(*self._table())


class ResultColumns(Result, Bunch):
    """Columns of equal length by their names, as attributes and as entries of a dict."""

    _labels: str | None = None  # the entry whose values are the labels of the rows

    def _table(self):
        labels = None if self._labels is None else self[self._labels]
        return labels, [(name, values) for name, values in self.items() if name != self._labels]


def printed(labels, columns):
    """Return a table as text, of at most 20 lines of at most 100 characters.

    Rows and columns in the middle make room for "...". Text stands on the left of its column and
    numbers on the right.

    Parameters
    ----------
    labels : sequence or None
        Of the rows; None for none.
    columns : list of (str, sequence)
        Their names and values. None is a cell that is empty.

    Returns
    -------
    str

    Examples
    --------
    >>> from skvae._results import printed
    >>> print(printed(None, [("name", ["a", "b"]), ("nats", [0.25, 10])]))
    name   nats
    a     0.250
    b        10
    """
    n_rows = len(columns[0][1] if labels is None else labels)
    rows = _ends(n_rows, n_rows if n_rows < MOST_LINES else MOST_LINES - 2)
    texts = {None: [LEFT_OUT] * (1 + len(rows))}
    beside = []
    if labels is not None:
        beside = [_cells("", {row: str(labels[row]) for row in rows if row is not None}, rows)]
    for n_shown in range(min(len(columns), MOST_COLUMNS), 0, -1):
        places = _ends(len(columns), n_shown)
        for place in places:
            if place not in texts:
                texts[place] = _cells(*columns[place], rows)
        shown = [*beside, *(texts[place] for place in places)]
        if sum(len(cells[0]) + len(BETWEEN) for cells in shown) <= MOST_WIDTH + len(BETWEEN):
            break
    return "\n".join(BETWEEN.join(line).rstrip() for line in zip(*shown, strict=True))


def _ends(n, n_shown):
    """Return the first and the last of n places, and where others are left out None between."""
    if n_shown >= n:
        return list(range(n))
    n_last = n_shown // 2
    return [*range(n_shown - n_last), None, *range(n - n_last, n)]


def _cells(name, values, rows):
    """Return the cells of a column, its name first, all as wide as the widest."""
    values = [LEFT_OUT if row is None else values[row] for row in rows]
    sizes = [abs(value) for value in values if _is_float(value) and np.isfinite(value)]
    is_fixed = LEAST_FIXED <= max(sizes, default=1.0) < MOST_FIXED or not any(sizes)
    style = f".{DECIMALS}{'f' if is_fixed else 'g'}"
    texts = [_line(name), *(_text(value, style) for value in values)]
    width = max(map(len, texts))
    numbers = all(isinstance(value, Real) or value in (None, LEFT_OUT) for value in values)
    return [text.rjust(width) if numbers else text.ljust(width) for text in texts]


def _is_float(value):
    return isinstance(value, Real) and not isinstance(value, Integral)


def _text(value, style):
    if value is None:
        return ""
    return format(float(value), style) if _is_float(value) else _line(value)


def _line(value):
    """Return a value as text of one line, cut at its end where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - len(LEFT_OUT)] + LEFT_OUT
