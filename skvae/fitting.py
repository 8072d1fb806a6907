"""The life of a fit: rows split, network drawn or resumed, trained, concluded."""

import copy
from contextlib import nullcontext

import numpy as np
import torch
from sklearn.utils import check_random_state

from skvae.batches import Batches, column_statistics, working_dtype
from skvae.state import (
    build_network,
    inference_modules,
    load_optimizer_state,
    make_estimator_net,
    optimizer_state,
)
from skvae.training import Patience, Validation, one_torch_thread

__all__ = ["train"]

# The parameters that a network is made from: a warm start cannot change them.
NETWORK_PARAMETERS = (
    "n_components",
    "hidden_layer_sizes",
    "activation",
    "encoder",
    "decoder",
    "likelihood",
    "noise_variance",
)
# Not kept with a fitted network: they are of training alone, and may hold anything.
UNFITTED_PARAMETERS = {"callbacks": None, "random_state": None}
# Rows times weights of a training step below which a second thread costs more than it brings.
SMALL_STEP = 2**26
CONCLUDING_BATCH = 1024


def train(estimator, X, X_val, resume):
    """Return the attributes of the estimator fitted to X, an array that is valid.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        Read only.
    X, X_val : ndarray
        Training rows, and validation rows or None.
    resume : bool
        Whether to continue from the network that the estimator holds.
    """
    seed = check_random_state(estimator.random_state).randint(2**31 - 1)
    generator = torch.Generator().manual_seed(seed)
    if resume and hasattr(estimator, "_generator_state_"):
        generator.set_state(torch.tensor(estimator._generator_state_))
    batches, validation_batches = _split(estimator, X, X_val, generator)
    statistics = column_statistics(X, batches.rows)
    estimator._check_support(statistics)
    if validation_batches is not None:
        estimator._check_support(column_statistics(validation_batches.X, validation_batches.rows))
    if resume:
        _check_same_network(estimator)
        network = copy.deepcopy(estimator.net_.module_)
    else:
        network = build_network(estimator, X.shape[1], seed)
        scale = torch.from_numpy(estimator._column_scale(statistics))
        network.initialize(generator, torch.from_numpy(statistics.mean), scale)
        estimator._start(network, X, batches.rows, statistics, generator)
    net = make_estimator_net(estimator, network, batches.n_samples)
    if resume and hasattr(estimator, "_generator_state_"):
        load_optimizer_state(net, optimizer_state(estimator.net_))
    validation = patience = None
    if validation_batches is not None:
        n_validation = validation_batches.n_samples
        validation = Validation(
            validation_batches,
            network.noise(n_validation, generator),
            estimator._objective(n_validation),
        )
        patience = Patience(estimator.n_iter_no_change, estimator._tolerance(X.shape[1]))
    n_weights = sum(weights.numel() for weights in network.parameters())
    small = estimator.batch_size * n_weights < SMALL_STEP
    with one_torch_thread() if small else nullcontext():
        net.fit_batches(
            batches,
            validation,
            epochs=estimator.max_epochs,
            generator=generator,
            unit=estimator._loss_unit(statistics),
            patience=patience,
            progress=estimator.verbose > 0,
        )
        ordered = Batches(X, batches.rows, CONCLUDING_BATCH, device=estimator.device)
        concluded = estimator._conclude(network, ordered)
    fitted = {
        "net_": net,
        "history_": _history(net, estimator.history_ if resume else {}),
        "_fitted_params_": estimator.get_params(deep=False) | UNFITTED_PARAMETERS,
        "_n_samples_": batches.n_samples,
        "_dtype_": working_dtype(X.dtype),
        "_modules_": inference_modules(network),
        **concluded,
    }
    fitted["n_iter_"] = len(fitted["history_"]["train_loss"])
    if estimator.warm_start:
        fitted["_generator_state_"] = generator.get_state().numpy()
    else:
        net.optimizer_.state.clear()
    return fitted


def _split(estimator, X, X_val, generator):
    """Return the training batches, and the validation batches or None."""
    device, batch_size = estimator.device, estimator.batch_size
    rows = np.arange(len(X))
    validation = None
    if estimator.early_stopping and X_val is not None:
        validation = Batches(X_val, np.arange(len(X_val)), batch_size, device=device)
    elif estimator.early_stopping:
        n_validation = max(2, round(estimator.validation_fraction * len(X)))
        if len(X) - n_validation < 2:
            raise ValueError(
                f"Early stopping needs at least two rows to train on and two to validate. Got "
                f"n_samples={len(X)} with validation_fraction={estimator.validation_fraction} "
                f"instead. Give more rows, or set early_stopping=False."
            )
        rows = torch.randperm(len(X), generator=generator).numpy()
        validation = Batches(X, np.sort(rows[:n_validation]), batch_size, device=device)
        rows = np.sort(rows[n_validation:])
    return Batches(X, rows, batch_size, generator, device), validation


def _check_same_network(estimator):
    """Refuse a warm start whose parameters describe another network."""
    for name in NETWORK_PARAMETERS:
        now, then = getattr(estimator, name, None), estimator._fitted_params_.get(name)
        if not np.array_equal(now, then):
            raise ValueError(
                f"A warm start needs {name}={then!r}, with which the network was built. Got "
                f"{now!r} instead. Set it back, or fit with warm_start=False."
            )


def _history(net, before):
    """Return the net's numeric records as arrays by name, after those of earlier fits.

    A name that only some of the fits recorded is NaN in the epochs of the others.
    """
    now = {
        name: np.array(net.history[:, name], dtype=np.float64)
        for name, value in net.history[-1].items()
        if isinstance(value, float)
    }
    lengths = [len(history["train_loss"]) if history else 0 for history in (before, now)]
    return {
        name: np.concatenate(
            [
                history.get(name, np.full(length, np.nan))
                for history, length in zip((before, now), lengths, strict=True)
            ]
        )
        for name in now | before
    }
