"""The base classes and the decorators of scikit-learn, with types."""

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils.metaestimators import available_if

__all__ = [
    "MYPY",
    "BaseEstimator",
    "ClassNamePrefixFeaturesOutMixin",
    "OutlierMixin",
    "TransformerMixin",
    "only_if",
]

MYPY = False  # mypy assumes that a variable of this name is True
Method = TypeVar("Method", bound=Callable)

# If mypy does not know a base class, it accepts any argument and any attribute. So mypy reads
# stubs of the base classes.
if MYPY:
    from skvae.base.sklearn_types import (
        BaseEstimator,
        ClassNamePrefixFeaturesOutMixin,
        OutlierMixin,
        TransformerMixin,
    )
else:
    from sklearn.base import (
        BaseEstimator,
        ClassNamePrefixFeaturesOutMixin,
        OutlierMixin,
        TransformerMixin,
    )


def only_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """Return scikit-learn's ``available_if``, with a type that keeps the method's signature."""
    decorator: Any = available_if(check)
    return decorator
