"""One column and its codes: numbers, flags and levels, each with what undoes it."""

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
    """A number, a date, a time or a duration: a scale, a monotone map, perhaps an indicator.

    Codes of holes are NaN to ``keep`` them, else 0, the mean, beside an ``indicator`` of them.
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
        with np.errstate(over="ignore"):  # infinity, which is then the last code
            t = self.scale.forward(in_ticks(cells, self.tick))
            z = np.clip(self.map.forward(t), -MOST, MOST)
        return _with_holes(z, cells.missing, np.nan if self.keep else 0.0, self.indicator)

    def decode(self, codes):
        missing, z = _holes(codes, self.indicator)
        with np.errstate(over="ignore"):  # infinity, which the column's dtype then bounds
            return missing, self.scale.backward(self.map.backward(np.where(missing, 0.0, z)))


@dataclass(frozen=True)
class FlagColumn:
    """A boolean: 0 or 1, holes as in a column of numbers; back it is whether it exceeds a half."""

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
    """Return codes of all rows, holes filled, and their indicator."""
    codes = np.zeros((len(missing), 1 + indicator))
    codes[~missing, 0] = z
    codes[missing, 0] = fill
    if indicator:
        codes[:, 1] = missing
    return codes


def _holes(codes, indicator):
    """Return which rows are missing, and the codes of the values."""
    missing = np.isnan(codes).any(axis=1)
    if indicator:
        missing |= codes[:, 1] > 0.5
    return missing, codes[:, 0]


@dataclass(frozen=True)
class LevelsColumn:
    """A level: a column for every level kept, then for rare, missing and unknown ones.

    Holes are NaN throughout to ``keep`` them; else they have the column of missing ones where
    training had such (``indicator``), and otherwise are unknown.
    """

    kind: str
    form: Form
    levels: list  # those kept
    rare: list  # the commonest first
    places: dict  # of the column of every level
    n_frequent: int  # levels that are frequent enough, of which the commonest are kept
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
        # A stable sort: of equally common levels the first in order comes first.
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
        # A NaN is the greatest to argmax: such a row is missing.
        places = np.where(np.isnan(codes).any(axis=1), codes.shape[1] - 1, codes.argmax(axis=1))
        return places >= len(named), lookup[places]


def places_of(levels, rare):
    """Return the column of every level in its block, by what tells levels apart."""
    places = {_key(level): place for place, level in enumerate(levels)}
    return places | dict.fromkeys(map(_key, rare), len(levels))


def _key(level):
    """Return what tells levels apart: True is not 1."""
    return isinstance(level, bool | np.bool_), level


def _in_order(levels, order):
    """Return levels in the order of their dtype, else sorted, else as they appeared."""
    if order is not None:
        places = {_key(level): place for place, level in enumerate(order)}
        return sorted(levels, key=lambda level: places[_key(level)])
    try:
        return sorted(levels)
    except TypeError:  # levels of several types
        return levels


def fitted_column(cells, *, numeric, spike_share, min_frequency, max_categories, missing):
    """Return the codes of a column, fitted to its cells."""
    holes = missing == "keep", missing == "indicator" and bool(cells.missing.any())
    if cells.kind == "flag":
        return FlagColumn.fitted(cells, *holes)
    if cells.kind == "levels":
        return LevelsColumn.fitted(cells, min_frequency, max_categories, *holes)
    hurdle = HurdleColumn.fitted(cells, numeric, spike_share, *holes)
    return hurdle or NumberColumn.fitted(cells, numeric, *holes)
