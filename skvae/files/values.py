"""The types of values in a file, and their form in JSON: plain, or marked by the type's name."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skvae.files.errors import SavingError, refusal

__all__ = [
    "PLAIN",
    "Kind",
    "is_of",
    "read_list",
    "read_texts",
    "read_value",
    "write_texts",
    "write_value",
]

INTEGERS = range(-(2**63), 2**64)


class Kind(NamedTuple):
    """One type of value that JSON cannot represent directly."""

    takes: Callable[[Any], bool]
    write: Callable[..., Any]  # (value, file, place) -> JSON content
    read: Callable[..., Any]  # (JSON content, file, place) -> value


def write_value(value, file, place):
    """Return the JSON content of a value; its arrays are added to the file.

    Parameters
    ----------
    value : object
        A value of one of the file's types.
    file : Writing
        Receives the arrays.
    place : str
        The name of the value's place in the file.

    Raises
    ------
    SavingError
        If the file has no type for this value.
    """
    plain = value is None or type(value) in (bool, str)
    plain = plain or (type(value) is int and value in INTEGERS)
    if plain or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is list:
        return [write_value(one, file, f"{place}[{n}]") for n, one in enumerate(value)]
    for name, kind in file.kinds.items():
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
    if len(node) != 1 or next(iter(node)) not in file.kinds:
        raise refusal(place, f"one of {', '.join(file.kinds)}", node)
    ((name, content),) = node.items()
    return file.kinds[name].read(content, file, place)


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
    # Check each length alone first: a sum of numbers near 2**63 would overflow.
    whole = whole and np.all((lengths >= 0) & (lengths <= len(data)))
    if not whole or sum(lengths.tolist()) != len(data):
        raise refusal(place, "text of the lengths that it tells", "others")
    ends = [0, *np.cumsum(lengths).tolist()]
    data = data.tobytes()
    try:
        return [data[start:end].decode() for start, end in pairwise(ends)]
    except UnicodeDecodeError as error:
        raise refusal(place, "text", "bytes that are none") from error


def read_list(node, file, place):
    """Return the list that is expected here, with its values read."""
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
    """Return the memory order: computations on a matrix in Fortran order should stay the same."""
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


def is_of(*types):
    """Return a function that is True for values of exactly these classes, not of subclasses."""
    return lambda value: type(value) in types


def _is_native(array):
    """Return whether an array has numbers or booleans of a dtype that a file can hold."""
    return array.dtype.kind in "biu" or array.dtype in (np.float16, np.float32, np.float64)


SCALARS = (  # a tuple, not a set: a damaged file may have an unhashable value here
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
)  # fmt: skip
PLAIN = {
    "tuple": Kind(
        is_of(tuple),
        lambda value, file, place: write_value(list(value), file, place),
        lambda node, file, place: tuple(read_list(node, file, place)),
    ),
    "dict": Kind(is_of(dict), _write_dict, _read_dict),
    "float": Kind(is_of(float), lambda value, file, place: repr(value), _read_float),
    "scalar": Kind(
        lambda value: isinstance(value, np.generic) and value.dtype.name in SCALARS,
        _write_scalar,
        _read_scalar,
    ),
    "array": Kind(
        lambda value: type(value) is np.ndarray and _is_native(value), _write_array, _read_array
    ),
    "texts": Kind(_is_text_array, _write_text_array, _read_text_array),
}
