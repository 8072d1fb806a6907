"""A text that identifies a fit, made from the parameters of the estimator and its rows."""

import functools
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from sklearn.compose import make_column_selector

from skvae.base.building import parameters_of
from skvae.training.batches import dense_rows

__all__ = ["CheckpointOf", "described", "identity_of"]

SHOWS_ALONE = {"verbose"}  # parameters that do not change the result of a fit
CHUNK_BYTES = 2**20
LONG = 100  # an array with more entries is described by a checksum


@dataclass(frozen=True)
class CheckpointOf:
    """The path of a checkpoint, and what an estimator around the one that is trained is told by."""

    path: Any
    identity: dict[str, str] = field(default_factory=dict)


def identity_of(estimator, X, X_val=None):
    """Return the texts that identify a fit: two fits are the same if all texts are equal.

    Functions and classes are described by their names, other objects by their class and their
    parameters.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        An estimator whose ``random_state`` has not been used yet in this fit.
    X, X_val : ndarray or CSR
        Valid rows. ``X_val`` may be None.

    Returns
    -------
    dict of {str: str}

    Examples
    --------
    >>> import numpy as np
    >>> from skvae import VAETransformer
    >>> from skvae.base.identity import identity_of
    >>> identity = identity_of(VAETransformer(2), np.eye(3))
    >>> identity["estimator"], identity["n_components"]
    ('skvae.vae.VAETransformer', '2')
    >>> identity["X"]
    '(3, 3) of <f8, 7df78a07c8cfb95281f9865a90f87153'
    """
    return {
        "estimator": _name(type(estimator)),
        **{
            name: described(value)
            for name, value in _parameters(estimator).items()
            if name not in SHOWS_ALONE
        },
        "X": _of_rows(X),
        "X_val": "None" if X_val is None else _of_rows(X_val),
    }


def _parameters(estimator):
    """Return all parameters, including those that do not affect the network."""
    of_training = {name: getattr(estimator, name) for name in ("callbacks", "random_state")}
    return parameters_of(estimator) | of_training


def _of_rows(X):
    """Return shape, dtype and checksum of rows. They do not depend on the memory layout."""
    found = blake2b(digest_size=16)
    n_rows = max(1, CHUNK_BYTES // max(1, X.shape[1] * X.dtype.itemsize))
    for start in range(0, X.shape[0], n_rows):
        found.update(np.ascontiguousarray(dense_rows(X, slice(start, start + n_rows))))
    return f"{X.shape} of {X.dtype.str}, {found.hexdigest()}"


def described(value):
    """Return a text for a parameter, which is the same in every process."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.random.RandomState):
        value = value.get_state()
    if isinstance(value, np.ndarray) and value.size > LONG:
        checksum = blake2b(np.ascontiguousarray(value).data, digest_size=16).hexdigest()
        return f"array of {value.shape} {value.dtype.str}, {checksum}"
    if isinstance(value, list | tuple | np.ndarray):
        return f"({', '.join(described(one) for one in value)})"
    if isinstance(value, dict):
        return f"({', '.join(f'{key!r}: {described(one)}' for key, one in value.items())})"
    if isinstance(value, make_column_selector):
        return f"{_name(type(value))}{described(vars(value))}"
    if isinstance(value, functools.partial):
        return f"{_name(value.func)}{described(value.args)}{described(value.keywords)}"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if callable(value) and hasattr(value, "__qualname__"):
        return _name(value)
    parameters = value.get_params(deep=False) if hasattr(value, "get_params") else {}
    if parameters:
        return f"{_name(type(value))}{described(parameters)}"
    # The text of a torch.device, for example, is complete. Other texts have a memory address.
    plain = type(value).__repr__ is not object.__repr__ and " at 0x" not in repr(value)
    return repr(value) if plain else _name(type(value))


def _name(thing):
    return f"{thing.__module__}.{thing.__qualname__}"
