"""The life of a fit: rows split, network drawn or resumed, trained, concluded."""

import copy
import threading
from contextlib import nullcontext

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn

from skvae.batches import Batches, column_statistics, working_dtype
from skvae.training import Patience, Validation, make_net, one_torch_thread

__all__ = ["build_network", "inference_modules", "train", "user_module"]

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

_user_module_lock = threading.Lock()


def user_module(name, make, n_inputs, n_outputs):
    """Return the user's encoder or decoder, after a look at what it returns."""
    module = make(n_inputs, n_outputs)
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"The callable {name}= must return an nn.Module. Got {type(module).__name__} instead. "
            f"Return an instance of the module, not its output."
        )
    module.eval()
    with torch.no_grad():
        shape = tuple(module(torch.zeros(2, n_inputs)).shape)
    if shape != (2, n_outputs):
        raise ValueError(
            f"The module that {name}= returns must map rows of {n_inputs} values to rows of "
            f"{n_outputs}. Got an output of shape {shape} for 2 rows instead. Use the widths "
            f"that {name}(n_inputs, n_outputs) is called with."
        )
    return module


def build_network(estimator, n_features, seed=0):
    """Return the estimator's network; the user's modules draw their weights from ``seed``."""
    if estimator.encoder is None and estimator.decoder is None:
        return estimator._network(n_features)
    with _user_module_lock, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return estimator._network(n_features)


def inference_modules(network):
    """Return {dtype: network in evaluation mode}: the trained one, and its float64 twin."""
    network.eval()
    return {
        np.dtype(np.float32): network,
        np.dtype(np.float64): copy.deepcopy(network).double(),
    }


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
    estimator._check_support(statistics.minimum.min(), statistics.maximum.max())
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
        if now != then:
            raise ValueError(
                f"A warm start needs {name}={then!r}, with which the network was built. Got "
                f"{now!r} instead. Set it back, or fit with warm_start=False."
            )


def make_estimator_net(estimator, network, n_samples):
    """Return the skorch net of a network, set up by the estimator's parameters."""
    return make_net(
        network,
        estimator._objective(n_samples),
        optimizer=estimator.optimizer,
        lr=estimator.lr,
        weight_decay=estimator.weight_decay,
        callbacks=estimator.callbacks,
        device=estimator.device,
    )


def optimizer_state(net):
    """Return the optimizer's state, {parameter index: {name: ndarray or number}}."""
    return {
        index: {key: value.cpu().numpy() if torch.is_tensor(value) else value
                for key, value in state.items()}
        for index, state in net.optimizer_.state_dict()["state"].items()
    }


def load_optimizer_state(net, state):
    """Give the optimizer a state returned by :func:`optimizer_state`, in memory of its own."""
    tensors = {
        index: {key: torch.tensor(value) for key, value in entries.items()}
        for index, entries in state.items()
    }
    net.optimizer_.load_state_dict({**net.optimizer_.state_dict(), "state": tensors})


def _history(net, before):
    """Return the net's numeric records as arrays by name, after those of earlier fits."""
    names = [
        name
        for name, value in net.history[-1].items()
        if isinstance(value, float) and not name.endswith("_best")
    ]
    now = {name: np.array(net.history[:, name], dtype=np.float64) for name in names}
    return {
        name: np.concatenate((before.get(name, np.full(0, np.nan)), values))
        for name, values in now.items()
    }
