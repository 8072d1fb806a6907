"""Fields made of other fields: lists, dicts and objects, and attributes that may be absent."""

from skvae.files.errors import SavingError, refusal
from skvae.saving.fields import Field

__all__ = [
    "DictOf",
    "Held",
    "ListOf",
    "Maybe",
    "OrNone",
    "TupleOf",
    "read_fields",
    "write_fields",
]


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
