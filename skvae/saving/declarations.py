"""How a class joins: a declaration of what its estimators hold, from which they are made again."""

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

OUTPUT = "_sklearn_output_config"  # what set_output sets, before or after fit
ANY = Field()


def _attributes(estimator):
    return estimator.__getstate__()


def _restore(estimator, state, file, place):
    vars(estimator).update(state)


@dataclass(frozen=True)
class Declaration:
    """What the estimators of a class hold.

    Parameters
    ----------
    cls : type
        The class, whose subclasses are saved in the same way.
    fitted : mapping of {str: Field}
        What fit leaves, by attribute; those that may be absent are ``Maybe``.
    parameters : mapping of {str: Field}, default={}
        Parameters that are not any value.
    attributes : callable, default=__getstate__
        Of an estimator; returns parameters and fitted attributes, as a dict.
    restore : callable, default=sets the attributes
        Called with an estimator that has its parameters, what was read by name, the file and the
        place; makes it a fitted one, or refuses what does not fit together.
    takes : callable, default=takes all
        Of an estimator of the class or below it; returns whether it is saved by this declaration.
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
    """Return the names of an estimator's parameters: its constructor's, and those declared."""
    declared = {one.name for one in fields(cls)} if is_dataclass(cls) else set()
    return sorted(declared | set(cls._get_param_names()))


def default_of(cls, name, place):
    """Return the default of a parameter that a file of an earlier version does not have."""
    signature = inspect.signature(cls.__init__).parameters
    default = signature[name].default if name in signature else inspect.Parameter.empty
    if default is inspect.Parameter.empty and is_dataclass(cls):
        (default,) = [one.default for one in fields(cls) if one.name == name] or [MISSING]
    if default in (inspect.Parameter.empty, MISSING):
        raise refusal(place, f"the parameter {name}, which has no default,", "none")
    return default


def parameters_in(found, cls, place):
    """Return parameters read from a file: all that a class has, and none that it has not."""
    names = parameter_names(cls)
    for name in found:
        if name not in names:
            raise refusal(place, f"parameters that {cls.__name__} has", name)
    return {name: found[name] if name in found else default_of(cls, name, place) for name in names}


def make_unfitted(cls, parameters, place):
    """Return an estimator with these parameters, which are valid; no constructor is called."""
    estimator = cls.__new__(cls)
    vars(estimator).update(parameters)
    check_parameters(estimator, place)
    return estimator


def check_parameters(estimator, place, saved=False):
    """Refuse parameters that ``fit`` would refuse."""
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
