"""scikit-learn's own estimators in a file, written and read by skops.

skops writes a zip file of a JSON schema and arrays. Our file stores these as its own content and
checks their sizes. For reading, the zip file is put together again for skops.
"""

import io
import json
from zipfile import ZipFile

import numpy as np
from sklearn.base import BaseEstimator

from skvae.files.container import checked_json
from skvae.files.errors import SavingError, refusal
from skvae.files.values import read_value, write_value

__all__ = ["read_sklearn_part", "write_sklearn_part"]

SCHEMA = "schema.json"
# Names that skops does not trust by itself, but that are harmless: functions of the default
# detector, and the list of columns in a ColumnTransformer of scikit-learn before 1.7.
HARMLESS = {
    "numpy.dtype",
    "skvae.outlier.members.draw_in",
    "skvae.outlier.members.draw_out",
    "sklearn.compose._column_transformer._RemainderColsList",
}
MOST_REPEATS = 8  # skops reads an array again at each place of the schema that names it


def _skops():
    """Return skops.io, or raise an error with the remedy."""
    try:
        from skops import io
    except ImportError as error:
        raise ImportError(
            "Saving and loading scikit-learn's estimators need skops. Got none that can be "
            "imported instead. Install it: pip install skvae[save]"
        ) from error
    return io


def write_sklearn_part(estimator, file, place):
    """Return the JSON content of an estimator of scikit-learn."""
    skops, name = _skops(), type(estimator).__name__
    try:
        data = skops.dumps(estimator)
        unknown = set(skops.get_untrusted_types(data=data)) - HARMLESS
    except Exception as error:  # skops documents no class of error
        raise SavingError(
            f"skops must be able to save what is of scikit-learn. Got {place}, a {name}, and from "
            f"skops: {error}, instead. Leave it out, or pickle the estimator."
        ) from error
    _refuse_ours(unknown, place, name)
    with ZipFile(io.BytesIO(data)) as parts:
        arrays = {}
        for part in parts.namelist():
            if part.endswith(".npy"):
                array = np.load(io.BytesIO(parts.read(part)), allow_pickle=False)
                if array.dtype.names is not None:  # the nodes of a tree
                    raise SavingError(
                        f"A file keeps scikit-learn's estimators that hold arrays of one dtype. "
                        f"Got {place}, a {name}, with an array of records instead, as trees have. "
                        f"Leave it out, or pickle the estimator."
                    )
                arrays[part] = write_value(array, file, f"{place}.{part}")
            elif part != SCHEMA:
                raise SavingError(
                    f"A file keeps scikit-learn's estimators that hold dense arrays. Got {place}, "
                    f"a {name}, with a sparse one instead. Leave it out, or pickle the estimator."
                )
        schema = json.dumps(json.loads(parts.read(SCHEMA)), separators=(",", ":"))
    text = np.frombuffer(schema.encode(), dtype=np.uint8)
    file.add(text, f"{place}.{SCHEMA}")
    return [name, arrays]


def read_sklearn_part(node, file, place):
    """Return the estimator that :func:`write_sklearn_part` wrote."""
    if not isinstance(node, list) or len(node) != 2 or not isinstance(node[1], dict):
        raise refusal(place, "a class and arrays", node)
    skops, data = _skops(), _zip(node, file, place)
    try:
        unknown = set(skops.get_untrusted_types(data=data)) - HARMLESS
    except Exception as error:  # skops documents no class of error
        raise refusal(place, "what skops can read", f"from skops: {error!r}") from error
    _refuse_ours(unknown, place, node[0])
    for name in sorted(unknown):
        file.check_trusted(name, place)
    try:
        estimator = skops.loads(data, trusted=[*HARMLESS, *sorted(unknown)])
    except Exception as error:
        raise refusal(place, "what skops can read", f"from skops: {error!r}") from error
    _check(estimator, node[0], place)
    return estimator


def _zip(node, file, place):
    """Return a zip file for skops, after checking how often its schema refers to arrays."""
    arrays = {part: read_value(array, file, f"{place}.{part}") for part, array in node[1].items()}
    text = file.take(f"{place}.{SCHEMA}")
    if text.dtype != np.uint8 or not all(isinstance(one, np.ndarray) for one in arrays.values()):
        raise refusal(place, "a schema and arrays", "others")
    try:
        schema = checked_json(text.tobytes().decode(), f"the schema of {place}")
    except UnicodeDecodeError as error:
        raise refusal(place, "a schema that is text", "bytes that are none") from error
    sizes = {part: array.nbytes for part, array in arrays.items()}
    if _referred(schema, sizes) > MOST_REPEATS * sum(sizes.values()):
        raise refusal(place, f"arrays that come {MOST_REPEATS} times at most", "more")
    data = io.BytesIO()
    with ZipFile(data, "w") as parts:
        parts.writestr(SCHEMA, text.tobytes())
        for part, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=False)
            parts.writestr(part, content.getbuffer())
    return data.getvalue()


def _referred(schema, sizes):
    """Return the total bytes of all arrays that a schema names, counting every repetition."""
    total, left = 0, [schema]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            name = node.get("file")
            total += sizes.get(name, 0) if isinstance(name, str) else 0
        left += list(node.values()) if isinstance(node, dict) else []
        left += node if isinstance(node, list) else []
    return total


def _check(estimator, name, place):
    """Raise unless this is an estimator of scikit-learn with valid parameters and this name."""
    of_sklearn = type(estimator).__module__.startswith("sklearn.")
    if (
        not (of_sklearn and isinstance(estimator, BaseEstimator))
        or type(estimator).__name__ != name
    ):
        raise refusal(place, f"a {name} of scikit-learn", type(estimator).__name__)
    try:
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
        parameters = estimator.get_params()
    except Exception as error:  # the attributes may be anything
        raise refusal(place, f"a valid {name}", f"{error}") from error
    check_no_memory(parameters, place)


def check_no_memory(parameters, place):
    """Raise an error for a cache: joblib would unpickle the content of its folder."""
    for name, value in parameters.items():
        if name.rpartition("__")[2] == "memory" and value is not None:
            raise SavingError(
                f"A file keeps Pipelines without a cache. Got {place} with {name}={value!r} "
                f"instead. Set memory=None."
            )


def _refuse_ours(names, place, name):
    """Raise if skops would have to save one of our estimators inside one of scikit-learn's."""
    ours = sorted(one for one in names if one.startswith("skvae."))
    if ours:
        raise SavingError(
            f"A file keeps this package's estimators by themselves, and as steps of a Pipeline. "
            f"Got {place}, a {name}, which holds {ours[0]}, instead. Put it in a Pipeline, or "
            f"pickle the estimator."
        )
