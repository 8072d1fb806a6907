"""Encode a column of numbers in which some values repeat: these values, and all others."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skvae.tabular.monotone import EPS, chosen_map
from skvae.tabular.reading import Cells, Form
from skvae.tabular.scales import MOST, RealScale, WholeScale, in_ticks
from skvae.tabular.writing import written

__all__ = ["HurdleColumn", "spikes_of"]

# Relative differences. Neighbours that differ by NEAR or less are one value that rounding has
# spread. A number within SAME of a spike is that spike.
NEAR, SAME = 10 * EPS, 100 * EPS
# A value with fewer rows may repeat by chance, for example the age of a few people.
FEWEST = 10


def spikes_of(t, share):
    """Return the index of the first occurrence of each common value, the most frequent value first.

    The most frequent value is common if it has at least a ``share`` of the rows, and at least ten
    rows. The same rule is then applied to the rows with other values, again and again. A value that
    all remaining rows have is always common. So the remaining rows have several values, none of
    them common, or there are none.

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
    """Numbers with common values, the spikes: a one-hot block, and a number for other values.

    The block has one column for each spike, one for all other values, and with ``indicator`` one
    for missing values. The number is called the slab. It comes first, and only exists if training
    had other values. In a row with a spike, the slab is NaN with ``keep``: a model with missing
    values ignores it there. Otherwise it is 0, its mean.
    """

    kind: str
    form: Form
    tick: int
    scale: Any  # fitted to all values
    map: Any  # fitted to the values that are no spikes; None if there are none
    spikes: list  # the most frequent value first
    keep: bool
    indicator: bool

    @classmethod
    def fitted(cls, cells: Cells, numeric: str, share, keep: bool, indicator: bool) -> Self | None:
        """Return the encoder of a column, or None if the column has no common value."""
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
        """The spikes as Python values, as they are in a table."""
        column = written(self.kind, np.zeros(len(self.spikes), bool), self._array, self.form)
        return column.to_list() if hasattr(column, "to_list") else column.tolist()

    @property
    def _has_slab(self):
        return self.map is not None

    @property
    def _array(self):
        """The spikes in the dtype that the scale returns."""
        return np.array(self.spikes, dtype=self.scale.backward(np.zeros(1)).dtype)

    def _places(self, t):
        """Return the index of each value among the spikes; for other values, their number."""
        spikes = self.scale.forward(self._array)
        alike = np.abs(t[:, np.newaxis] - spikes) <= SAME * np.abs(spikes)
        return np.where(alike.any(axis=1), alike.argmax(axis=1), len(spikes))

    def encode(self, cells):
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite value is no spike
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
        """Return a mask of the missing rows, and the values.

        If several columns of the block are positive, the value is their weighted mean. If training
        had no other values than the spikes, "another value" is decoded as the most frequent spike.
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
        with np.errstate(over="ignore"):  # the scale clips infinite values to limits of the dtype
            values = self.scale.backward(t)
        is_spike = weights[:, :-1] == 1
        rows = is_spike.any(axis=1)
        values[rows] = spikes[is_spike[rows].argmax(axis=1)]
        return missing, values


def _shares(weights):
    """Return weights of any size as shares that sum to one in each row.

    Negative weights count as 0. If no weight is positive, the largest gets the whole share.

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
    shares /= shares.max(axis=1, keepdims=True)  # keeps the sum finite
    return shares / shares.sum(axis=1, keepdims=True)
