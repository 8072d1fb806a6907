"""The shared parts of all estimators: hyper-parameters, ``fit``, methods of a fitted model.

The names exported here are public: use them to write your own models.
"""

from skvae.base.hyperparameters import NON_NEGATIVE, hyperparameters
from skvae.base.variational import BaseVAETransformer

__all__ = ["NON_NEGATIVE", "BaseVAETransformer", "hyperparameters"]
