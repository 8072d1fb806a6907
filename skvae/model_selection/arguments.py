"""The arguments of ``beta_curve``: checks, and the values that they stand for."""

from math import ceil
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from skvae.base.planning import NETWORK_PARAMETERS
from skvae.base.variational import BaseVAETransformer

__all__ = ["check_betas", "check_epochs", "check_estimator", "seeded"]


def check_betas(betas):
    """Return the values as an array of numbers."""
    try:
        values = np.asarray(betas)
        valid = values.ndim == 1 and values.size > 0 and values.dtype.kind in "iuf"
        valid = valid and np.isfinite(values).all() and values.min() >= 0
    except ValueError:  # ragged
        valid = False
    if not valid:
        raise ValueError(
            f"betas must be a sequence of finite numbers of at least 0. Got {betas!r} instead. "
            f"Give one or more."
        )
    return values


def check_estimator(estimator, param_name, warm_start):
    """Return the prefix that the parameter names of the variational autoencoder have."""
    prefix, vae = "", estimator
    while not isinstance(vae, BaseVAETransformer):
        if isinstance(vae, Pipeline):
            name, vae = vae.steps[-1]
        elif hasattr(vae, "estimator") and hasattr(vae, "sample"):  # a TableTransformer
            name, vae = "estimator", vae.estimator
        else:
            raise TypeError(
                f"beta_curve needs a variational autoencoder, a Pipeline that ends in one, or a "
                f"TableTransformer of one. Got {type(vae).__name__} instead. Use one, such as "
                f"BetaVAETransformer."
            )
        prefix += f"{name}__"
    parameters = estimator.get_params()
    if param_name not in parameters:
        such = param_name if f"{prefix}{param_name}" in parameters else "lr"
        raise ValueError(
            f"param_name must be a parameter of {type(estimator).__name__}. Got {param_name!r} "
            f"instead. Use one of its get_params(), such as '{prefix}{such}'."
        )
    trained = [f"{prefix}{name}" for name in vae.get_params() if name not in NETWORK_PARAMETERS]
    if warm_start and param_name not in trained:
        raise ValueError(
            f"Fits that start warm need a parameter of the training of {type(vae).__name__}. Got "
            f"param_name={param_name!r}, from which the network or its input is made, instead. "
            f"Set warm_start=False."
        )
    return prefix


def check_epochs(warm_epochs, max_epochs):
    """Return the number of epochs of a warm-started fit."""
    if isinstance(warm_epochs, Integral):
        if warm_epochs >= 1 and not isinstance(warm_epochs, bool):
            return int(warm_epochs)
    elif isinstance(warm_epochs, Real) and 0 < warm_epochs <= 1:
        return ceil(warm_epochs * max_epochs)
    raise ValueError(
        f"warm_epochs must be a share of max_epochs, a float in (0, 1], or an int of at least 1. "
        f"Got {warm_epochs!r} instead. Give either."
    )


def seeded(estimator, random_state):
    """Return the estimator, or a clone with the random state if one is given."""
    if random_state is None:
        return estimator
    if not isinstance(random_state, Integral):
        random_state = check_random_state(random_state).randint(2**31 - 1)
    names = [n for n in estimator.get_params() if n.rpartition("__")[2] == "random_state"]
    return clone(estimator).set_params(**dict.fromkeys(names, random_state))
