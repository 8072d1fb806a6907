"""scikit-learn's base classes, and its decorators, with types."""

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

MYPY = False  # which mypy takes to be true
Method = TypeVar("Method", bound=Callable)

# A class with a base that mypy does not know takes any argument, and has any attribute.
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
    """Return scikit-learn's ``available_if``; the method keeps its signature."""
    decorator: Any = available_if(check)
    return decorator
