"""Encode one column of numbers, booleans or levels, and decode its codes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skvae.tabular.hurdle import HurdleColumn
from skvae.tabular.monotone import Standard, chosen_map
from skvae.tabular.reading import Cells, Form
from skvae.tabular.scales import MOST, RealScale, WholeScale, in_ticks

__all__ = ["FlagColumn", "LevelsColumn", "NumberColumn", "fitted_column", "places_of"]


@dataclass(frozen=True)
class NumberColumn:
    """Numbers, dates, times, durations or periods: a scale, a monotone map, maybe an indicator.

    With ``keep``, the code of a missing value is NaN. Otherwise it is 0, the mean. With
    ``indicator``, a second code is 1 for missing values and 0 for others.
    """

    kind: str
    form: Form
    tick: int
    scale: Any
    map: Any
    keep: bool
    indicator: bool

    @classmethod
    def fitted(cls, cells: Cells, numeric: str, keep: bool, indicator: bool) -> Self:
        scale = (RealScale if cells.kind == "real" else WholeScale).fitted(cells)
        t = scale.forward(cells.values)
        fitted = chosen_map(t, numeric) if len(t) else Standard(0.0, 1.0)
        return cls(cells.kind, cells.form, cells.tick, scale, fitted, keep, indicator)

    @property
    def parts(self):
        return [("gaussian", 1)] + [("bernoulli", 1)] * self.indicator

    @property
    def suffixes(self):
        return [""] + ["_missing"] * self.indicator

    def encode(self, cells):
        with np.errstate(over="ignore"):  # infinite values are clipped below
            t = self.scale.forward(in_ticks(cells, self.tick))
            z = np.clip(self.map.forward(t), -MOST, MOST)
        return _with_holes(z, cells.missing, np.nan if self.keep else 0.0, self.indicator)

    def decode(self, codes):
        missing, z = _holes(codes, self.indicator)
        with np.errstate(over="ignore"):  # the scale clips infinite values to limits of the dtype
            return missing, self.scale.backward(self.map.backward(np.where(missing, 0.0, z)))


@dataclass(frozen=True)
class FlagColumn:
    """Booleans, coded as 0 and 1. A code above 0.5 is decoded as True.

    Missing values are coded as in :class:`NumberColumn`; here, the mean is that of the training
    values.
    """

    kind: str
    form: Form
    mean: float
    keep: bool
    indicator: bool

    @classmethod
    def fitted(cls, cells: Cells, keep: bool, indicator: bool) -> Self:
        mean = float(cells.values.mean()) if len(cells.values) else 0.0
        return cls(cells.kind, cells.form, mean, keep, indicator)

    @property
    def parts(self):
        return [("bernoulli", 1)] * (1 + self.indicator)

    @property
    def suffixes(self):
        return [""] + ["_missing"] * self.indicator

    def encode(self, cells):
        fill = np.nan if self.keep else self.mean
        return _with_holes(cells.values, cells.missing, fill, self.indicator)

    def decode(self, codes):
        missing, z = _holes(codes, self.indicator)
        return missing, z > 0.5


def _with_holes(z, missing, fill, indicator):
    """Return the codes of all rows: ``fill`` for missing values, and the indicator, if any."""
    codes = np.zeros((len(missing), 1 + indicator))
    codes[~missing, 0] = z
    codes[missing, 0] = fill
    if indicator:
        codes[:, 1] = missing
    return codes


def _holes(codes, indicator):
    """Return a mask of the missing rows, and the codes of the values."""
    missing = np.isnan(codes).any(axis=1)
    if indicator:
        missing |= codes[:, 1] > 0.5
    return missing, codes[:, 0]


@dataclass(frozen=True)
class LevelsColumn:
    """Levels, coded as a one-hot block: a column for each level that is kept, then further columns.

    The further columns are, in this order, for rare levels (if there are any), for missing values
    (with ``indicator``) and for unknown levels. With ``keep``, the whole block of a missing value
    is NaN. Without both, a missing value is coded as an unknown level.
    """

    kind: str
    form: Form
    levels: list  # the levels that are kept
    rare: list  # the most frequent level first
    places: dict  # the column of every level in the block
    n_frequent: int  # levels that are frequent enough; at most max_categories of them are kept
    keep: bool
    indicator: bool

    @classmethod
    def fitted(cls, cells: Cells, min_frequency, max_categories, keep, indicator) -> Self:
        counts: dict = {}
        for value in cells.values:
            counts[_key(value)] = counts.get(_key(value), 0) + 1
        least = min_frequency or 0
        if isinstance(least, float):
            least *= len(cells.missing)
        levels = _in_order([level for _, level in counts], cells.order)
        # The sort is stable: equally frequent levels keep their order.
        common = sorted(levels, key=lambda level: -counts[_key(level)])
        frequent = [level for level in common if counts[_key(level)] >= least]
        kept = set(map(_key, frequent[:max_categories]))
        rare = [level for level in common if _key(level) not in kept]
        levels = [level for level in levels if _key(level) in kept]
        places = places_of(levels, rare)
        return cls(cells.kind, cells.form, levels, rare, places, len(frequent), keep, indicator)

    @property
    def parts(self):
        return [("categorical", len(self.suffixes))]

    @property
    def suffixes(self):
        further = ["_rare"] * bool(self.rare) + ["_missing"] * self.indicator + ["_unknown"]
        return [f"_{level}" for level in self.levels] + further

    def encode(self, cells):
        width = len(self.suffixes)
        codes = np.zeros((len(cells.missing), width))
        places = [self.places.get(_key(value), width - 1) for value in cells.values]
        codes[np.flatnonzero(~cells.missing), np.array(places, dtype=int)] = 1
        if self.keep:
            codes[cells.missing] = np.nan
        else:
            codes[cells.missing, width - 1 - self.indicator] = 1
        return codes

    def decode(self, codes):
        named = [*self.levels, *self.rare[:1]]
        lookup = np.empty(codes.shape[1], dtype=object)
        lookup[: len(named)] = named
        # argmax treats NaN as the largest value. A row with NaN is missing.
        places = np.where(np.isnan(codes).any(axis=1), codes.shape[1] - 1, codes.argmax(axis=1))
        return places >= len(named), lookup[places]


def places_of(levels, rare):
    """Return the column of every level in its block, by the key of the level."""
    places = {_key(level): place for place, level in enumerate(levels)}
    return places | dict.fromkeys(map(_key, rare), len(levels))


def _key(level):
    """Return the key of a level. It distinguishes True from 1, which Python calls equal."""
    return isinstance(level, bool | np.bool_), level


def _in_order(levels, order):
    """Return levels in the order of their dtype, or else sorted, or else as they appeared."""
    if order is not None:
        places = {_key(level): place for place, level in enumerate(order)}
        return sorted(levels, key=lambda level: places[_key(level)])
    try:
        return sorted(levels)
    except TypeError:  # levels of different types cannot be sorted
        return levels


def fitted_column(cells, *, numeric, spike_share, min_frequency, max_categories, missing):
    """Return the encoder of a column, fitted to its cells."""
    holes = missing == "keep", missing == "indicator" and bool(cells.missing.any())
    if cells.kind == "flag":
        return FlagColumn.fitted(cells, *holes)
    if cells.kind == "levels":
        return LevelsColumn.fitted(cells, min_frequency, max_categories, *holes)
    hurdle = HurdleColumn.fitted(cells, numeric, spike_share, *holes)
    return hurdle or NumberColumn.fitted(cells, numeric, *holes)
