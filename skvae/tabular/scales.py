"""Units that the values of a column are divided by, and bounds that they come back within."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skvae.tabular.monotone import EPS
from skvae.tabular.reading import TICKS, Cells
from skvae.tabular.writing import limits_of

__all__ = ["MOST", "RealScale", "WholeScale", "ends_of", "in_ticks"]

TINIEST = np.finfo(np.float64).tiny / EPS  # below it a share of the largest value is rounding
MOST = np.finfo(np.float64).max
# Times are rounded to the coarsest of these that all training values are multiples of.
STEPS = [TICKS["D"], 3600 * 10**9, 60 * 10**9, 10**9, 10**6, 10**3, 1]
EXACT = 2**62  # two integers of 64 bits that are closer than this have a difference of 64 bits
SIGNED = ("real", "whole", "duration")  # the kinds whose zero means nothing, and not 1970


def ends_of(kind, form, tick, starts_at_zero):
    """Return the least and the greatest value that a column comes back with, in its units.

    They are those of its dtype; of what had no negative number the least is zero, as of prices,
    counts and times to wait.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.reading import Form
    >>> from skvae.tabular.scales import ends_of
    >>> ends_of("whole", Form("numpy", np.dtype(np.int8)), 1, starts_at_zero=True)
    (0, 127)
    """
    low, high = limits_of(kind, form, tick)
    return (max(low, 0) if starts_at_zero else low), high


def _has_no_negative(cells):
    return bool(cells.kind in SIGNED and len(cells.values) and cells.values.min() >= 0)


@dataclass(frozen=True)
class RealScale:
    """t = x / unit, the largest training value being 1 in size; back to within its ends."""

    unit: float
    starts_at_zero: bool
    low: float
    high: float

    @classmethod
    def fitted(cls, cells: Cells) -> Self:
        starts_at_zero = _has_no_negative(cells)
        low, high = ends_of(cells.kind, cells.form, cells.tick, starts_at_zero)
        unit = np.abs(cells.values).max(initial=0).astype(np.float64)
        return cls(float(unit) if unit > TINIEST else 1.0, starts_at_zero, float(low), float(high))

    def forward(self, values):
        with np.errstate(over="ignore", under="ignore"):
            t = values.astype(np.float64) / self.unit
        return np.where(np.abs(t) < TINIEST, 0.0, t)

    def backward(self, t):
        with np.errstate(over="ignore", under="ignore"):
            return np.clip(t * self.unit, self.low, self.high)


@dataclass(frozen=True)
class WholeScale:
    """t = (x - origin) / unit, the difference taken in integers, so that large ones are exact."""

    origin: int
    unit: float
    step: int
    starts_at_zero: bool
    low: int
    high: int

    @classmethod
    def fitted(cls, cells: Cells) -> Self:
        values = cells.values
        starts_at_zero = _has_no_negative(cells)
        low, high = ends_of(cells.kind, cells.form, cells.tick, starts_at_zero)
        origin = int(np.sort(values)[len(values) // 2]) if len(values) else 0
        step = 1
        if cells.kind not in ("real", "whole", "period"):
            steps = [each // cells.tick for each in STEPS if each >= cells.tick]
            step = next(each for each in steps if not (values % each).any())
        scale = cls(origin, 1.0, step, starts_at_zero, int(low), int(high))
        unit = np.abs(scale.forward(values)).max(initial=0)
        return replace(scale, unit=float(unit) or float(step))

    def forward(self, values):
        difference = values.astype(np.float64) - float(self.origin)
        if values.dtype.kind in "iu":
            near = np.abs(difference) < EXACT
            exact = values[near].astype(np.uint64) - _modulo(self.origin)
            difference[near] = exact.view(np.int64)
        return difference / self.unit

    def backward(self, t):
        with np.errstate(over="ignore"):  # infinity, which the ends then bound
            difference = np.clip(t * self.unit, -MOST, MOST)
            difference = np.rint(difference / self.step) * self.step
        dtype = np.uint64 if self.high > np.iinfo(np.int64).max else np.int64
        last = np.nextafter(2.0 ** (64 if dtype is np.uint64 else 63), 0)
        rough = np.clip(self.origin + difference, self.low, min(self.high, last))
        values = np.clip(rough.astype(dtype), self.low, self.high)
        # The sum is of integers, as the difference was, where they have 64 bits.
        near = np.abs(difference) < EXACT
        least, most = max(self.low - self.origin, -EXACT), min(self.high - self.origin, EXACT)
        whole = np.clip(difference[near].astype(np.int64), least, most)
        values[near] = (whole.view(np.uint64) + _modulo(self.origin)).view(dtype)
        return values


def _modulo(integer):
    """Return an integer modulo 2**64, so that differences do not depend on signs of types."""
    return np.uint64(integer % 2**64)


def in_ticks(cells, tick):
    """Return the values of times in units of another length, in integers where they can be."""
    if cells.tick == tick:
        return cells.values
    if cells.tick < tick:
        return cells.values / (tick // cells.tick)
    factor = cells.tick // tick
    fits = np.abs(cells.values).max(initial=0) <= np.iinfo(np.int64).max // factor
    return (cells.values if fits else cells.values.astype(np.float64)) * factor
