"""What all estimators share: hyper-parameters, ``fit``, and the methods of a fitted model.

The names here are those that models of one's own are made of.
"""

from skvae.base.hyperparameters import NON_NEGATIVE, hyperparameters
from skvae.base.variational import BaseVAETransformer

__all__ = ["NON_NEGATIVE", "BaseVAETransformer", "hyperparameters"]
