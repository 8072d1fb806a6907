"""The columns of every likelihood in a file, where a model has several."""

import numpy as np

from skvae.base.columns import LARGEST_CODE, are_alike, parts_of
from skvae.files.errors import refusal
from skvae.nn.layout import KINDS, Part
from skvae.saving.fields import Field

__all__ = ["Parts", "check_parts"]


# A network of categories has a table of which levels are of which variable: of so many entries, or
# of so many for each number in the file. Perceptrons have hundreds of weights for a level.
FEW_ENTRIES, MOST_TIMES = 2**22, 64


class Parts(Field):
    """A list of ``Part``: kinds, and three arrays, so that wide tables take little room."""

    def write(self, value, file, place):
        sizes = [(len(part.columns), len(part.levels)) for part in value]
        columns = [column for part in value for column in part.columns]
        levels = [level for part in value for level in part.levels]
        file.add(np.array(sizes, dtype=np.int64), f"{place}.sizes")
        file.add(np.array(columns, dtype=np.int64), f"{place}.columns")
        file.add(np.array(levels, dtype=np.float64), f"{place}.levels")
        return [part.kind for part in value]

    def read(self, node, file, place):
        if not isinstance(node, list) or not all(type(kind) is str for kind in node):
            raise refusal(place, "kinds of columns", node)
        names = ("sizes", "columns", "levels")
        sizes, columns, levels = (file.take(f"{place}.{name}") for name in names)
        whole = sizes.dtype == columns.dtype == np.int64 and levels.dtype == np.float64
        whole = whole and sizes.shape == (len(node), 2) and columns.ndim == levels.ndim == 1
        # Each by itself first: a sum of numbers near 2**63 would wrap around.
        whole = whole and bool(((sizes >= 0) & (sizes <= (len(columns), len(levels)))).all())
        ends = np.cumsum(sizes, axis=0).tolist() if whole and node else [[0, 0]]
        if not whole or ends[-1] != [len(columns), len(levels)]:
            raise refusal(place, "columns and levels of the sizes that it tells", "others")
        columns, levels = columns.tolist(), levels.tolist()
        return [
            Part(kind, tuple(columns[first:last]), tuple(levels[low:high]))
            for kind, (first, low), (last, high) in zip(node, [[0, 0], *ends], ends, strict=False)
        ]


def check_parts(fitted, state, file, place):
    """Refuse parts that a fit with these parameters would not have left.

    Parameters
    ----------
    fitted : estimator
        With the parameters of the fit.
    state : dict
        What the file holds, with ``n_features_in_`` no larger than the file.
    file : Reading
        Tells how large the file is.
    place : str
        Where in the file it is.

    Returns
    -------
    list of Part or None
    """
    parts, n_features = state.get("_parts_"), state["n_features_in_"]
    likelihood = getattr(fitted, "likelihood", "gaussian")  # an autoencoder has none
    if (parts is None) != are_alike(likelihood, getattr(fitted, "missing", None)):
        raise refusal(place, "kinds of columns where there are several, or holes", "others")
    if parts is None:
        return None
    known = sorted(column for part in parts for column in part.columns)
    if known != list(range(n_features)) or not all(map(_is_whole, parts)):
        raise refusal(place, f"every one of {n_features} columns once, and levels", "others")
    blocks = [len(part.levels) or len(part.columns) for part in parts if part.kind == "categorical"]
    if len(blocks) * sum(blocks) > max(FEW_ENTRIES, MOST_TIMES * file.n_entries):
        raise refusal(place, "as many categories as its weights are of", "more")
    _check_likelihood(likelihood, parts, state, place)
    return parts


def _is_whole(part):
    """Return whether a part is one that there can be."""
    if not part.columns or part.kind not in KINDS:
        return False
    if part.kind != "categorical" or len(part.columns) > 1:
        return not part.levels
    levels = np.array(part.levels)
    in_order = bool(len(levels)) and bool((np.diff(levels) > 0).all())
    return in_order and bool((np.abs(levels) <= LARGEST_CODE).all() and (levels % 1 == 0).all())


def _check_likelihood(likelihood, parts, state, place):
    """Refuse parts of another likelihood, as far as it can be told without rows."""
    pairs = [] if isinstance(likelihood, str) else likelihood
    if any(isinstance(pair, list | tuple) and callable(pair[-1]) for pair in pairs if pair):
        return
    try:
        names = state.get("feature_names_in_")
        expected = parts_of(likelihood, None, names, state["n_features_in_"])
    except (TypeError, ValueError) as error:
        raise refusal(place, "a likelihood of its columns", f"{error}") from error
    if expected != [part._replace(levels=()) for part in parts]:
        raise refusal(place, "the columns that the likelihood names", "others")
