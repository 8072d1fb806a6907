"""Results that print as small tables, and that ``to_frame`` converts to DataFrames."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skvae._frames import import_pandas

__all__ = ["Result", "ResultColumns", "printed"]

MOST_LINES = 20  # lines of a printed table: half a terminal
MOST_WIDTH = 100  # characters of a line
WIDEST_CELL = 38  # characters: a line holds the labels and two columns of text
BETWEEN = "  "
MOST_COLUMNS = MOST_WIDTH // (1 + len(BETWEEN))  # if each has one character
LEFT_OUT = "..."
DECIMALS = 3
# If the largest number of a column lies between these two, the column has a fixed number of
# decimals. Otherwise it has a fixed number of digits.
LEAST_FIXED, MOST_FIXED = 0.1, 1e6


class Result(ABC):
    """The result of a function. It prints as a small table; ``to_frame`` returns all of it."""

    @abstractmethod
    def _table(self) -> tuple[Sequence | None, list[tuple[str, Sequence]]]:
        """Return the labels of the rows, or None, and a list of (name, values of a column)."""

    def to_frame(self) -> Any:
        """Return the table as a pandas DataFrame.

        Returns
        -------
        DataFrame
            All rows and columns of the table, without rounding.

        Raises
        ------
        ImportError
            If pandas cannot be imported.
        """
        pandas = import_pandas(f"{type(self).__name__}.to_frame", "a frame")
        labels, columns = self._table()
        frame = pandas.DataFrame(
            {place: values for place, (_, values) in enumerate(columns)}, index=labels
        )
        frame.columns = [name for name, _ in columns]
        return frame

    def __repr__(self):
        """Return the table as text. If it is large, only its first and last rows and columns."""
        return printed(*self._table())


class ResultColumns(Result, Bunch):
    """Named columns of equal length, which are attributes and also entries of a dict."""

    _labels: str | None = None  # the entry whose values are the labels of the rows

    def _table(self):
        labels = None if self._labels is None else self[self._labels]
        return labels, [(name, values) for name, values in self.items() if name != self._labels]


def printed(labels, columns):
    """Return a table as text, with at most 20 lines of at most 100 characters.

    If the table is larger, "..." replaces the rows and columns in the middle. Text is aligned to
    the left and numbers to the right.

    Parameters
    ----------
    labels : sequence or None
        Labels of the rows. None prints no labels.
    columns : list of (str, sequence)
        Names and values of the columns. The value None prints an empty cell.

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
    """Return ``n_shown`` of the integers below n: the first and the last ones.

    If integers are left out, None stands in their place.
    """
    if n_shown >= n:
        return list(range(n))
    n_last = n_shown // 2
    return [*range(n_shown - n_last), None, *range(n - n_last, n)]


def _cells(name, values, rows):
    """Return the name and the values of a column as text, all padded to the same width."""
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
    """Return a value as one line of text, cut at the end if it is too long."""
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST_CELL else text[: WIDEST_CELL - len(LEFT_OUT)] + LEFT_OUT
