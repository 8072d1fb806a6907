"""One column of a table's encoder in a file: its dtype, with its scale and map or its levels."""

import datetime
import math
from decimal import Decimal
from functools import partial
from numbers import Integral

import numpy as np

from skvae._frames import is_missing
from skvae.files.errors import refusal
from skvae.files.values import read_value, write_value
from skvae.saving.dtypes import DType, Levels
from skvae.saving.fields import Array, Field, Flag, Number, OneOf
from skvae.saving.nested_fields import Held, ListOf, OrNone, read_fields, write_fields
from skvae.tabular.columns import FlagColumn, LevelsColumn, NumberColumn, places_of
from skvae.tabular.hurdle import HurdleColumn
from skvae.tabular.monotone import MAPS, Asinh, NormalScores, Standard
from skvae.tabular.reading import KINDS, MOST_PLACES, Form
from skvae.tabular.scales import RealScale, WholeScale, ends_of

__all__ = ["Column"]

LIBRARIES = ("numpy", "pandas", "polars")
OBJECTS = {"bool": bool, "date": datetime.date, "int": int, "float": float, "decimal": Decimal}
POSITIVE = Number(least=math.ulp(0.0))  # the smallest number above 0
STANDARD = {"mean": Number(), "std": POSITIVE}
OF_MAPS = {
    Standard: STANDARD,
    Asinh: {"centre": Number(), "unit": POSITIVE, "scaled": Held(Standard, STANDARD)},
    NormalScores: {"knots": Array("float64", "n_knots"), "scores": Array("float64", "n_knots")},
}
WHOLE = Number(Integral)
OF_SCALES = {
    RealScale: {"unit": POSITIVE, "starts_at_zero": Flag()},
    WholeScale: {
        "origin": WHOLE,
        "unit": POSITIVE,
        "step": Number(Integral, least=1),
        "starts_at_zero": Flag(),
    },
}


class FormField(Field):
    """The form of a column: library, dtype, class of Python objects, missing value.

    For Decimals it also has the number of places after the point.
    """

    objects = OneOf(None, *OBJECTS)
    places = Number(Integral, least=0, most=MOST_PLACES)

    def write(self, value, file, place):
        objects = next((name for name, one in OBJECTS.items() if one is value.objects), None)
        written = [
            value.library,
            DType(value.library).write(value.dtype, file, f"{place}.dtype"),
            objects,
            write_value(value.marker, file, f"{place}.marker"),
        ]
        return written if value.places is None else [*written, value.places]

    def read(self, node, file, place):
        if not isinstance(node, list) or len(node) not in (4, 5) or node[0] not in LIBRARIES:
            raise refusal(place, "a library, a dtype, objects and a missing value", node)
        library, dtype, objects, marker, *places = node
        if bool(places) != (objects == "decimal"):
            raise refusal(f"{place}.places", "a number of places of Decimals alone", places)
        dtype = DType(library).read(dtype, file, f"{place}.dtype")
        objects = self.objects.read(objects, file, f"{place}.objects")
        marker = read_value(marker, file, f"{place}.marker")
        if type(marker) is not bool and not is_missing(marker):
            raise refusal(f"{place}.marker", "a missing value", marker)
        for each in places:
            self.places.read(each, file, f"{place}.places")
        return Form(library, dtype, OBJECTS.get(objects), marker, *places)


class Scale(Field):
    """A scale. Reading returns a function that makes it, because its ends depend on the column."""

    def write(self, value, file, place):
        fields = OF_SCALES[type(value)]
        values = {name: getattr(value, name) for name in fields}
        return write_fields(fields, values, file, place)

    def read(self, node, file, place):
        cls = WholeScale if isinstance(node, dict) and "origin" in node else RealScale
        return partial(cls, **read_fields(OF_SCALES[cls], node, file, place))


class Map(Field):
    """A monotone map, with the name of its class."""

    def write(self, value, file, place):
        (name,) = [name for name, cls in MAPS.items() if cls is type(value)]
        return [name, write_fields(OF_MAPS[type(value)], vars(value), file, place)]

    def read(self, node, file, place):
        if not isinstance(node, list) or len(node) != 2 or node[0] not in tuple(MAPS):
            raise refusal(place, f"one of {', '.join(MAPS)}", node)
        cls = MAPS[node[0]]
        found = read_fields(OF_MAPS[cls], node[1], file, place)
        file.sizes.pop("n_knots", None)
        for values in found.values():
            if isinstance(values, np.ndarray) and not (len(values) and (np.diff(values) > 0).all()):
                raise refusal(place, "knots and scores in order", "others")
        return cls(**found)


HOLES = {"keep": Flag(), "indicator": Flag()}
OF_NUMBERS = {
    "kind": OneOf(*[kind for kind in KINDS if kind not in ("flag", "levels")]),
    "form": FormField(),
    "tick": Number(Integral, least=1),
    "scale": Scale(),
    "map": Map(),
}
OF_COLUMNS = {
    NumberColumn: {**OF_NUMBERS, **HOLES},
    HurdleColumn: {**OF_NUMBERS, "map": OrNone(Map()), "spikes": ListOf(Number()), **HOLES},
    FlagColumn: {
        "kind": OneOf("flag"),
        "form": FormField(),
        "mean": Number(least=0.0, most=1.0),
        **HOLES,
    },
    LevelsColumn: {
        "kind": OneOf("levels"),
        "form": FormField(),
        "levels": Levels(),
        "rare": Levels(),
        "n_frequent": Number(Integral, least=0),
        **HOLES,
    },
}


class Column(Field):
    """A column of an encoder, with the kind of column."""

    def write(self, value, file, place):
        fields = OF_COLUMNS[type(value)]
        return write_fields(fields, {name: getattr(value, name) for name in fields}, file, place)

    def read(self, node, file, place):
        kind = node.get("kind") if isinstance(node, dict) else None
        kinds = {"flag": FlagColumn, "levels": LevelsColumn}
        numbers = HurdleColumn if isinstance(node, dict) and "spikes" in node else NumberColumn
        cls = kinds.get(kind, numbers) if type(kind) is str else numbers
        found = read_fields(OF_COLUMNS[cls], node, file, place)
        if cls is numbers:
            found["scale"] = _with_ends(found, place)
        if cls is HurdleColumn:
            _check_spikes(found, place)
        if cls is LevelsColumn:
            found["places"] = _places(found, place)
        return cls(**found)


def _with_ends(found, place):
    """Return the scale of a column, made with its ends."""
    kind, scale = found["kind"], found["scale"]
    is_real = kind == "real"
    if scale.func is not (RealScale if is_real else WholeScale):
        raise refusal(f"{place}.scale", f"a scale of {KINDS[kind]}", scale.func.__name__)
    try:
        starts_at_zero = scale.keywords["starts_at_zero"]
        low, high = ends_of(kind, found["form"], found["tick"], starts_at_zero)
    except (TypeError, ValueError, AttributeError) as error:
        got = f"from it: {error}"
        raise refusal(f"{place}.form", f"a dtype that holds {KINDS[kind]}", got) from error
    made = float if is_real else int
    return scale(low=made(low), high=made(high))


def _check_spikes(found, place):
    """Raise an error unless there are spikes, all different, that the column can hold."""
    spikes, scale = found["spikes"], found["scale"]
    kind = Number() if found["kind"] == "real" else WHOLE
    held = [kind.admits(value) and scale.low <= value <= scale.high for value in spikes]
    if not spikes or not all(held) or len(set(spikes)) < len(spikes):
        raise refusal(f"{place}.spikes", "values that differ, each of the column", spikes)


def _places(found, place):
    """Return the code column of each level, or raise an error if levels are not distinct."""
    levels = [*found["levels"], *found["rare"]]
    try:
        places = places_of(found["levels"], found["rare"])
    except TypeError as error:  # for example lists, which cannot be hashed
        raise refusal(place, "levels", f"{error}") from error
    if len(places) < len(levels) or any(map(is_missing, levels)):
        raise refusal(place, "levels that differ", "two that are one, or a missing one")
    return places
