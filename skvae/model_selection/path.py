"""Fits at one parameter value after another, and measures of each fit."""

from copy import deepcopy
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skvae.base.pipelines import last_step
from skvae.metrics.decomposition import decompose
from skvae.metrics.inputs import posterior_of
from skvae.nn.distributions import active_dimensions

__all__ = ["SCORE", "fit_path"]

N_DRAWS = 2_000  # the parts of the divergence then have an error of about 0.02 nats
SCORE = "score: "  # prefix of a score's name, to keep it apart from the names of measures
PARTS = ("kl", "mutual_information", "total_correlation", "dimension_wise_kl", "kl_per_dimension")


def fit_path(
    estimator, prefix, param_name, values, train, test, *, epochs, scorer=None, keep=False
):
    """Fit at each value and return measures; each fit continues from the weights of the last one.

    Parameters
    ----------
    estimator : BaseVAETransformer, Pipeline that ends in one, or TableTransformer of one
        It is cloned.
    prefix : str
        The prefix that the parameter names of the variational autoencoder have in the estimator.
    param_name : str
        The parameter to vary.
    values : list of numbers
        The values, in the order of the fits.
    train, test : tuple of (X, y)
        The rows to fit and the rows to evaluate on.
    epochs : int
        Number of epochs of every fit except the first.
    scorer : callable, default=None
        Returns a number, or a dict of numbers.
    keep : bool, default=False
        Whether to also return the fitted estimators, as the entry "estimator".

    Returns
    -------
    list of dict
        For each value, a dict of numbers by name.
    """
    parameters = estimator.get_params()
    own = {name: parameters[name] for name in (f"{prefix}max_epochs", f"{prefix}warm_start")}
    model = clone(estimator)
    if len(values) > 1:
        model.set_params(**{f"{prefix}warm_start": True}, **_seeds(model, prefix))
    rows = []
    for place, value in enumerate(values):
        if place > 0:
            model = deepcopy(model) if keep else model
            model.set_params(**{f"{prefix}max_epochs": epochs})
        model.set_params(**{param_name: value}).fit(*train)
        row = _measures(model, test[0])
        if scorer is not None:
            row |= _scores(scorer, model, *test)
        if keep:
            row["estimator"] = model
        rows.append(row)
    for row in rows if keep else []:  # so that fit, called again, acts as on the given estimator
        row["estimator"].set_params(**own)
    return rows


def _seeds(model, prefix):
    """Return fixed seeds for the earlier steps, so that each fit gives the same columns."""
    return {
        name: check_random_state(value).randint(2**31 - 1)
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "random_state"
        and name != f"{prefix}random_state"
        and not isinstance(value, Integral)
    }


def _measures(model, X):
    """Return the measures of a fitted model on some rows, by name."""
    vae, X = last_step(model, X)
    posterior = posterior_of(vae, X, "beta_curve")
    parts = decompose(posterior, N_DRAWS, np.random.RandomState(0))
    elbo = vae.score(X)
    return {
        "elbo": elbo,
        "reconstruction": -elbo - parts.kl,
        **{name: getattr(parts, name) for name in PARTS},
        "saturated": parts.saturated,
        "active_units": int(active_dimensions(posterior.mean.numpy()).sum()),
    }


def _scores(scorer, model, X, y):
    """Return the numbers of a scorer, with a prefix so that their names differ from measures."""
    scores = scorer(model, X) if y is None else scorer(model, X, y)
    scores = scores if isinstance(scores, dict) else {"score": scores}
    return {f"{SCORE}{name}": float(score) for name, score in scores.items()}
