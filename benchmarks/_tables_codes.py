"""Tables encoded as numbers for the imputers of scikit-learn, and decoded again."""

import numpy as np
from _tables_data import categories_of, numbers_of

__all__ = ["OneHotCodes", "OrdinalCodes"]


class _Codes:
    """Standardised numbers, then codes of the categories. Missing values are NaN.

    Parameters
    ----------
    table : DataFrame
        It may have missing values. Means, standard deviations and levels are those of the other
        values.
    """

    def __init__(self, table):
        self.table = table
        self.numbers, self.categories = numbers_of(table), categories_of(table)
        values = table[self.numbers].to_numpy(float)
        self.mean, spread = np.nanmean(values, 0), np.nanstd(values, 0)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.levels = [sorted(table[name].dropna().unique()) for name in self.categories]

    def encode(self):
        """Return the table as floats."""
        values = (self.table[self.numbers].to_numpy(float) - self.mean) / self.spread
        return np.hstack([values, *map(self._codes_of, self.categories, self.levels)])

    def decode(self, codes):
        """Return the table for imputed codes."""
        filled = self.table.copy()
        values = codes[:, : len(self.numbers)] * self.spread + self.mean
        for place, name in enumerate(self.numbers):
            filled[name] = values[:, place]
        start = len(self.numbers)
        for name, levels in zip(self.categories, self.levels, strict=True):
            width = self._width(levels)
            places = self._places_of(codes[:, start : start + width], levels)
            filled[name] = np.array(levels, dtype=object)[places]
            start += width
        return filled


class OneHotCodes(_Codes):
    """One column of zeros and ones for every level. All are NaN if the value is missing."""

    def _codes_of(self, name, levels):
        column = self.table[name]
        hot = (column.to_numpy()[:, None] == np.array(levels, dtype=object)).astype(float)
        hot[column.isna().to_numpy()] = np.nan
        return hot

    def _width(self, levels):
        return len(levels)

    def _places_of(self, codes, levels):
        return codes.argmax(1)


class OrdinalCodes(_Codes):
    """One column with the number of the level."""

    def _codes_of(self, name, levels):
        return (
            self.table[name]
            .map({level: float(i) for i, level in enumerate(levels)})
            .to_numpy(float)[:, None]
        )

    def _width(self, levels):
        return 1

    def _places_of(self, codes, levels):
        return np.clip(np.rint(codes[:, 0]), 0, len(levels) - 1).astype(int)
