"""Hyper-parameters of an estimator, which are declared once, as annotated fields of the class.

This module also has their validation. It uses private names of scikit-learn.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from functools import cache
from numbers import Integral, Real
from typing import TypeVar, dataclass_transform

import torch
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)

from skvae._typing import Integers, Seed
from skvae.base.documentation import DocumentationLinks
from skvae.base.parameter_texts import (
    AUTOENCODER_WORDS,
    LIKELIHOOD_PARAMETERS,
    SHARED_ATTRIBUTES,
    SHARED_PARAMETERS,
    VAE_ATTRIBUTES,
    VAE_WORDS,
)
from skvae.base.sklearn_bases import BaseEstimator
from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.layout import COUNTS
from skvae.nn.likelihoods import LIKELIHOODS
from skvae.nn.perceptrons import ACTIVATIONS
from skvae.training.callbacks import check_copies
from skvae.training.optimizers import OPTIMIZERS
from skvae.training.precision import PRECISIONS

__all__ = [
    "SharedParameters",
    "check_argument",
    "check_integer",
    "hyperparameters",
    "is_positive_integer",
]


class Numbers(Interval):
    """An interval of numbers that excludes True and False, which Python takes for 1 and 0."""

    def is_satisfied_by(self, value):
        return not isinstance(value, bool) and super().is_satisfied_by(value)


NON_NEGATIVE = [Numbers(Real, 0, None, closed="left")]
POSITIVE = [Numbers(Real, 0, None, closed="neither")]
INTEGER = [Numbers(Integral, None, None, closed="neither")]
NON_NEGATIVE_INTEGER = [Numbers(Integral, 0, None, closed="left")]
POSITIVE_INTEGER = [Numbers(Integral, 1, None, closed="left")]
TWO_OR_MORE = [Numbers(Integral, 2, None, closed="left")]
POSITIVE_SHARE = [Numbers(Real, 0, 1, closed="right")]
PROPER_FRACTION = [Numbers(Real, 0, 1, closed="neither")]
SHARE_NOT_COUNT = [Interval(RealNotInt, 0, 1, closed="neither")]  # used together with an integer
AT_MOST_HALF = [Numbers(Real, 0, 0.5, closed="right")]
TRANSFORMER = [HasMethods(["fit", "transform"])]

Class = TypeVar("Class")


def one_of(*options):
    """Return the constraint that a parameter is one of these strings."""
    return [StrOptions(set(options))]


def check_argument(name, value, constraint, function):
    """Raise scikit-learn's error if an argument of a function violates its constraint."""
    validate_parameter_constraints({name: constraint}, {name: value}, function)


def check_integer(name, value, function, least=1):
    """Raise scikit-learn's error if an argument is not an integer of at least ``least``."""
    check_argument(name, value, [Numbers(Integral, least, None, closed="left")], function)


def is_positive_integer(value):
    """Return whether a value is an integer of at least 1."""
    return POSITIVE_INTEGER[0].is_satisfied_by(value)


@dataclass_transform(eq_default=False)
def hyperparameters(cls: type[Class]) -> type[Class]:
    """Make the annotated fields of a class its constructor's parameters.

    scikit-learn requires an explicit ``__init__`` that stores every argument under its own name
    and does nothing else. The standard library's ``dataclass`` writes it. In the docstring,
    ``%(parameters)s`` and ``%(attributes)s`` are replaced by the shared texts.

    Parameters
    ----------
    cls : type
        A class with annotated fields.

    Returns
    -------
    type
        The same class.
    """
    if cls.__doc__ and "%(parameters)s" in cls.__doc__:
        parameters, attributes, words = SHARED_PARAMETERS, SHARED_ATTRIBUTES, AUTOENCODER_WORDS
        noise_variance = getattr(cls, "noise_variance", None)
        if noise_variance is not None:
            parameters = f"{parameters}\n    {LIKELIHOOD_PARAMETERS}"
            attributes = f"{VAE_ATTRIBUTES}\n    {attributes}"
            likelihoods = ", ".join(f'"{name}"' for name in (*LIKELIHOODS, *COUNTS))
            words = {
                **VAE_WORDS,
                "noise_variance": noise_variance,
                "likelihoods": likelihoods,
            }
        cls.__doc__ = cls.__doc__.replace("%(parameters)s", parameters.format(**words))
        cls.__doc__ = cls.__doc__.replace("%(attributes)s", attributes.format(**words))
    return dataclass(cls, eq=False, repr=False)


@hyperparameters
class SharedParameters(DocumentationLinks, BaseEstimator):
    """The parameters that all autoencoders have."""

    n_components: int = 10
    _: KW_ONLY
    hidden_layer_sizes: Integers = (128, 64)
    activation: str | Callable[[], torch.nn.Module] = "silu"
    image_shape: Integers | None = None
    architecture: str = "residual"
    encoder: Callable[[int, int], torch.nn.Module] | None = None
    decoder: Callable[[int, int], torch.nn.Module] | None = None
    input_scale: float = 1.0
    max_epochs: int = 100
    batch_size: int = 256
    lr: float = 1e-3
    optimizer: str | Callable[..., torch.optim.Optimizer] = "adam"
    weight_decay: float = 0.0
    callbacks: list | tuple | None = None
    device: str | torch.device = "cpu"
    precision: str = "float32"
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 1e-4
    warm_start: bool = False
    verbose: int = 0
    random_state: Seed = None

    _parameter_constraints = {
        "n_components": POSITIVE_INTEGER,
        "hidden_layer_sizes": ["array-like"],
        "activation": [*one_of(*ACTIVATIONS), callable],
        "image_shape": ["array-like", None],
        "architecture": one_of(*ARCHITECTURES),
        "encoder": [callable, None],
        "decoder": [callable, None],
        "input_scale": POSITIVE,
        "max_epochs": POSITIVE_INTEGER,
        "batch_size": POSITIVE_INTEGER,
        "lr": POSITIVE,
        "optimizer": [*one_of(*OPTIMIZERS), callable],
        "weight_decay": NON_NEGATIVE,
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "precision": one_of(*PRECISIONS),
        "early_stopping": ["boolean"],
        "validation_fraction": PROPER_FRACTION,
        "n_iter_no_change": POSITIVE_INTEGER,
        "tol": NON_NEGATIVE,
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    @classmethod
    @cache
    def _get_param_names(cls):
        """Return the parameter names, cached, since scikit-learn reads them in every call."""
        return super()._get_param_names()

    def _validate_params(self):
        unset = [field.name for field in fields(self) if field.name not in vars(self)]
        if unset:
            raise TypeError(
                f"The constructor of {type(self).__name__} must set every parameter of its base "
                f"classes. Got one that leaves out {len(unset)}, the first of them {unset[0]}, "
                f"instead. Call super().__init__ in it."
            )
        super()._validate_params()

    def __sklearn_clone__(self):
        if isinstance(self.callbacks, list | tuple):
            check_copies(self.callbacks)  # scikit-learn's own error would not say what to do
        return super().__sklearn_clone__()
