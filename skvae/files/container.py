"""One safetensors file: a JSON document and arrays, checked before anything is made of them.

The file is read whole, and is never larger in memory than a few times its length: what the header
says of sizes is compared with the length first.
"""

import json
import re
from hashlib import blake2b

import numpy as np

from skvae.files.errors import damaged

__all__ = ["checked_json", "pack_file", "unpack_file"]

LENGTH_BYTES = 8  # of the header's length, before the header
MOST_HEADER = 2**24  # bytes: some 10,000 models of a detector
MOST_DEPTH = 64  # of brackets; an estimator in an estimator takes eight
# In Python a value of JSON takes up to 184 bytes. With eight bytes of text to each, that is about
# twenty times the text, and a file is mostly arrays.
FEW_VALUES, BYTES_OF_VALUE = 4096, 8
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
# A string, or a bracket. The possessive + keeps no place to come back to, one for each character.
TOKENS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
DOCUMENT, CHECKSUM = "skvae", "checksum"


def _safetensors():
    """Return safetensors' writer, reader and error, or raise a sentence."""
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
        What JSON can hold.
    arrays : dict of {str: ndarray}
        Of numbers or flags.

    Raises
    ------
    SavingError
        If :func:`unpack_file` would not read it.
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
        Writable, each in memory of its own.

    Raises
    ------
    SavingError
        If it is no such file, or cut, lengthened or changed.
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
    """Return what JSON holds, after a look at its size and its depth.

    Parameters
    ----------
    text : str
        JSON.
    name : str
        What a refusal calls it.

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
    """Return the metadata of a file, after a look at the lengths that it begins with."""
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
    """Return an array of safetensors' parts of one, which are of one length."""
    if dtype not in DTYPES:
        raise damaged(f"one with {name!r} of dtype {dtype}")
    values = np.frombuffer(data, dtype=DTYPES[dtype]).reshape(shape)
    return values.view(np.uint8).astype(bool) if dtype == "BOOL" else values


def _checksum(text, arrays):
    """Return a checksum of a document and arrays: it tells a fault of a disk, and no forger."""
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
