"""Declarations of what the estimators of a class hold, from which a file makes them again."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any

from skvae.files.errors import SavingError, refusal
from skvae.saving.fields import Field

__all__ = [
    "OUTPUT",
    "Declaration",
    "check_parameters",
    "make_unfitted",
    "parameter_names",
    "parameters_in",
]

OUTPUT = "_sklearn_output_config"  # the attribute that set_output sets, before or after fit
ANY = Field()


def _attributes(estimator):
    return estimator.__getstate__()


def _restore(estimator, state, file, place):
    vars(estimator).update(state)


@dataclass(frozen=True)
class Declaration:
    """A description of the parameters and the fitted attributes of a class of estimators.

    Parameters
    ----------
    cls : type
        The class. Its subclasses are saved in the same way.
    fitted : mapping of {str: Field}
        The attributes that ``fit`` sets. Those that can be absent are ``Maybe``.
    parameters : mapping of {str: Field}, default={}
        Parameters that need a special field. All others can have any value.
    attributes : callable, default=__getstate__
        Takes an estimator; returns its parameters and fitted attributes as a dict.
    restore : callable, default=sets the attributes
        Takes an estimator with its parameters, a dict of what was read, the file and the place. It
        sets the fitted attributes, or raises an error if they do not match each other.
    takes : callable, default=takes all
        Takes an estimator of the class or a subclass; returns whether this declaration saves it.
    """

    cls: type
    fitted: Mapping[str, Field] = field(default_factory=dict)
    parameters: Mapping[str, Field] = field(default_factory=dict)
    attributes: Callable[[Any], dict] = _attributes
    restore: Callable[..., None] = _restore
    takes: Callable[[Any], bool] = lambda estimator: True

    def parameter(self, name):
        """Return the field of a parameter."""
        return self.parameters.get(name, ANY)


def parameter_names(cls):
    """Return the names of the parameters: those of the constructor and those of a dataclass."""
    declared = {one.name for one in fields(cls)} if is_dataclass(cls) else set()
    return sorted(declared | set(cls._get_param_names()))


def default_of(cls, name, place):
    """Return the default of a parameter that is missing in a file of an earlier version."""
    signature = inspect.signature(cls.__init__).parameters
    default = signature[name].default if name in signature else inspect.Parameter.empty
    if default is inspect.Parameter.empty and is_dataclass(cls):
        (default,) = [one.default for one in fields(cls) if one.name == name] or [MISSING]
    if default in (inspect.Parameter.empty, MISSING):
        raise refusal(place, f"the parameter {name}, which has no default,", "none")
    return default


def parameters_in(found, cls, place):
    """Return the parameters read from a file, with defaults; raise for names the class lacks."""
    names = parameter_names(cls)
    for name in found:
        if name not in names:
            raise refusal(place, f"parameters that {cls.__name__} has", name)
    return {name: found[name] if name in found else default_of(cls, name, place) for name in names}


def make_unfitted(cls, parameters, place):
    """Return an estimator with these parameters, validated, without calling its constructor."""
    estimator = cls.__new__(cls)
    vars(estimator).update(parameters)
    check_parameters(estimator, place)
    return estimator


def check_parameters(estimator, place, saved=False):
    """Raise an error for parameters that ``fit`` would not accept."""
    if not hasattr(estimator, "_parameter_constraints"):
        return
    try:
        estimator._validate_params()
    except (TypeError, ValueError) as error:
        if saved:
            raise SavingError(
                f"save needs valid parameters. Got {place}, of which fit says: {error} Set it "
                f"right."
            ) from error
        raise refusal(place, "valid parameters", f"{error}") from error
