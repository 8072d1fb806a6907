"""What a parameter may be, and how JSON holds it: plainly, or by the name of its kind."""

import functools
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector

from skvae.saving.cells import (
    DATES,
    read_date,
    read_missing,
    read_timestamp,
    takes,
    write_date,
    write_timestamp,
)
from skvae.saving.context import is_native, name_of
from skvae.saving.errors import SavingError, refusal

__all__ = ["KINDS", "Kind", "read_texts", "read_value", "write_texts", "write_value"]

INTEGERS = range(-(2**63), 2**64)
MT19937_WORDS = 624


class Kind(NamedTuple):
    """One kind of value that JSON has no word for."""

    takes: Callable[[Any], bool]
    write: Callable[..., Any]  # (value, file, place) -> what JSON holds
    read: Callable[..., Any]  # (what JSON holds, file, place) -> value


def write_value(value, file, place):
    """Return what JSON holds of a value; its arrays go to the file.

    Parameters
    ----------
    value : object
        A parameter, or something of a fitted estimator.
    file : Writing
        Takes the arrays.
    place : str
        Where in the estimator it is.

    Raises
    ------
    SavingError
        If it is of no kind that a file has.
    """
    plain = value is None or type(value) in (bool, str)
    plain = plain or (type(value) is int and value in INTEGERS)
    if plain or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is list:
        return [write_value(one, file, f"{place}[{n}]") for n, one in enumerate(value)]
    for name, kind in KINDS.items():
        if kind.takes(value):
            return {name: kind.write(value, file, place)}
    raise SavingError(
        f"A file keeps numbers, text, arrays, estimators, and functions by name. Got {place} of "
        f"type {type(value).__name__} instead. Set it to something else, or pickle the estimator."
    )


def read_value(node, file, place):
    """Return the value that :func:`write_value` wrote."""
    if isinstance(node, list):
        return [read_value(one, file, f"{place}[{n}]") for n, one in enumerate(node)]
    if not isinstance(node, dict):
        return node
    if len(node) != 1 or next(iter(node)) not in KINDS:
        raise refusal(place, f"one of {', '.join(KINDS)}", node)
    ((name, content),) = node.items()
    return KINDS[name].read(content, file, place)


def write_texts(texts, file, place):
    """Write a sequence of str as two arrays: UTF-8, and lengths in bytes."""
    encoded = [text.encode() for text in texts]
    file.add(np.frombuffer(b"".join(encoded), dtype=np.uint8), f"{place}.utf8")
    file.add(np.array([len(text) for text in encoded], dtype=np.int64), f"{place}.lengths")


def read_texts(file, place):
    """Return the list of str that :func:`write_texts` wrote."""
    data, lengths = file.take(f"{place}.utf8"), file.take(f"{place}.lengths")
    whole = data.dtype == np.uint8 and data.ndim == 1
    whole = whole and lengths.dtype == np.int64 and lengths.ndim == 1
    # Each by itself first: a sum of numbers near 2**63 would wrap around.
    whole = whole and np.all((lengths >= 0) & (lengths <= len(data)))
    if not whole or sum(lengths.tolist()) != len(data):
        raise refusal(place, "text of the lengths that it tells", "others")
    ends = [0, *np.cumsum(lengths).tolist()]
    data = data.tobytes()
    try:
        return [data[start:end].decode() for start, end in pairwise(ends)]
    except UnicodeDecodeError as error:
        raise refusal(place, "text", "bytes that are none") from error


def _list(node, file, place):
    if not isinstance(node, list):
        raise refusal(place, "a list", node)
    return read_value(node, file, place)


def _write_dict(value, file, place):
    if not all(type(key) is str or type(key) is int for key in value):
        raise SavingError(
            f"A file keeps dicts whose keys are str or int. Got {place}={value!r} instead. Use "
            f"such keys, or pickle the estimator."
        )
    return [[key, write_value(one, file, f"{place}.{key}")] for key, one in value.items()]


def _read_dict(node, file, place):
    found = {}
    for pair in node if isinstance(node, list) else [None]:
        key = pair[0] if isinstance(pair, list) and len(pair) == 2 else None
        if type(key) not in (str, int) or key in found:
            raise refusal(place, "pairs of a name and a value", node)
        found[key] = read_value(pair[1], file, f"{place}.{key}")
    return found


def _read_float(node, file, place):
    if node not in ("nan", "inf", "-inf"):
        raise refusal(place, "nan, inf or -inf", node)
    return float(node)


def _write_scalar(value, file, place):
    return [value.dtype.name, write_value(value.item(), file, place)]


def _read_scalar(node, file, place):
    if not isinstance(node, list) or len(node) != 2 or node[0] not in SCALARS:
        raise refusal(place, "a dtype and a number", node)
    value = read_value(node[1], file, place)
    try:
        return np.dtype(node[0]).type(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise refusal(place, f"a number of dtype {node[0]}", value) from error


def _write_array(value, file, place):
    """Return the order: a matrix whose columns lie together is computed with as such."""
    by_columns = value.flags.f_contiguous and not value.flags.c_contiguous
    file.add(value.T if by_columns else value, place)
    return "F" if by_columns else "C"


def _read_array(node, file, place):
    if node not in ("C", "F"):
        raise refusal(place, "an array, and its order C or F", node)
    return file.take(place).T if node == "F" else file.take(place)


def _is_text_array(value):
    if type(value) is not np.ndarray or value.ndim != 1:
        return False
    return value.dtype.kind == "U" or (value.dtype == object and all(map(_is_str, value)))


def _is_str(value):
    return isinstance(value, str)


def _write_text_array(value, file, place):
    write_texts(value.tolist(), file, place)
    return value.dtype.kind


def _read_text_array(node, file, place):
    if node not in ("U", "O"):
        raise refusal(place, "an array of text, of kind U or O", node)
    texts = read_texts(file, place)
    if node == "O":
        return np.array(texts, dtype=object)
    if max(map(len, texts), default=0) * len(texts) > file.n_entries:
        raise refusal(place, "an array of text of about one length", "one much longer text")
    return np.array(texts, dtype=str)


def _read_device(node, file, place):
    try:
        return torch.device(node)
    except (RuntimeError, TypeError) as error:
        raise refusal(place, "the name of a device", node) from error


def _write_random_state(value, file, place):
    name, words, *rest = value.get_state()
    if name != "MT19937":
        raise SavingError(
            f"A file keeps a RandomState of MT19937. Got {place} of {name} instead. Set "
            f"an int as {place}."
        )
    file.add(words, place)
    return rest


def _read_random_state(node, file, place):
    if not isinstance(node, list) or len(node) != 3:
        raise refusal(place, "the state of a RandomState", node)
    words, (position, has_gauss, gauss) = file.take(place), node
    whole = words.dtype == np.uint32 and words.shape == (MT19937_WORDS,)
    whole = whole and type(position) is int and 0 <= position <= MT19937_WORDS
    if not whole or has_gauss not in (0, 1) or type(gauss) is not float:
        raise refusal(place, "the state of a RandomState", node)
    state = np.random.RandomState()
    state.set_state(("MT19937", words, position, has_gauss, gauss))
    return state


def _write_partial(value, file, place):
    parts = [list(value.args), value.keywords]
    return [name_of(value.func, place), *(write_value(part, file, place) for part in parts)]


def _read_partial(node, file, place):
    if not isinstance(node, list) or len(node) != 3:
        raise refusal(place, "a function, and what it is called with", node)
    args, keywords = (read_value(part, file, place) for part in node[1:])
    if not isinstance(args, list) or not isinstance(keywords, dict):
        raise refusal(place, "a function, and what it is called with", node)
    return functools.partial(file.resolve(node[0], place), *args, **keywords)


def _write_slice(value, file, place):
    return [write_value(one, file, place) for one in (value.start, value.stop, value.step)]


def _read_slice(node, file, place):
    ends = _list(node, file, place)
    if len(ends) != 3 or not all(one is None or type(one) in (int, str) for one in ends):
        raise refusal(place, "the start, stop and step of a slice", node)
    return slice(*ends)


def _write_selector(value, file, place):
    parts = (value.pattern, value.dtype_include, value.dtype_exclude)
    return [write_value(one, file, f"{place}[{n}]") for n, one in enumerate(parts)]


def _read_selector(node, file, place):
    parts = _list(node, file, place)
    if len(parts) != 3:
        raise refusal(place, "a pattern and dtypes of columns", node)
    pattern, include, exclude = parts
    return make_column_selector(pattern, dtype_include=include, dtype_exclude=exclude)


def _of(*types):
    return lambda value: type(value) in types


SCALARS = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
}  # fmt: skip
KINDS = {
    "tuple": Kind(
        _of(tuple),
        lambda value, file, place: write_value(list(value), file, place),
        lambda node, file, place: tuple(_list(node, file, place)),
    ),
    "dict": Kind(_of(dict), _write_dict, _read_dict),
    "float": Kind(_of(float), lambda value, file, place: repr(value), _read_float),
    "scalar": Kind(
        lambda value: isinstance(value, np.generic) and value.dtype.name in SCALARS,
        _write_scalar,
        _read_scalar,
    ),
    "array": Kind(
        lambda value: type(value) is np.ndarray and is_native(value), _write_array, _read_array
    ),
    "texts": Kind(_is_text_array, _write_text_array, _read_text_array),
    "device": Kind(_of(torch.device), lambda value, file, place: str(value), _read_device),
    "date": Kind(_of(*DATES.values()), write_date, read_date),
    "timestamp": Kind(takes("Timestamp"), write_timestamp, read_timestamp),
    "missing": Kind(
        takes("NAType", "NaTType"),
        lambda value, file, place: str(value).strip("<>"),
        read_missing,
    ),
    "RandomState": Kind(_of(np.random.RandomState), _write_random_state, _read_random_state),
    "estimator": Kind(
        lambda value: isinstance(value, BaseEstimator),
        lambda value, file, place: file.write_part(value, place),
        lambda node, file, place: file.read_part(node, place),
    ),
    "partial": Kind(_of(functools.partial), _write_partial, _read_partial),
    "slice": Kind(_of(slice), _write_slice, _read_slice),
    "selector": Kind(_of(make_column_selector), _write_selector, _read_selector),
    "callable": Kind(
        callable,
        lambda value, file, place: name_of(value, place),
        lambda node, file, place: file.resolve(node, place),
    ),
}
