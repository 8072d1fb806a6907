"""Compute the fitted attributes of an estimator from a trained net."""

from copy import deepcopy
from functools import partial
from numbers import Real

import numpy as np
import torch

from skvae.base.building import copy_network, estimator_of, parameters_of
from skvae.base.planning import plan_of
from skvae.base.twins import InferenceModules
from skvae.training.batches import Batches, working_dtype
from skvae.training.net import make_net

__all__ = ["attributes_of", "attributes_so_far", "attributes_with_weights"]

CONCLUDING_BATCH = 1024
CONCLUDING_ENTRIES = 2**24  # floats of a batch in the widest layer; wide rows get smaller batches


def attributes_of(estimator, run):
    """Return the fitted attributes of an estimator after a run of training.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        It is not changed. If the run continued an earlier fit, it has the attributes of that fit.
    run : TrainingRun
        A finished run, whose net is in evaluation mode.

    Returns
    -------
    dict
        Attributes of the estimator by name.
    """
    return _attributes(estimator, run, run.net)


def attributes_so_far(estimator, run):
    """Return the fitted attributes as if training ended now. The net is a copy."""
    bare = estimator_of(type(estimator), parameters_of(estimator))
    n_features = run.batches.X.shape[1]
    net = _copy_net(bare, run.net, run.weights(), n_features, run.n_samples_seen)
    return _attributes(estimator, run, net)


@torch.inference_mode(mode=False)
def attributes_with_weights(estimator, weights, X):
    """Return the attributes that change when a fitted estimator loads other weights.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        It is not changed.
    weights : dict of {str: tensor or ndarray}
        The state dict of a network like the estimator's.
    X : ndarray or CSR
        The rows from which the noise variance and similar attributes are computed.

    Returns
    -------
    dict
        Attributes of the estimator by name.
    """
    weights = _matching(weights, estimator.net_.module_.state_dict())
    fitted = estimator_of(type(estimator), estimator._fitted_params_)
    net = _copy_net(fitted, estimator.net_, weights, X.shape[1], estimator.n_samples_seen_)
    refusal = (
        "The weights, and the results that they give on X, must be finite. Got inf or nan instead. "
        "Train with a smaller lr, or scale X."
    )
    batches = Batches(X, np.arange(X.shape[0]), CONCLUDING_BATCH, fitted.device)
    return _following(fitted, fitted, net, batches, refusal)


def _attributes(estimator, run, net):
    """Return the fitted attributes for a net, which is the net of the run or a copy of it."""
    start = run.start
    refusal = (
        f"The fitted {type(estimator).__name__} must be finite. Got inf or nan after epoch "
        f"{len(net.history)} instead. Use a smaller lr than {net.lr}, or scale X."
    )
    history = _history(net.history, estimator.history_ if start.n_epochs else {})
    parameters = parameters_of(estimator)
    bare = estimator_of(type(estimator), parameters)
    return {
        "history_": history,
        "n_iter_": len(history["train_loss"]),
        "n_samples_seen_": run.n_samples_seen,
        "_fitted_params_": parameters,
        "_dtype_": working_dtype(run.batches.X.dtype),
        "_split_seed_": start.split_seed,
        "_loss_unit_": run.plan.unit,
        **_following(estimator, bare, net, run.batches, refusal),
    }


def _copy_net(estimator, net, weights, n_features, n_samples):
    """Return a new net in evaluation mode with these weights and the history of ``net``.

    It has no callbacks, and its optimizer has no state.
    """
    network = copy_network(estimator, n_features, weights)
    copied = make_net(plan_of(estimator, network, n_samples))
    copied.module_.eval()
    copied.history = deepcopy(net.history)
    return copied


def _matching(weights, own):
    """Return the weights as tensors, after a check of their names and shapes against ``own``."""
    expected = "The weights must be the state dict of a network like net_.module_."
    remedy = "Train a copy of net_.module_, and give its state_dict(), unwrapped."
    names = sorted(own.keys() ^ weights.keys())
    if names:
        kind = "no" if names[0] in own else "an unknown"
        raise ValueError(f"{expected} Got {kind} {names[0]!r} instead. {remedy}")
    weights = {name: torch.as_tensor(weights[name]) for name in own}
    for name, weight in weights.items():
        if weight.shape != own[name].shape:
            raise ValueError(
                f"{expected} Got {name!r} of shape {tuple(weight.shape)} for "
                f"{tuple(own[name].shape)} instead. {remedy}"
            )
    return weights


def _following(estimator, bare, net, batches, refusal):
    """Return the attributes that depend on the weights of a net.

    ``refusal`` is the error message if a value is not finite. ``bare`` is an estimator with the
    parameters from which the network was built; nothing changes it later.
    """
    network, n_features = net.module_, batches.X.shape[1]
    _check_finite(network.state_dict(), refusal)
    n_rows = min(CONCLUDING_BATCH, max(1, CONCLUDING_ENTRIES // max(network.width, n_features)))
    concluded = estimator._conclude(network, batches.resized(n_rows))
    _check_finite({**network.observation.state_dict(), **concluded}, refusal)
    modules = InferenceModules(bare, network, n_features)
    return {"net_": net, "_modules_": modules, **concluded}


def _check_finite(values, refusal):
    """Raise an error with the message ``refusal`` if a value is not finite."""
    for value in values.values():
        if not np.isfinite(value.cpu().numpy() if torch.is_tensor(value) else value).all():
            raise ValueError(refusal)


def _history(epochs, before):
    """Return the numeric records of all epochs as arrays by name, those of earlier fits first.

    The value is NaN for an epoch that did not record it.
    """
    n_before = len(before["train_loss"]) if before else 0
    unknown, after = partial(np.full, fill_value=np.nan), {}
    for place, epoch in enumerate(epochs):
        for name, value in epoch.items():
            if name != "epoch" and isinstance(value, Real) and not isinstance(value, bool):
                after.setdefault(name, unknown(len(epochs)))[place] = value
    # The arrays of earlier epochs are joined as a whole: with ``partial_fit`` there may be many.
    return {
        name: np.concatenate(
            [
                before[name] if name in before else unknown(n_before),
                after[name] if name in after else unknown(len(epochs)),
            ]
        )
        for name in {**before, **after}
    }
