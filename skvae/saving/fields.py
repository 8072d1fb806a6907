"""Fields: kinds of attributes. Each writes an attribute to a file and checks what it reads."""

from abc import ABC, abstractmethod
from numbers import Integral, Real

import numpy as np

from skvae.files.errors import SavingError, refusal
from skvae.files.values import read_texts, read_value, write_texts, write_value

__all__ = [
    "Array",
    "Checked",
    "DictOf",
    "Field",
    "Flag",
    "Held",
    "ListOf",
    "Maybe",
    "Number",
    "OneOf",
    "OrNone",
    "Texts",
    "TupleOf",
    "check_finite",
    "object_array",
    "read_fields",
    "write_fields",
]


class Field:
    """A field for any value that a file can hold.

    ``write(value, file, place)`` returns the JSON content of a value.
    ``read(node, file, place)`` returns the value again.
    """

    def write(self, value, file, place):
        return write_value(value, file, place)

    def read(self, node, file, place):
        return read_value(node, file, place)


class Checked(Field, ABC):
    """A value that must pass :meth:`admits` when it is written and when it is read."""

    expected: str

    @abstractmethod
    def admits(self, value):
        """Return whether a value is allowed."""

    def write(self, value, file, place):
        if not self.admits(value):
            raise SavingError(
                f"save needs {self.expected} as {place}. Got {value!r} instead. Fit the estimator "
                f"again."
            )
        return super().write(value, file, place)

    def read(self, node, file, place):
        value = super().read(node, file, place)
        if not self.admits(value):
            raise refusal(place, self.expected, value)
        return value


class Number(Checked):
    """A finite number between ``least`` and ``most``, from Python or NumPy."""

    def __init__(self, kind=Real, least=-np.inf, most=np.inf):
        self.kind, self.least, self.most = kind, least, most
        self.expected = "an integer" if kind is Integral else "a finite number"
        self.expected += "" if least == -np.inf else f" of at least {least}"

    def admits(self, value):
        if isinstance(value, bool | np.bool_) or not isinstance(value, self.kind):
            return False
        return bool(np.isfinite(value)) and self.least <= value <= self.most


class Flag(Checked):
    """True or False."""

    expected = "true or false"

    def admits(self, value):
        return isinstance(value, bool)


class OneOf(Checked):
    """One of some strings, or None if it is among the options."""

    def __init__(self, *options):
        self.options = options
        self.expected = f"one of {', '.join(map(repr, options))}"

    def admits(self, value):
        return (value is None or type(value) is str) and value in self.options


class Array(Field):
    """An array of one dtype. Its axes have names, and axes with the same name have equal lengths.

    Parameters
    ----------
    dtype : str
        The name of the dtype.
    *shape : str or None
        The names of the axes; None allows any length.
    special : {"", "nan", "nan or inf"}, default=""
        Which values the array may hold besides finite numbers.
    """

    def __init__(self, dtype, *shape, special=""):
        self.dtype, self.shape, self.special = np.dtype(dtype), shape, special

    def read(self, node, file, place):
        array = read_value(node, file, place)
        if not isinstance(array, np.ndarray) or array.dtype != self.dtype:
            got = array.dtype if isinstance(array, np.ndarray) else array
            raise refusal(place, f"an array of {self.dtype}", f"{got}")
        if array.ndim != len(self.shape):
            raise refusal(place, f"an array of {len(self.shape)} axes", f"{array.ndim}")
        for length, name in zip(array.shape, self.shape, strict=True):
            if name is not None:
                file.agree(length, name, place)
        check_finite(array, self.special, place)
        return array


class Texts(Field):
    """A sequence of str: an array of objects, a list, or a set."""

    def __init__(self, make, size=None):
        self.make, self.size = make, size

    def write(self, value, file, place):
        texts = sorted(value) if self.make is set else list(value)
        if not all(isinstance(text, str) for text in texts):
            raise SavingError(
                f"save needs text as {place}. Got {texts!r} instead. Fit on columns that have "
                f"such names."
            )
        write_texts(texts, file, place)
        return len(texts)

    def read(self, node, file, place):
        texts = read_texts(file, place)
        if node != len(texts):
            raise refusal(place, f"the number of its {len(texts)} texts", node)
        if self.size is not None:
            file.agree(len(texts), self.size, place)
        return self.make(texts)


class ListOf(Field):
    """A list or a tuple whose items have the same field; its length can have a name."""

    def __init__(self, field, size=None, make=list):
        self.field, self.size, self.make = field, size, make

    def write(self, value, file, place):
        return [self.field.write(one, file, f"{place}[{n}]") for n, one in enumerate(value)]

    def read(self, node, file, place):
        if not isinstance(node, list):
            raise refusal(place, "a list", node)
        if self.size is not None:
            file.agree(len(node), self.size, place)
        return self.make(self.field.read(one, file, f"{place}[{n}]") for n, one in enumerate(node))


class DictOf(Field):
    """A dict whose values have the same field; its keys are str, or int if ``key`` is int."""

    def __init__(self, field, key=str):
        self.field, self.key = field, key

    def write(self, value, file, place):
        return {
            str(key): self.field.write(one, file, f"{place}.{key}") for key, one in value.items()
        }

    def read(self, node, file, place):
        if not isinstance(node, dict):
            raise refusal(place, "names and values", node)
        if self.key is int and not all(key.isdecimal() and len(key) < 10 for key in node):
            raise refusal(place, "numbers and values", node)
        return {
            self.key(key): self.field.read(one, file, f"{place}.{key}") for key, one in node.items()
        }


class Maybe(Field):
    """A field of an attribute that may be absent."""

    def __init__(self, field):
        self.write, self.read = field.write, field.read


class OrNone(Field):
    """A field that may be None."""

    def __init__(self, field):
        self.field = field

    def write(self, value, file, place):
        return None if value is None else self.field.write(value, file, place)

    def read(self, node, file, place):
        return None if node is None else self.field.read(node, file, place)


class TupleOf(Field):
    """A tuple with one field for each item."""

    def __init__(self, *fields):
        self.fields = fields

    def write(self, value, file, place):
        pairs = enumerate(zip(self.fields, value, strict=True))
        return [field.write(one, file, f"{place}[{n}]") for n, (field, one) in pairs]

    def read(self, node, file, place):
        if not isinstance(node, list) or len(node) != len(self.fields):
            raise refusal(place, f"a list of {len(self.fields)}", node)
        pairs = enumerate(zip(self.fields, node, strict=True))
        return tuple(field.read(one, file, f"{place}[{n}]") for n, (field, one) in pairs)


class Held(Field):
    """An object of a class of this package, stored as its attributes; no constructor is called.

    Sizes named in ``its_own`` can differ between such objects. Other sizes are equal in all.
    """

    def __init__(self, cls, fields, its_own=()):
        self.cls, self.fields, self.its_own = cls, fields, its_own

    def write(self, value, file, place):
        return write_fields(self.fields, vars(value), file, place)

    def read(self, node, file, place):
        held = self.cls.__new__(self.cls)
        vars(held).update(read_fields(self.fields, node, file, place))
        for name in self.its_own:
            file.sizes.pop(name, None)
        return held


def write_fields(fields, values, file, place):
    """Return the JSON content of declared attributes; raise if one is undeclared or missing."""
    unknown = sorted(values.keys() - fields.keys())
    missing = [name for name, field in fields.items() if not isinstance(field, Maybe)]
    missing = [name for name in missing if name not in values]
    if unknown or missing:
        raise SavingError(
            f"A file keeps parameters, and what fit has found. Got {place}, "
            f"{f'with the attribute {unknown[0]!r}' if unknown else f'without {missing[0]!r}'}, "
            f"instead. {'Delete it' if unknown else 'Fit it'} before saving."
        )
    return {
        name: field.write(values[name], file, f"{place}.{name}")
        for name, field in fields.items()
        if name in values
    }


def read_fields(fields, node, file, place):
    """Return the declared attributes by name, in the order of the declaration."""
    if not isinstance(node, dict):
        raise refusal(place, "names and values", node)
    for name in node:
        if name not in fields:
            raise refusal(place, f"some of {', '.join(fields)}", name)
    for name, field in fields.items():
        if name not in node and not isinstance(field, Maybe):
            raise refusal(place, f"{name} among others", "none")
    return {
        name: field.read(node[name], file, f"{place}.{name}")
        for name, field in fields.items()
        if name in node
    }


def object_array(texts):
    """Return text as an array of objects, as scikit-learn stores column names.

    Examples
    --------
    >>> from skvae.saving.fields import object_array
    >>> object_array(["a", "b"])
    array(['a', 'b'], dtype=object)
    """
    return np.array(texts, dtype=object)


def check_finite(array, special, place):
    """Raise an error for an array of floats with values that ``special`` does not allow."""
    if array.dtype.kind != "f":
        return
    bad = np.isinf(array) if special == "nan" else ~np.isfinite(array)
    if special != "nan or inf" and bad.any():
        raise refusal(place, "finite numbers", "inf or nan")
