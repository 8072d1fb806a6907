"""What training leaves, here or elsewhere: the fitted attributes, from a trained net."""

from numbers import Real

import numpy as np
import torch

from skvae.training.batches import Batches, working_dtype
from skvae.training.state import copy_net, estimator_of, inference_modules, network_parameters

__all__ = ["attributes_with_weights", "fitted_attributes"]

CONCLUDING_BATCH = 1024
CONCLUDING_ENTRIES = 2**24  # at the widest place of the network, where a row is wide


def fitted_attributes(estimator, net, X, rows, resumed):
    """Return what follows from a trained net.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        Read only.
    net : AutoencoderNet
        In evaluation mode.
    X : ndarray or CSR
    rows : ndarray of int
        Those of X that it was trained on.
    resumed : bool
        Whether the training went on from the network that the estimator holds.

    Returns
    -------
    dict
        Attributes of the estimator by name.
    """
    refusal = (
        f"The fitted {type(estimator).__name__} must be finite. Got inf or nan after epoch "
        f"{len(net.history)} instead. Use a smaller lr than {net.lr}, or scale X."
    )
    history = _history(net.history, estimator.history_ if resumed else {})
    return {
        "history_": history,
        "n_iter_": len(history["train_loss"]),
        "_fitted_params_": network_parameters(estimator),
        "_dtype_": working_dtype(X.dtype),
        **_following(estimator, net, X, rows, refusal),
    }


@torch.inference_mode(mode=False)
def attributes_with_weights(estimator, weights, X):
    """Return what changes in a fitted estimator that takes weights trained elsewhere.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        Read only.
    weights : dict of {str: tensor or ndarray}
        The state dict of a network like the estimator's.
    X : ndarray or CSR
        The rows to conclude on.

    Returns
    -------
    dict
        Attributes of the estimator by name.
    """
    weights = _matching(weights, estimator.net_.module_.state_dict())
    fitted = estimator_of(type(estimator), estimator._fitted_params_)
    net = copy_net(fitted, estimator.net_, X.shape[1], estimator.n_samples_seen_)
    net.module_.load_state_dict(weights)
    refusal = (
        "The weights must be finite, and what follows from them on X. Got inf or nan instead. "
        "Train with a smaller lr, or scale X."
    )
    return _following(fitted, net, X, np.arange(X.shape[0]), refusal)


def _matching(weights, own):
    """Return weights as tensors, if their names and shapes are those of ``own``."""
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


def _following(estimator, net, X, rows, refusal):
    """Return what follows from a net's weights; ``refusal`` says that it is not finite."""
    network, n_features = net.module_, X.shape[1]
    _check_finite(network.state_dict(), refusal)
    n_rows = min(CONCLUDING_BATCH, max(1, CONCLUDING_ENTRIES // max(network.width, n_features)))
    concluded = estimator._conclude(network, Batches(X, rows, n_rows, device=estimator.device))
    _check_finite({**network.state_dict(), **concluded}, refusal)
    modules = inference_modules(estimator, network, n_features)
    return {"net_": net, "_modules_": modules, **concluded}


def _check_finite(values, refusal):
    """Refuse weights, or what follows from them, that have diverged."""
    for value in values.values():
        if not np.isfinite(value.cpu().numpy() if torch.is_tensor(value) else value).all():
            raise ValueError(refusal)


def _history(epochs, before):
    """Return the numeric records of all epochs as arrays by name, after those of earlier fits.

    What an epoch did not record is NaN.
    """
    n_before = len(before["train_loss"]) if before else 0
    history = {name: [*values] for name, values in before.items()}
    for place, epoch in enumerate(epochs, start=n_before):
        for name, value in epoch.items():
            if name != "epoch" and isinstance(value, Real) and not isinstance(value, bool):
                values = history.setdefault(name, [])
                values += [np.nan] * (place - len(values)) + [float(value)]
    n_epochs = n_before + len(epochs)
    return {
        name: np.array(values + [np.nan] * (n_epochs - len(values)))
        for name, values in history.items()
    }
