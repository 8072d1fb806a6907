"""Scale the values of a column by a unit, and bound the values that come back."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skvae.tabular.monotone import EPS
from skvae.tabular.reading import TICKS, Cells
from skvae.tabular.writing import limits_of

__all__ = ["MOST", "RealScale", "WholeScale", "ends_of", "in_ticks"]

TINIEST = np.finfo(np.float64).tiny / EPS  # for smaller x, EPS * x is not a normal float64
MOST = np.finfo(np.float64).max
# Times are rounded to one of these steps: the largest of which all training values are multiples.
STEPS = [TICKS["D"], 3600 * 10**9, 60 * 10**9, 10**9, 10**6, 10**3, 1]
EXACT = 2**62  # the difference of two 64-bit integers that are closer than this fits into 64 bits
SIGNED = ("real", "whole", "duration")  # kinds with a natural zero; the zero of dates is 1970


def ends_of(kind, form, tick, starts_at_zero):
    """Return the smallest and the largest value that codes are decoded to, in units of the column.

    They are the limits of the dtype. If the column had no negative number in training, as prices,
    counts and waiting times have none, the smallest value is 0.

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
    """t = x / unit: the largest absolute training value is 1. The inverse clips to low and high."""

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
    """t = (x - origin) / unit. The difference is computed in integers: large values stay exact.

    The origin is the median of the training values. The inverse rounds to multiples of ``step``
    from the origin, and clips to low and high.
    """

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
        with np.errstate(over="ignore"):  # infinite values are clipped
            difference = np.clip(t * self.unit, -MOST, MOST)
            difference = np.rint(difference / self.step) * self.step
        dtype = np.uint64 if self.high > np.iinfo(np.int64).max else np.int64
        last = np.nextafter(2.0 ** (64 if dtype is np.uint64 else 63), 0)
        rough = np.clip(self.origin + difference, self.low, min(self.high, last))
        values = np.clip(rough.astype(dtype), self.low, self.high)
        # If the difference fits into 64 bits, the sum is computed in integers too.
        near = np.abs(difference) < EXACT
        least, most = max(self.low - self.origin, -EXACT), min(self.high - self.origin, EXACT)
        whole = np.clip(difference[near].astype(np.int64), least, most)
        values[near] = (whole.view(np.uint64) + _modulo(self.origin)).view(dtype)
        return values


def _modulo(integer):
    """Return an integer modulo 2**64: differences are then the same for int64 and uint64."""
    return np.uint64(integer % 2**64)


def in_ticks(cells, tick):
    """Return values in another unit of time, as integers if possible."""
    if cells.tick == tick:
        return cells.values
    if cells.tick < tick:
        return cells.values / (tick // cells.tick)
    factor = cells.tick // tick
    fits = np.abs(cells.values).max(initial=0) <= np.iinfo(np.int64).max // factor
    return (cells.values if fits else cells.values.astype(np.float64)) * factor
