"""The layout of a table inside a network: the order of the columns, and one-hot blocks."""

from typing import NamedTuple

import torch
from torch import nn

__all__ = ["COUNTS", "KINDS", "ColumnLayout", "Part"]

# Inside a network the columns are in this order of their kinds.
KINDS = (
    "gaussian",
    "bernoulli",
    "continuous-bernoulli",
    "poisson",
    "negative-binomial",
    "categorical",
)
COUNTS = ("poisson", "negative-binomial")


class Part(NamedTuple):
    """Columns of one kind.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    columns : tuple of int
        Indices of the columns in a row of X. All columns of a "categorical" are one variable.
    levels : tuple of float, default=()
        The sorted values of a "categorical" that is a single column of codes.
    """

    kind: str
    columns: tuple[int, ...]
    levels: tuple[float, ...] = ()


class ColumnLayout(nn.Module):
    """Convert rows of X to the expanded rows of a network, and back.

    Expanded rows are sorted by kind, and columns of codes are one-hot blocks. Within a kind, the
    order is that of the parts, so that a network does not depend on the order of the columns in X.
    A missing value is NaN in both forms. In a one-hot block, all columns are NaN.

    Parameters
    ----------
    parts : sequence of Part
        The parts. Every column of X is in exactly one of them.
    takes_holes : bool, default=False
        Whether rows may have missing values. If so, ``never`` marks the columns without any
        observed value in training. They count as missing in all rows.

    Attributes
    ----------
    slices : dict of {str: slice}
        The expanded columns of each kind.
    blocks : list of slice
        The columns of each categorical variable, counted from the first categorical column.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.layout import ColumnLayout, Part
    >>> layout = ColumnLayout([Part("categorical", (0,), (2.0, 5.0)), Part("gaussian", (1,))])
    >>> layout.expand(torch.tensor([[5.0, 0.3]]))
    tensor([[0.3000, 0.0000, 1.0000]])
    """

    def __init__(self, parts, *, takes_holes=False):
        super().__init__()
        self.takes_holes = takes_holes
        ordered = sorted(parts, key=lambda part: (KINDS.index(part.kind), len(part.levels) > 0))
        sources, levels, starts, self.blocks = [], [], {}, []
        for part in ordered:
            first = starts.setdefault(part.kind, len(sources))
            sources += part.columns * max(1, len(part.levels))
            levels += part.levels
            if part.kind == "categorical":
                before = self.blocks[-1].stop if self.blocks else 0
                self.blocks.append(slice(before, len(sources) - first))
        self.n_features = sum(len(part.columns) for part in parts)
        self.n_columns = len(sources)
        self.n_plain = len(sources) - len(levels)
        ends = [*list(starts.values())[1:], self.n_columns]
        self.slices = {
            kind: slice(start, end) for (kind, start), end in zip(starts.items(), ends, strict=True)
        }
        self.in_order = sources == list(range(self.n_features)) and not levels
        if takes_holes:
            self.register_buffer("never", torch.zeros(self.n_features, dtype=torch.bool))
        self.register_buffer("source", torch.tensor(sources), persistent=False)
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float32), persistent=False)

    @property
    def n_variables(self):
        """Number of variables: a one-hot block counts as one column."""
        first = self.slices.get("categorical", slice(self.n_columns, None)).start
        return first + len(self.blocks)

    def expand(self, x):
        """Return rows of X, (n_samples, n_features), as expanded rows, (n_samples, n_columns).

        A code that is not one of the levels becomes a block of zeros.
        """
        if self.takes_holes and self.never.any():
            x = x.masked_fill(self.never, torch.nan)
        if self.in_order:
            return x
        expanded = x.index_select(1, self.source)
        if len(self.levels):
            codes = expanded[:, self.n_plain :]
            hot = (codes == self.levels).to(codes)
            expanded[:, self.n_plain :] = torch.where(torch.isnan(codes), codes, hot)
        return expanded

    def split(self, x):
        """Return expanded rows with zeros for NaN, and a mask of NaN, which is None without NaN.

        Examples
        --------
        >>> import torch
        >>> from skvae.nn.layout import ColumnLayout, Part
        >>> layout = ColumnLayout([Part("gaussian", (0, 1))], takes_holes=True)
        >>> layout.split(torch.tensor([[2.0, torch.nan]]))
        (tensor([[2., 0.]]), tensor([[False,  True]]))
        """
        x = self.expand(x)
        holes = torch.isnan(x) if self.takes_holes else None
        return (x.masked_fill(holes, 0), holes) if self.takes_holes and holes.any() else (x, None)

    def observed(self, x):
        """Return expanded rows with zeros for NaN, and ones for observed values in the dtype of x.

        The second is None without NaN. A product with it takes a tenth of the time of filling by a
        boolean mask.

        Examples
        --------
        >>> import torch
        >>> from skvae.nn.layout import ColumnLayout, Part
        >>> layout = ColumnLayout([Part("gaussian", (0, 1))], takes_holes=True)
        >>> layout.observed(torch.tensor([[2.0, torch.nan]]))
        (tensor([[2., 0.]]), tensor([[1., 0.]]))
        """
        x = self.expand(x)
        if not self.takes_holes or not torch.isnan(x.sum()):  # faster than a look at every entry
            return x, None
        known = torch.eq(x, x, out=torch.empty_like(x))
        return torch.nan_to_num(x, 0.0, torch.inf, -torch.inf), known

    def inputs(self, expanded):
        """Return the input of an encoder for expanded rows: counts x become log(1 + x)."""
        counts = [self.slices[kind] for kind in COUNTS if kind in self.slices]
        if not counts:
            return expanded
        first, last = counts[0].start, counts[-1].stop
        logs = torch.log1p(expanded[:, first:last])
        return torch.cat((expanded[:, :first], logs, expanded[:, last:]), 1)

    def collect(self, expanded):
        """Return expanded rows as rows of X. A block of codes becomes its most probable level."""
        if self.in_order:
            return expanded
        rows = expanded.new_empty(len(expanded), self.n_features)
        rows[:, self.source[: self.n_plain]] = expanded[:, : self.n_plain]
        first = self.slices["categorical"].start if self.blocks else self.n_columns
        for block in self.blocks:
            start, stop = first + block.start, first + block.stop
            if start >= self.n_plain:
                levels = self.levels[start - self.n_plain : stop - self.n_plain]
                rows[:, self.source[start]] = levels[expanded[:, start:stop].argmax(1)]
        return rows

    def summed(self, expanded):
        """Return values of expanded columns, summed over blocks, as (n_samples, n_features)."""
        if self.in_order:
            return expanded
        sums = expanded.new_zeros(len(expanded), self.n_features)
        return sums.index_add_(1, self.source, expanded)
