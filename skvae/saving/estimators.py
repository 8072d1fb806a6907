"""Estimators in a file: declared classes by their declaration, other scikit-learn ones by skops."""

from collections import ChainMap
from inspect import isabstract

from skvae.files.context import name_of
from skvae.files.errors import SavingError, refusal
from skvae.saving.declarations import (
    OUTPUT,
    check_parameters,
    make_unfitted,
    parameter_names,
    parameters_in,
)
from skvae.saving.detectors import DETECTORS
from skvae.saving.fields import DictOf, Maybe, OneOf, read_fields, write_fields
from skvae.saving.imputers import IMPUTERS
from skvae.saving.pipelines import PIPELINES
from skvae.saving.scalers import SCALERS
from skvae.saving.sklearn_parts import read_sklearn_part, write_sklearn_part
from skvae.saving.table_models import TABLE_MODELS
from skvae.saving.tables import TABLES
from skvae.saving.transformers import TRANSFORMERS

__all__ = ["DECLARATIONS", "read_estimator", "write_estimator"]

# These names are in files, and never change.
DECLARATIONS = ChainMap(TRANSFORMERS, IMPUTERS, TABLES, TABLE_MODELS, DETECTORS, PIPELINES, SCALERS)
SETTINGS = {OUTPUT: Maybe(DictOf(OneOf("default", "pandas", "polars", None)))}


def write_estimator(estimator, file, place):
    """Return the JSON content of an estimator; its arrays are added to the file.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    file : Writing
        Receives the arrays.
    place : str
        The name of its place in the estimator that holds it.
    """
    cls = type(estimator)
    name, declaration = _declaration_of(estimator)
    if declaration is None:
        if cls.__module__.startswith("sklearn."):
            return {"scikit-learn": write_sklearn_part(estimator, file, place)}
        raise SavingError(
            f"A file keeps this package's estimators, Pipelines, and what is of scikit-learn. Got "
            f"{place}, a {cls.__name__}, instead. Leave it out, or pickle the estimator."
        )
    check_parameters(estimator, place, saved=True)
    node = {"class": name}
    if cls is not declaration.cls:
        node["subclass"] = name_of(cls, place)
    attributes = dict(declaration.attributes(estimator))
    names = [name for name in parameter_names(cls) if name in attributes]
    node["parameters"] = {
        name: declaration.parameter(name).write(attributes.pop(name), file, f"{place}.{name}")
        for name in names
    }
    if OUTPUT in attributes:
        settings = {OUTPUT: attributes.pop(OUTPUT)}
        node["settings"] = write_fields(SETTINGS, settings, file, place)
    if attributes:
        node["fitted"] = write_fields(declaration.fitted, attributes, file, place)
    return node


def read_estimator(node, file, place):
    """Return the estimator that :func:`write_estimator` wrote."""
    if isinstance(node, dict) and node.keys() == {"scikit-learn"}:
        return read_sklearn_part(node["scikit-learn"], file, place)
    keys = {"class", "parameters", "subclass", "settings", "fitted"}
    if not isinstance(node, dict) or not {"class", "parameters"} <= node.keys() <= keys:
        raise refusal(place, "a class, its parameters, and what was fitted", node)
    if not isinstance(node["class"], str) or node["class"] not in DECLARATIONS:
        raise refusal(place, f"one of {', '.join(DECLARATIONS)}", node["class"])
    declaration = DECLARATIONS[node["class"]]
    cls = _subclass(node, declaration.cls, file, place)
    if not isinstance(node["parameters"], dict):
        raise refusal(place, "parameters by name", node["parameters"])
    parameters = {
        name: declaration.parameter(name).read(value, file, f"{place}.{name}")
        for name, value in node["parameters"].items()
    }
    estimator = make_unfitted(cls, parameters_in(parameters, cls, place), place)
    vars(estimator).update(read_fields(SETTINGS, node.get("settings", {}), file, place))
    if "fitted" in node:
        state = read_fields(declaration.fitted, node["fitted"], file, place)
        declaration.restore(estimator, state, file, place)
    return estimator


def _declaration_of(estimator):
    """Return the name and the declaration of an estimator's class, or of its nearest base class."""
    by_class = {declaration.cls: name for name, declaration in DECLARATIONS.items()}
    for cls in type(estimator).__mro__:
        if cls in by_class and DECLARATIONS[by_class[cls]].takes(estimator):
            return by_class[cls], DECLARATIONS[by_class[cls]]
    return None, None


def _subclass(node, cls, file, place):
    """Return the user's subclass that a file names, or the declared class."""
    if "subclass" not in node:
        if isabstract(cls):
            raise refusal(place, f"the name of a class below {cls.__name__}", "none")
        return cls
    found = file.resolve(node["subclass"], place)
    if not (isinstance(found, type) and issubclass(found, cls)) or isabstract(found):
        raise refusal(place, f"a subclass of {cls.__name__}", node["subclass"])
    return found
