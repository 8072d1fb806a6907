"""TableEncoder in a file: its fitted columns, and their names."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import _check_feature_names_in

from skvae._frames import import_pandas
from skvae.files.errors import SavingError, refusal
from skvae.saving.columns import Column
from skvae.saving.declarations import Declaration
from skvae.saving.dtypes import PURPOSE, DType, Levels, no_place_for
from skvae.saving.fields import Field, Number, Texts, object_array
from skvae.saving.nested_fields import ListOf, Maybe
from skvae.tabular.encoder import TableEncoder
from skvae.tabular.layout import layout_of

__all__ = ["TABLES"]


class FrameNames(Field):
    """The column names of a table: a pandas Index, a list for polars, or None for an array."""

    def write(self, value, file, place):
        if value is None:
            return None
        if isinstance(value, list):
            return ["polars", Levels().write(value, file, place)]
        if value.nlevels > 1:
            raise SavingError(
                f"A file keeps tables whose columns have one name each. Got {value.nlevels} levels "
                f"of names as {place} instead. Join them before the fit."
            )
        of_names = DType("pandas").write(value.dtype, file, f"{place}.of")
        return ["pandas", Levels().write(value.tolist(), file, place), of_names, _text(value.name)]

    def read(self, node, file, place):
        if node is None:
            return None
        library, *found = node if isinstance(node, list) and node else [node]
        if library == "polars" and len(found) == 1:
            return Levels().read(found[0], file, place)
        if library != "pandas" or len(found) != 3:
            raise refusal(place, "the names of a frame's columns", node)
        names, of_names = Levels().read(found[0], file, place), found[1]
        dtype = DType("pandas").read(of_names, file, f"{place}.of")
        pandas = import_pandas("load", PURPOSE)
        try:
            return pandas.Index(names, dtype=dtype, name=_text(found[2]))
        except (TypeError, ValueError, OverflowError) as error:
            raise refusal(place, "names of a dtype", f"{error}") from error


def _text(name):
    """Return the name of an index if it is text, or else None."""
    return name if type(name) is str else None


class Columns(ListOf):
    """The columns of an encoder. An error in writing gives the name of the column."""

    def write(self, value, file, place):
        return [
            self._written(name, column, file, f"{place}[{n}]")
            for n, (name, column) in enumerate(value)
        ]

    def _written(self, name, column, file, place):
        try:
            return self.field.write(column, file, place)
        except SavingError as error:
            levels = {type(one).__name__ for one in getattr(column, "levels", ())}
            of_levels = f" with levels of {', '.join(sorted(levels))}" if levels else ""
            raise no_place_for(f"column {name!r} of {column.form.dtype}{of_levels}") from error


FITTED = {
    "n_features_in_": Number(Integral, least=1),
    "feature_names_in_": Maybe(Texts(object_array, "n_columns")),
    "_frame_names_": FrameNames(),
    "_columns_": Columns(Column(), "n_columns"),
}


def _attributes(encoder):
    """Return the attributes of an encoder, without those that can be computed from the rest."""
    attributes = dict(vars(encoder))
    if "_columns_" in attributes:
        named = zip(encoder._names_, encoder._columns_, strict=True)
        attributes["_columns_"] = list(named)
        for name in ("_names_", *layout_of([("", encoder._columns_[0])])):
            del attributes[name]
    return attributes


def _restore(encoder, state, file, place):
    """Set the fitted attributes of an encoder, or raise an error if they do not match."""
    file.agree(state["n_features_in_"], "n_columns", place)
    columns, names = state["_columns_"], state["_frame_names_"]
    libraries = sorted({column.form.library for column in columns})
    kind = {"NoneType": "numpy", "list": "polars"}.get(type(names).__name__, "pandas")
    if libraries != [kind]:
        raise refusal(place, f"columns of {kind}", ", ".join(libraries))
    if names is not None:
        file.agree(len(names), "n_columns", f"{place}._frame_names_")
    vars(encoder).update(state)
    inputs = _check_feature_names_in(encoder).tolist()
    encoder._names_ = inputs if names is None else list(names)
    try:  # the decoded values of each column must fit into its dtype
        vars(encoder).update(layout_of(list(zip(inputs, columns, strict=True))))
        encoder.inverse_transform(np.zeros((1, encoder._n_features_out)))
    except Exception as error:
        raise refusal(place, "columns that hold their dtypes' values", f"{error}") from error


TABLES = {
    "skvae.tabular.TableEncoder": Declaration(
        TableEncoder, FITTED, attributes=_attributes, restore=_restore
    )
}
