"""The places, the names and the likelihoods of the codes of a table."""

from collections import Counter

import numpy as np

from skvae._warnings import warn
from skvae.tabular.columns import LevelsColumn
from skvae.tabular.hurdle import HurdleColumn
from skvae.tabular.monotone import MAPS

__all__ = [
    "code_names",
    "layout_of",
    "warn_of_many_levels",
    "width_of",
]


def layout_of(named):
    """Return the attributes of an encoder that follow from its pairs of (name, column)."""
    columns = [column for _, column in named]
    return {
        "likelihoods_": _likelihoods_of(columns),
        "maps_": _maps_of(named),
        "spikes_": _spikes_of(named),
        "rare_levels_": _rare_levels_of(named),
        "_library_": columns[0].form.library,
    }


def width_of(column):
    """Return the number of codes of a column."""
    return sum(width for _, width in column.parts)


def _likelihoods_of(columns):
    """Return pairs of (kind, places): one for all numbers, one for all booleans, one per block."""
    places = {"gaussian": [], "bernoulli": []}
    blocks, place = [], 0
    for column in columns:
        for kind, width in column.parts:
            block = list(range(place, place + width))
            place += width
            if kind == "categorical":
                blocks.append((kind, block))
            else:
                places[kind] += block
    return [pair for pair in places.items() if pair[1]] + blocks


def code_names(stems, columns):
    """Return the names of the codes. A name that is already taken gets a number at its end."""
    names, seen = [], Counter()
    for stem, column in zip(stems, columns, strict=True):
        for suffix in column.suffixes:
            name = f"{stem}{suffix}"
            while seen[name]:
                seen[name] += 1
                name = f"{name}_{seen[name]}"
            seen[name] += 1
            names.append(name)
    return np.array(names, dtype=object)


def _maps_of(named):
    """Return the name of the map of each column of numbers."""
    names = {kind: name for name, kind in MAPS.items()}
    maps = {name: getattr(column, "map", None) for name, column in named}
    return {name: names[type(fitted)] for name, fitted in maps.items() if fitted is not None}


def _spikes_of(named):
    """Return the common values of each column that has some, as they are in the table."""
    return {name: column.values for name, column in named if isinstance(column, HurdleColumn)}


def _rare_levels_of(named):
    """Return the rare levels of each column that has some."""
    levels = [(name, column) for name, column in named if isinstance(column, LevelsColumn)]
    return {name: column.rare for name, column in levels if column.rare}


def warn_of_many_levels(named, max_categories):
    """Warn of columns in which more than max_categories levels are frequent, as columns of ids."""
    for name, column in named:
        if isinstance(column, LevelsColumn) and column.n_frequent > max_categories:
            warn(
                f"A column of text should have at most max_categories={max_categories} levels. Got "
                f"{column.n_frequent} in column {name!r} instead, and the less frequent ones now "
                f"share one column of codes. Leave out a column of ids, or set min_frequency or "
                f"max_categories."
            )
