"""The columns of each likelihood in a file, for a model with several likelihoods."""

import numpy as np

from skvae.base.columns import LARGEST_CODE, are_alike, parts_of
from skvae.files.errors import refusal
from skvae.nn.layout import KINDS, Part
from skvae.saving.fields import Field

__all__ = ["Parts", "check_parts"]


# A network for categories has a table of levels by variables. It may have this many entries, or
# this many for each number in the file: a perceptron has hundreds of weights for each level.
FEW_ENTRIES, MOST_TIMES = 2**22, 64


class Parts(Field):
    """A list of ``Part``, stored as kinds and three arrays, which is compact for wide tables."""

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
        # Check each size alone first: a sum of numbers near 2**63 would overflow.
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
    """Raise an error for parts that a fit with these parameters could not have made.

    Parameters
    ----------
    fitted : estimator
        An estimator with the parameters of the fit.
    state : dict
        The content of the file; ``n_features_in_`` is at most the size of the file.
    file : Reading
        Knows the size of the file.
    place : str
        The name of the place in the file.

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
    """Return whether a part is complete and valid."""
    if not part.columns or part.kind not in KINDS:
        return False
    if part.kind != "categorical" or len(part.columns) > 1:
        return not part.levels
    levels = np.array(part.levels)
    in_order = bool(len(levels)) and bool((np.diff(levels) > 0).all())
    return in_order and bool((np.abs(levels) <= LARGEST_CODE).all() and (levels % 1 == 0).all())


def _check_likelihood(likelihood, parts, state, place):
    """Raise for parts of another likelihood, as far as this can be known without rows."""
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
