"""A column of numbers of which some values repeat: whether it is one of these, and the rest."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skvae.tabular.monotone import EPS, chosen_map
from skvae.tabular.reading import Cells, Form
from skvae.tabular.scales import MOST, RealScale, WholeScale, in_ticks
from skvae.tabular.writing import written

__all__ = ["HurdleColumn", "spikes_of"]

# Of a number: below NEAR neighbours are one value, which rounding alone has spread; what is within
# SAME of it is that value too.
NEAR, SAME = 10 * EPS, 100 * EPS
# Rows of a value, below which it repeats by chance, as do the ages of a few people.
FEWEST = 10


def spikes_of(t, share):
    """Return the places of the first of each value that repeats, the commonest value first.

    The commonest value is one if it has at least a ``share`` of the rows, ten of them at least, and
    so is, of the rows of other values, the commonest, and so on. So is a last value in any case,
    so that what is left has several values, none of them common.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.hurdle import spikes_of
    >>> t = np.concatenate((np.arange(1.0, 61.0), np.zeros(40)))
    >>> spikes_of(t, 0.4), spikes_of(t, 0.5), spikes_of(np.ones(3), 1.0)
    ([60], [], [0])
    """
    values, first, counts = np.unique(t, return_index=True, return_counts=True)
    is_new = np.diff(values, prepend=-np.inf) > NEAR * np.abs(values)
    starts = np.flatnonzero(is_new)
    counts = np.add.reduceat(counts, starts) if len(starts) else counts
    left, spikes = len(t), []
    for place in np.argsort(-counts, kind="stable"):
        count = counts[place]
        if count < left and count < max(FEWEST, share * left):
            break
        spikes.append(int(first[starts[place]]))
        left -= count
    return spikes


@dataclass(frozen=True)
class HurdleColumn:
    """A number whose commonest values are levels, and a number where it is none of them.

    The block of levels has one for each spike, one for another value, perhaps one for holes. The
    number, the slab, is there only if training had other values; where a row has a spike it is NaN
    to ``keep`` holes, which a model that takes them does not count, else 0, its mean.
    """

    kind: str
    form: Form
    tick: int
    scale: Any  # of all values
    map: Any  # of those that are no spikes; None if there are none
    spikes: list  # the commonest first
    keep: bool
    indicator: bool

    @classmethod
    def fitted(cls, cells: Cells, numeric: str, share, keep: bool, indicator: bool) -> Self | None:
        """Return the codes of a column; None if no value of it repeats."""
        scale = (RealScale if cells.kind == "real" else WholeScale).fitted(cells)
        t = scale.forward(cells.values)
        spikes = cells.values[spikes_of(t, share)].tolist()
        if not spikes:
            return None
        column = cls(cells.kind, cells.form, cells.tick, scale, None, spikes, keep, indicator)
        slab = t[column._places(t) == len(spikes)]
        fitted = chosen_map(slab, numeric) if len(slab) else None
        return cls(cells.kind, cells.form, cells.tick, scale, fitted, spikes, keep, indicator)

    @property
    def parts(self):
        width = len(self.spikes) + 1 + self.indicator
        return [("gaussian", 1)] * self._has_slab + [("categorical", width)]

    @property
    def suffixes(self):
        levels = [f"_{value}" for value in self.values]
        return [""] * self._has_slab + levels + ["_other"] + ["_missing"] * self.indicator

    @property
    def values(self):
        """The spikes as a table has them."""
        column = written(self.kind, np.zeros(len(self.spikes), bool), self._array, self.form)
        return column.to_list() if hasattr(column, "to_list") else column.tolist()

    @property
    def _has_slab(self):
        return self.map is not None

    @property
    def _array(self):
        """The spikes as the scale returns them."""
        return np.array(self.spikes, dtype=self.scale.backward(np.zeros(1)).dtype)

    def _places(self, t):
        """Return which spike every value is, the number of spikes for none."""
        spikes = self.scale.forward(self._array)
        alike = np.abs(t[:, np.newaxis] - spikes) <= SAME * np.abs(spikes)
        return np.where(alike.any(axis=1), alike.argmax(axis=1), len(spikes))

    def encode(self, cells):
        with np.errstate(over="ignore", invalid="ignore"):  # infinity, which is another value
            t = self.scale.forward(in_ticks(cells, self.tick))
            places = self._places(t)
        n_spikes, known = len(self.spikes), ~cells.missing
        block = np.zeros((len(known), n_spikes + 1 + self.indicator))
        block[np.flatnonzero(known), places] = 1
        if self.keep:
            block[cells.missing] = np.nan
        else:
            block[cells.missing, -1 if self.indicator else 0] = 1
        if not self._has_slab:
            return block
        slab = np.full(len(known), np.nan if self.keep else 0.0)
        is_other = places == n_spikes
        with np.errstate(over="ignore"):
            z = np.clip(self.map.forward(t[is_other]), -MOST, MOST)
        slab[np.flatnonzero(known)[is_other]] = z
        return np.column_stack((slab, block))

    def decode(self, codes):
        """Return which rows are missing, and values: the mean where several levels have weights.

        Another value of a column that had none in training is the commonest one.
        """
        n_spikes = len(self.spikes)
        block = codes[:, self._has_slab :]
        missing = np.isnan(block).any(axis=1)
        block = np.where(missing[:, np.newaxis], 0.0, block)
        if self.indicator:
            missing |= block.argmax(axis=1) == n_spikes + 1
        weights = _shares(block[:, : n_spikes + 1])
        spikes = self._array
        t = weights[:, :-1] @ self.scale.forward(spikes)
        if self._has_slab:
            is_other = weights[:, -1] > 0
            missing |= is_other & np.isnan(codes[:, 0]) & (weights.argmax(axis=1) == n_spikes)
            with np.errstate(over="ignore"):
                slab = self.map.backward(np.where(np.isnan(codes[:, 0]), 0.0, codes[:, 0]))
            t[is_other] += weights[is_other, -1] * slab[is_other]
        else:
            weights[:, 0] += weights[:, -1]
            t += weights[:, -1] * self.scale.forward(spikes[:1])
        with np.errstate(over="ignore"):  # infinity, which the column's dtype then bounds
            values = self.scale.backward(t)
        is_spike = weights[:, :-1] == 1
        rows = is_spike.any(axis=1)
        values[rows] = spikes[is_spike[rows].argmax(axis=1)]
        return missing, values


def _shares(weights):
    """Return weights of any size as shares that sum to one.

    Where none is positive the greatest has all.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.hurdle import _shares
    >>> _shares(np.array([[3.0, 1.0], [-1.0, 2.0], [-2.0, -1.0]]))
    array([[0.75, 0.25],
           [0.  , 1.  ],
           [0.  , 1.  ]])
    """
    most = weights.max(axis=1, keepdims=True)
    shares = np.where(most > 0, np.clip(weights, 0, None), weights == most)
    shares /= shares.max(axis=1, keepdims=True)  # so that no sum is infinite
    return shares / shares.sum(axis=1, keepdims=True)
