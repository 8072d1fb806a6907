"""The autoencoder behind the encoder of a table."""

from copy import deepcopy

from skvae.base.pipelines import seeded_clone
from skvae.vae import VAETransformer

__all__ = ["continued", "model_of_codes"]


def model_of_codes(estimator, random_state):
    """Return the autoencoder to fit to the codes of a table: a clone, seeded.

    Parameters
    ----------
    estimator : estimator or None
        As of a TableTransformer.
    random_state : int, RandomState instance or None
        Seeds one whose own ``random_state`` is None.

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
            f"TableTransformer takes an estimator. Got {estimator!r} instead. Give an instance of "
            f"one, such as VAETransformer(5, missing='mask')."
        )
    likelihood = estimator.get_params(deep=False).get("likelihood")
    if likelihood is None:
        raise ValueError(
            f"TableTransformer needs a variational autoencoder, which has a likelihood for "
            f"every column. Got {type(estimator).__name__} instead. Put it behind a "
            f"TableEncoder, in a Pipeline."
        )
    if not isinstance(likelihood, str) or likelihood != "gaussian":
        raise ValueError(
            f"TableTransformer takes the likelihood from its encoder. Got an estimator with "
            f"likelihood={likelihood!r} instead. Leave it at the default."
        )
    return seeded_clone(estimator, random_state)


def continued(estimator, before):
    """Return the autoencoder to go on with: where it starts warm, that of the fit before.

    Parameters
    ----------
    estimator : estimator
        As :func:`model_of_codes` returns it, with the likelihood of the codes.
    before : estimator or None
        The fitted one, which stays as it is.

    Raises
    ------
    ValueError
        If the codes are of other kinds.
    """
    if not estimator.warm_start or type(before) is not type(estimator):
        return estimator
    if before.likelihood != estimator.likelihood:
        raise ValueError(
            "A fit that starts warm needs the columns and levels of the fit before. Got a table "
            "with other codes instead. Set warm_start=False."
        )
    return deepcopy(before).set_params(**estimator.get_params(deep=False))
