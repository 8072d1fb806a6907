"""Where the columns of a table are among the numbers that a network reads and returns."""

from typing import NamedTuple

import torch
from torch import nn

__all__ = ["COUNTS", "KINDS", "ColumnLayout", "Part"]

# In this order they lie beside each other inside a network.
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
        Their places in a row. Those of a "categorical" are one variable.
    levels : tuple of float, default=()
        The values, in order, of a "categorical" that is one column of codes.
    """

    kind: str
    columns: tuple[int, ...]
    levels: tuple[float, ...] = ()


class ColumnLayout(nn.Module):
    """Rows as they are given, and as a network has them: kind by kind, codes as one-hot blocks.

    Within a kind the order is that of the parts, so that a network does not depend on the order of
    the columns in X. A missing value is NaN in both; in a one-hot block it fills the block.

    Parameters
    ----------
    parts : sequence of Part
        Every column in exactly one.
    takes_holes : bool, default=False
        Whether there may be columns of which training observes nothing: ``never``, missing in all
        rows ever after.

    Attributes
    ----------
    slices : dict of {str: slice}
        The places of every kind that there is.
    blocks : list of slice
        The places of every categorical variable, from the first of that kind on.

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
        """Number of columns, those of a one-hot block counted as one."""
        first = self.slices.get("categorical", slice(self.n_columns, None)).start
        return first + len(self.blocks)

    def expand(self, x):
        """Return rows of X, (n_samples, n_features), as a network has them, (n_samples, n_columns).

        A code that is not among the levels becomes a block of zeros.
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
        """Return expanded rows with zeros for NaN, and where those are; None where there are none.

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
        """Return what :meth:`split` does, but ones where something was observed, in x's dtype.

        Products with them cost a tenth of what filling by a mask does.

        Examples
        --------
        >>> import torch
        >>> from skvae.nn.layout import ColumnLayout, Part
        >>> layout = ColumnLayout([Part("gaussian", (0, 1))], takes_holes=True)
        >>> layout.observed(torch.tensor([[2.0, torch.nan]]))
        (tensor([[2., 0.]]), tensor([[1., 0.]]))
        """
        x = self.expand(x)
        if not self.takes_holes or not torch.isnan(x.sum()):  # sooner known than of every entry
            return x, None
        known = torch.eq(x, x, out=torch.empty_like(x))
        return torch.nan_to_num(x, 0.0, torch.inf, -torch.inf), known

    def inputs(self, expanded):
        """Return what an encoder reads of expanded rows: of counts the logarithm of one more."""
        counts = [self.slices[kind] for kind in COUNTS if kind in self.slices]
        if not counts:
            return expanded
        first, last = counts[0].start, counts[-1].stop
        logs = torch.log1p(expanded[:, first:last])
        return torch.cat((expanded[:, :first], logs, expanded[:, last:]), 1)

    def collect(self, expanded):
        """Return expanded rows as rows of X; of a block made of codes the level with the most."""
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
        """Return sums of what is of expanded columns, (n_samples, n_features)."""
        if self.in_order:
            return expanded
        sums = expanded.new_zeros(len(expanded), self.n_features)
        return sums.index_add_(1, self.source, expanded)
