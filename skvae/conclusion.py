"""What a fit leaves: the fitted attributes, from a trained net."""

from numbers import Real

import numpy as np
import torch

from skvae.batches import Batches, working_dtype
from skvae.state import inference_modules, network_parameters

__all__ = ["fitted_attributes"]

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
    network, n_features = net.module_, X.shape[1]
    _check_finite(estimator, net, network.state_dict())
    n_rows = min(CONCLUDING_BATCH, max(1, CONCLUDING_ENTRIES // max(network.width, n_features)))
    concluded = estimator._conclude(network, Batches(X, rows, n_rows, device=estimator.device))
    _check_finite(estimator, net, {**network.state_dict(), **concluded})
    history = _history(net.history, estimator.history_ if resumed else {})
    return {
        "net_": net,
        "history_": history,
        "n_iter_": len(history["train_loss"]),
        "_fitted_params_": network_parameters(estimator),
        "_dtype_": working_dtype(X.dtype),
        "_modules_": inference_modules(estimator, network, n_features),
        **concluded,
    }


def _check_finite(estimator, net, values):
    """Stop a fit that has diverged in its last steps."""
    for value in values.values():
        if not np.isfinite(value.cpu().numpy() if torch.is_tensor(value) else value).all():
            raise ValueError(
                f"The fitted {type(estimator).__name__} must be finite. Got inf or nan after "
                f"epoch {len(net.history)} instead. Use a smaller lr than {net.lr}, or scale X."
            )


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
