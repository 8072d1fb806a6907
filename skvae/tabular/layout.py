"""Where the codes of a table's columns lie, what they are called, and of what kind they are."""

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
    """Return the attributes of an encoder that follow from its columns, pairs of (name, column)."""
    columns = [column for _, column in named]
    return {
        "likelihoods_": _likelihoods_of(columns),
        "maps_": _maps_of(named),
        "spikes_": _spikes_of(named),
        "rare_levels_": _rare_levels_of(named),
        "_library_": columns[0].form.library,
    }


def width_of(column):
    """Return how many codes a column has."""
    return sum(width for _, width in column.parts)


def _likelihoods_of(columns):
    """Return (kind, places of codes): one pair of all numbers, one of all flags, one a block."""
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
    """Return the names of the codes, none twice: one that is taken gets a number behind it."""
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
    """Return the names of the maps of the columns of numbers."""
    names = {kind: name for name, kind in MAPS.items()}
    maps = {name: getattr(column, "map", None) for name, column in named}
    return {name: names[type(fitted)] for name, fitted in maps.items() if fitted is not None}


def _spikes_of(named):
    """Return the values that have a code of their own, as the table has them."""
    return {name: column.values for name, column in named if isinstance(column, HurdleColumn)}


def _rare_levels_of(named):
    """Return the rare levels of the columns that have some."""
    levels = [(name, column) for name, column in named if isinstance(column, LevelsColumn)]
    return {name: column.rare for name, column in levels if column.rare}


def warn_of_many_levels(named, max_categories):
    """Warn of columns that have more levels than get a column of their own, as ids have."""
    for name, column in named:
        if isinstance(column, LevelsColumn) and column.n_frequent > max_categories:
            warn(
                f"A column of text should have at most max_categories={max_categories} levels. Got "
                f"{column.n_frequent} in column {name!r} instead, of which all but the commonest "
                f"now have one column together. Leave out a column of ids, or set min_frequency or "
                f"max_categories."
            )
