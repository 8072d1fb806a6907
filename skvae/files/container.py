"""One safetensors file that holds a JSON document and arrays, and is checked before use.

The whole file is read into memory. Sizes given in the header are first compared with the length of
the file, so that reading never needs more than a few times this length.
"""

import json
import re
from hashlib import blake2b

import numpy as np

from skvae.files.errors import damaged

__all__ = ["checked_json", "pack_file", "unpack_file"]

LENGTH_BYTES = 8  # the file starts with the length of its header in this many bytes
MOST_HEADER = 2**24  # bytes: enough for a detector of some 10,000 models
MOST_DEPTH = 64  # nested brackets; an estimator within an estimator needs eight
# A JSON value takes up to 184 bytes in Python. If each value has at least eight bytes of text, this
# is about twenty times the text, and most of a file is arrays.
FEW_VALUES, BYTES_OF_VALUE = 4096, 8
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
# A string, or a bracket. The possessive + never backtracks, so it stores no position per character.
TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
DOCUMENT, CHECKSUM = "skvae", "checksum"


def _safetensors():
    """Return the writer, reader and error class of safetensors, or raise if it is missing."""
    try:
        from safetensors import SafetensorError, deserialize, numpy
    except ImportError as error:
        raise ImportError(
            "Saving and loading need safetensors. Got none that can be imported instead. Install "
            "it: pip install skvae[save]"
        ) from error
    return numpy.save, deserialize, SafetensorError


def pack_file(document, arrays):
    """Return the bytes of a file.

    Parameters
    ----------
    document : dict
        Content that JSON can represent.
    arrays : dict of {str: ndarray}
        Arrays of numbers or booleans.

    Raises
    ------
    SavingError
        If :func:`unpack_file` would refuse the file.
    """
    save, *_ = _safetensors()
    arrays = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    arrays = {name: value.astype(value.dtype.newbyteorder("<")) for name, value in arrays.items()}
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    data = save(arrays, {DOCUMENT: text, CHECKSUM: _checksum(text, arrays)})
    _header(data)
    return data


def unpack_file(data):
    """Return the document and the arrays of a file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    document : dict
    arrays : dict of {str: ndarray}
        Writable; each array has its own memory.

    Raises
    ------
    SavingError
        If it is not such a file, or was cut, extended or changed.
    """
    _, deserialize, SafetensorError = _safetensors()
    metadata = _header(data)
    try:
        tensors = dict(deserialize(data))
    except SafetensorError as error:
        raise damaged(f"one that safetensors refuses ({error})") from error
    arrays = {name: _array(name, **tensor) for name, tensor in tensors.items()}
    text = metadata[DOCUMENT]
    if metadata[CHECKSUM] != _checksum(text, arrays):
        raise damaged("one with another checksum than it had when it was written")
    document = checked_json(text, "its document")
    if not isinstance(document, dict):
        raise damaged(f"one whose document is a {type(document).__name__}")
    return document, arrays


def checked_json(text, name):
    """Parse JSON after checking its size and its depth.

    Parameters
    ----------
    text : str
        The JSON text.
    name : str
        The name of this text in error messages.

    Examples
    --------
    >>> from skvae.files.container import checked_json
    >>> checked_json('{"a": [1, 2.5, null]}', "its document")
    {'a': [1, 2.5, None]}
    """
    if len(text) > MOST_HEADER:
        raise damaged(f"one with {len(text)} bytes of JSON in {name}, of at most {MOST_HEADER}")
    depth = 0
    for token in TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MOST_DEPTH:
            raise damaged(f"one with brackets in brackets {MOST_DEPTH} deep in {name}")
    n_values = sum(text.count(sign) for sign in ",[{")
    if n_values > FEW_VALUES + len(text) / BYTES_OF_VALUE:
        raise damaged(f"one with {n_values} values in {len(text)} bytes of JSON in {name}")
    try:
        return json.loads(
            text,
            parse_constant=_no_constant,
            parse_int=_short_integer,
            object_pairs_hook=_without_repeats,
        )
    except (ValueError, RecursionError) as error:
        raise damaged(f"one with no JSON in {name} ({error})") from error


def _header(data):
    """Return the metadata of a file, after checking the length that the file starts with."""
    length = int.from_bytes(data[:LENGTH_BYTES], "little")
    left = len(data) - LENGTH_BYTES
    if left < 0 or length > left:
        raise damaged(f"one that is cut after {len(data)} bytes, or another kind of file")
    if length > MOST_HEADER:
        raise damaged(f"one with a header of {length} bytes, of at most {MOST_HEADER}")
    try:
        text = data[LENGTH_BYTES : LENGTH_BYTES + length].decode()
    except UnicodeDecodeError as error:
        raise damaged("one with a header that is no text") from error
    header = checked_json(text, "its header")
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.keys() != {DOCUMENT, CHECKSUM}:
        raise damaged("one that something else has written")
    if not all(isinstance(value, str) for value in metadata.values()):
        raise damaged("one that something else has written")
    return metadata


def _array(name, dtype, shape, data):
    """Return an array from its parts in safetensors, whose lengths safetensors has checked."""
    if dtype not in DTYPES:
        raise damaged(f"one with {name!r} of dtype {dtype}")
    values = np.frombuffer(data, dtype=DTYPES[dtype]).reshape(shape)
    return values.view(np.uint8).astype(bool) if dtype == "BOOL" else values


def _checksum(text, arrays):
    """Return a checksum of a document and arrays: it detects disk faults, but not forgery."""
    found = blake2b(text.encode(), digest_size=16)
    for name in sorted(arrays):
        value = arrays[name]
        found.update(f"\0{name}\0{value.dtype.name}\0{value.shape}\0".encode())
        found.update(np.asarray(value, order="C").reshape(-1).view(np.uint8))
    return found.hexdigest()


def _no_constant(name):
    raise ValueError(f"{name} is not of JSON")


def _short_integer(text):
    if len(text) > len(str(-(2**63))):
        raise ValueError(f"{text[:8]}... is no integer of 64 bits")
    return int(text)


def _without_repeats(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found
