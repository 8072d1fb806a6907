"""Values that an estimator may hold and that JSON cannot represent; each type has a kind."""

import functools

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_selector

from skvae.files.context import name_of
from skvae.files.errors import SavingError, refusal
from skvae.files.values import PLAIN, Kind, is_of, read_list, read_value, write_value
from skvae.saving.cells import CELLS

__all__ = ["KINDS"]

MT19937_WORDS = 624


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
    ends = read_list(node, file, place)
    if len(ends) != 3 or not all(one is None or type(one) in (int, str) for one in ends):
        raise refusal(place, "the start, stop and step of a slice", node)
    return slice(*ends)


def _write_selector(value, file, place):
    parts = (value.pattern, value.dtype_include, value.dtype_exclude)
    return [write_value(one, file, f"{place}[{n}]") for n, one in enumerate(parts)]


def _read_selector(node, file, place):
    parts = read_list(node, file, place)
    if len(parts) != 3:
        raise refusal(place, "a pattern and dtypes of columns", node)
    pattern, include, exclude = parts
    return make_column_selector(pattern, dtype_include=include, dtype_exclude=exclude)


KINDS = {
    **PLAIN,
    "device": Kind(is_of(torch.device), lambda value, file, place: str(value), _read_device),
    **CELLS,
    "RandomState": Kind(is_of(np.random.RandomState), _write_random_state, _read_random_state),
    "estimator": Kind(
        lambda value: isinstance(value, BaseEstimator),
        lambda value, file, place: file.write_part(value, place),
        lambda node, file, place: file.read_part(node, place),
    ),
    "partial": Kind(is_of(functools.partial), _write_partial, _read_partial),
    "slice": Kind(is_of(slice), _write_slice, _read_slice),
    "selector": Kind(is_of(make_column_selector), _write_selector, _read_selector),
    "callable": Kind(
        callable,
        lambda value, file, place: name_of(value, place),
        lambda node, file, place: file.resolve(node, place),
    ),
}
