"""Prepare the autoencoder that is fitted to the codes of a table."""

from copy import deepcopy

import numpy as np
from sklearn.base import clone

from skvae.base.identity import CheckpointOf
from skvae.base.pipelines import to_go_on
from skvae.tabular.identity import identity_of_table
from skvae.vae import VAETransformer

__all__ = ["continued", "fit_options", "knows_of_holes", "model_of_codes"]


def model_of_codes(estimator, random_state, checkpoint=None):
    """Return a clone of the autoencoder that is to be fitted to the codes of a table, seeded.

    Parameters
    ----------
    estimator : estimator or None
        The ``estimator`` of a TableTransformer.
    random_state : int, RandomState instance or None
        Seeds the clone if its own ``random_state`` is None.
    checkpoint : path, default=None
        The file of the checkpoint, if there is one.

    Raises
    ------
    TypeError
        If ``estimator`` is no estimator, or a class.
    ValueError
        If ``estimator`` has no ``likelihood``, or one that is not the default.

    Examples
    --------
    >>> from skvae.tabular.estimators import model_of_codes
    >>> model_of_codes(None, 0).missing
    'mask'
    """
    if estimator is None:
        estimator = VAETransformer(missing="mask", noise_variance="per-feature")
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(
            f"TableTransformer takes an estimator. Got {estimator!r} instead. Pass an instance, "
            f"such as VAETransformer(5, missing='mask')."
        )
    likelihood = estimator.get_params(deep=False).get("likelihood")
    if likelihood is None:
        raise ValueError(
            f"TableTransformer needs a variational autoencoder, which has a likelihood for "
            f"every column. Got {type(estimator).__name__} instead. Put it after a TableEncoder "
            f"in a Pipeline."
        )
    if not isinstance(likelihood, str) or likelihood != "gaussian":
        raise ValueError(
            f"TableTransformer takes the likelihood from its encoder. Got an estimator with "
            f"likelihood={likelihood!r} instead. Leave it at the default."
        )
    return to_go_on(estimator, random_state, checkpoint)


def continued(estimator, before):
    """Return the autoencoder to fit: with ``warm_start``, a copy of the one from the last fit.

    Parameters
    ----------
    estimator : estimator
        The result of :func:`model_of_codes`, with the likelihood of the codes.
    before : estimator or None
        The autoencoder of the last fit. It is not changed.

    Raises
    ------
    ValueError
        If the likelihood of the codes is not that of the last fit.
    """
    if not estimator.warm_start or type(before) is not type(estimator):
        return estimator
    if before.likelihood != estimator.likelihood:
        raise ValueError(
            "With warm_start=True, a table must have the columns and levels of the last fit. Got a "
            "table with other codes instead. Set warm_start=False."
        )
    return deepcopy(before).set_params(**estimator.get_params(deep=False))


def fit_options(encoder, X, X_val, checkpoint):
    """Return the keyword arguments for the ``fit`` of the autoencoder.

    Parameters
    ----------
    encoder : TableEncoder
        An encoder fitted to X.
    X, X_val : {DataFrame of pandas or polars, array-like}
        Tables. ``X_val`` may be None.
    checkpoint : path or None
        The ``checkpoint`` of a TableTransformer's ``fit``. The encoder and the tables identify it
        too.

    Returns
    -------
    dict
    """
    options = {} if X_val is None else {"X_val": np.asarray(encoder.transform(X_val))}
    if checkpoint is not None:
        identity = identity_of_table(clone(encoder), X, X_val)
        options["checkpoint"] = CheckpointOf(checkpoint, identity)
    return options


def knows_of_holes(table):
    """Return whether a TableTransformer has ``impute``, or raise an error that says why not.

    The autoencoder needs ``missing="mask"``, and the encoder ``missing="keep"``.
    """
    if table.encoder is not None and table.encoder.missing != "keep":
        raise AttributeError(
            f"impute needs an encoder that keeps missing values as NaN. Got {table.encoder!r} "
            f"instead. Set its missing='keep', and fit."
        )
    return table.estimator is None or bool(table.estimator.impute)
