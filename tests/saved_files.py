"""Files of ``skvae.save`` changed on purpose: with their checksum made anew, or not."""

import copy
from pathlib import Path

import numpy as np

import skvae
from skvae.files.container import pack_file, unpack_file

__all__ = [
    "HOSTILE",
    "MUTATIONS",
    "assert_same_detector",
    "edited",
    "kept",
    "must_hold",
    "mutated",
    "resealed",
]

HOSTILE = [
    None, True, False, 0, 1, -1, 2**31, 2**62, -(2**63), 0.5, -1e300, 1e300, "", "nan", "x" * 300,
    "skvae.VAETransformer", "os.system", [], {}, [[]], {"float": "nan"}, {"callable": "os.system"},
    {"tuple": [1, 2, 3]}, {"dict": [["a", 1]]}, {"array": "C"}, {"device": "meta"},
    {"scalar": ["int8", 900]}, {"tuple": [10**6] * 50},
    {"estimator": {"class": "skvae.VAETransformer", "parameters": {}}},
]  # fmt: skip


def kept(estimator, folder, **options):
    """Return an estimator from a file."""
    skvae.save(estimator, folder / "kept.skvae")
    return skvae.load(folder / "kept.skvae", **options)


def assert_same_detector(loaded, fitted, frame):
    """Assert that p-values and explanations of a detector that was loaded are equal."""
    np.testing.assert_array_equal(loaded.p_value(frame), fitted.p_value(frame))
    found, expected = (one.explain(frame[:3]).to_frame() for one in (loaded, fitted))
    assert found.equals(expected)


def must_hold(expected, place, got):
    """Return what load says of a file with another thing at a place."""
    return (
        f"The file must hold {expected} as {place}. Got {got} instead. Take another copy of it, or "
        f"save the estimator again."
    )


def resealed(path, change):
    """Change what a file holds by ``change(document, arrays)``, and its checksum with it."""
    document, arrays = unpack_file(Path(path).read_bytes())
    change(document, arrays)
    Path(path).write_bytes(pack_file(document, arrays))


def mutated(data, rng):
    """Return a file changed at random, and the name of what was done to it."""
    name = sorted(MUTATIONS)[rng.randint(len(MUTATIONS))]
    return MUTATIONS[name](data, rng), name


def edited(change):
    """Return a mutation of what a file holds, its checksum made anew."""

    def mutate(data, rng):
        document, arrays = unpack_file(data)
        document, arrays = change(copy.deepcopy(document), arrays, rng)
        try:
            return pack_file(document, arrays)
        except ValueError:  # too deep, or not of JSON: no file
            return data

    return mutate


def _flip(data, rng):
    data = bytearray(data)
    for place in rng.randint(len(data), size=rng.randint(1, 9)):
        data[place] ^= 1 << rng.randint(8)
    return bytes(data)


def _cut(data, rng):
    return data[: rng.randint(len(data))]


def _lengthen(data, rng):
    return data + rng.bytes(rng.randint(1, 100))


def _change_length(data, rng):
    length = [0, 1, 7, 2**16, 2**24, 2**31, 2**63, 2**64 - 1, rng.randint(2 * len(data))]
    return int(length[rng.randint(len(length))]).to_bytes(8, "little") + data[8:]


def _splice(data, rng):
    start, stop = np.sort(rng.randint(len(data), size=2))
    return data[:start] + rng.bytes(rng.randint(64)) + data[stop:]


def _change_header(data, rng):
    """Put JSON of another kind into the header: deep, wide, repeated, or of other offsets."""
    length = int.from_bytes(data[:8], "little")
    header = data[8 : 8 + length]
    deep = rng.randint(1, 5000)
    choices = [
        b"[" * deep + b"]" * deep,
        b'{"a":' * deep + b"1" + b"}" * deep,
        b"[" + b"[]," * deep + b"1]",
        header.replace(b'"shape":[', b'"shape":[%d,' % rng.randint(1, 2**31 - 1), 1),
        header.replace(b'"data_offsets":[0,', b'"data_offsets":[0,9', 1),
        header.replace(b'"F32"', b'"F64"', 1),
        header.replace(b'"F64"', b'"BF16"', 1),
        b"{" + header[1:].rstrip()[:-1] + b"," + header[1:].lstrip(),
        b"9" * deep,
        b'"' * deep,
    ]
    header = choices[rng.randint(len(choices))]
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def _places(node, found=None):
    """Return (container, key) of everything in a JSON document."""
    found = [] if found is None else found
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for key in keys:
        found.append((node, key))
        _places(node[key], found)
    return found


def _any_place(document, rng):
    places = _places(document)
    return places[rng.randint(len(places))]


def _put(document, arrays, rng):
    container, key = _any_place(document, rng)
    container[key] = copy.deepcopy(HOSTILE[rng.randint(len(HOSTILE))])
    return document, arrays


def _drop(document, arrays, rng):
    container, key = _any_place(document, rng)
    del container[key]
    return document, arrays


def _rename(document, arrays, rng):
    container, key = _any_place(document, rng)
    if isinstance(container, dict):
        container[f"{key}x"[rng.randint(2) :]] = container.pop(key)
    return document, arrays


def _exchange(document, arrays, rng):
    (one, key), (other, place) = _any_place(document, rng), _any_place(document, rng)
    one[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(one[key])
    return document, arrays


def _nest(document, arrays, rng):
    container, key = _any_place(document, rng)
    for _ in range(rng.randint(1, 80)):
        container[key] = [container[key]] if rng.randint(2) else {"tuple": [container[key]]}
    return document, arrays


def _any_array(arrays, rng):
    return sorted(arrays)[rng.randint(len(arrays))] if arrays else None


def _swap_arrays(document, arrays, rng):
    one, other = _any_array(arrays, rng), _any_array(arrays, rng)
    if one:
        arrays[one], arrays[other] = arrays[other], arrays[one]
    return document, arrays


def _rename_array(document, arrays, rng):
    name = _any_array(arrays, rng)
    if name:
        arrays[f"{name}x"] = arrays.pop(name)
    return document, arrays


def _change_array(document, arrays, rng):
    name = _any_array(arrays, rng)
    if not name or arrays[name].size == 0:
        return document, arrays
    array = arrays[name].copy()
    flat = array.reshape(-1)
    place = rng.randint(array.size)
    choices = ["bits", "shorter", "longer", "flat", "dtype", "value", "axis"]
    choice = choices[rng.randint(len(choices))]
    if choice == "bits" and array.dtype != bool:
        flat.view(np.uint8)[rng.randint(array.nbytes)] ^= 1 << rng.randint(8)
    elif choice == "value":
        values = [np.nan, np.inf, -1e30, 1e30] if array.dtype.kind == "f" else [0, 1, 255 % 128]
        flat[place] = values[rng.randint(len(values))]
    else:
        array = {
            "bits": array,
            "shorter": flat[:-1],
            "longer": np.append(flat, flat[:1]),
            "flat": flat,
            "dtype": array.astype(["float64", "int32", "bool", "uint8"][rng.randint(4)]),
            "axis": array[None],
        }[choice]
    arrays[name] = array
    return document, arrays


MUTATIONS = {
    "flip": _flip,
    "cut": _cut,
    "lengthen": _lengthen,
    "change the length": _change_length,
    "splice": _splice,
    "change the header": _change_header,
    "put a value": edited(_put),
    "drop": edited(_drop),
    "rename": edited(_rename),
    "exchange": edited(_exchange),
    "nest": edited(_nest),
    "swap arrays": edited(_swap_arrays),
    "rename an array": edited(_rename_array),
    "change an array": edited(_change_array),
}
