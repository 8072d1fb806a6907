"""The life of a fit: rows split, network drawn or resumed, trained, concluded."""

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import nn

from skvae._warnings import warn
from skvae.training.batches import Batches, column_statistics
from skvae.training.conclusion import fitted_attributes
from skvae.training.devices import check_compiler, check_device
from skvae.training.net import Validation
from skvae.training.state import (
    build_network,
    build_objective,
    copy_net,
    copy_network,
    estimator_of,
    load_optimizer_state,
    make_estimator_net,
    optimizer_state,
)
from skvae.training.stopping import Patience
from skvae.training.threads import at_one_torch_thread

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
    "input_scale",
    "image_shape",
    "architecture",
)
BATCH_NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
# Rows times weights of a training step below which fit holds torch at one thread: a second one
# brings a third at best there, and on a busy machine costs many times what it brings.
SMALL_STEP = 2**28
SCALES = (1e-15, 1e15)
LEAST_RESOLUTION = 0.01  # spacing of float32 numbers over a column's standard deviation


@torch.inference_mode(mode=False)
@torch.enable_grad()
def train(estimator, X, X_val=None, *, resume, n_epochs, n_seen=0, keep, task=None):
    """Return the attributes of the estimator fitted to X, an array that is valid.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        Read only.
    X, X_val : ndarray or CSR
        Training rows, and validation rows or None.
    resume : bool
        Whether to continue from the network that the estimator holds.
    n_epochs : int
        Passes over X.
    n_seen : int, default=0
        Rows seen before, to which those of X are added.
    keep : bool
        Whether to keep the states of the optimizer and of the generator, to continue from.
    task : FitTask, default=None
        What scikit-learn's callbacks watch.
    """
    check_device(estimator.device)
    if estimator.compile:
        check_compiler(estimator.device)
    rng = check_random_state(estimator.random_state)
    seed, module_seed, split_seed = (rng.randint(2**31 - 1) for _ in range(3))
    generator = torch.Generator().manual_seed(seed)
    if resume:
        _check_same_network(estimator)
        split_seed = estimator._split_seed_
        if hasattr(estimator, "_generator_state_"):
            generator.set_state(torch.tensor(estimator._generator_state_))
    batches, validation_batches = _split(estimator, X, X_val, split_seed, generator)
    n_seen += batches.n_samples
    statistics = column_statistics(X, batches.rows)
    _check_range(estimator, statistics)
    if validation_batches is not None:
        estimator._check_support(column_statistics(validation_batches.X, validation_batches.rows))
    n_features = X.shape[1]
    unit = estimator._loss_unit_ if resume else estimator._loss_unit(statistics)
    if resume:
        fitted = estimator_of(type(estimator), estimator._fitted_params_)
        network = copy_network(fitted, n_features, estimator.net_.module_.state_dict())
    else:
        network = build_network(estimator, n_features, module_seed)
        scale = torch.from_numpy(estimator._column_scale(statistics))
        network.initialize(generator, torch.from_numpy(statistics.mean), scale)
        estimator._start(network, X, batches.rows, statistics, generator)
    _check_batch_normalisation(estimator, network)
    net = make_estimator_net(estimator, network, n_seen)
    if resume and _same_optimizer(estimator):
        load_optimizer_state(net, optimizer_state(estimator.net_))
    n_before = estimator.n_iter_ if resume else 0
    n_scheduled = net.criterion_.scheduled_epochs
    if n_scheduled > n_before + n_epochs and not keep:
        _warn_of_unfinished_schedule(n_scheduled, n_epochs)
    validation = patience = None
    if validation_batches is not None:
        n_validation = validation_batches.n_samples
        validation = Validation(
            validation_batches,
            network.noise(n_validation, generator),
            build_objective(estimator, n_validation),
        )
        patience = Patience(
            estimator.n_iter_no_change,
            estimator._tolerance(n_features),
            ignored=max(0, n_scheduled - n_before),
        )
        if n_before > n_scheduled:
            patience.exhausted(net.validation_loss(validation), network)
    n_weights = sum(weights.numel() for weights in network.parameters())
    small = estimator.batch_size * n_weights < SMALL_STEP
    constant = {"n_samples_seen_": n_seen, "_split_seed_": split_seed, "_loss_unit_": unit}

    def fitted_now():
        copied = copy_net(estimator, net, n_features, n_seen)
        if patience is not None:
            patience.restore(copied.module_)
        return fitted_attributes(estimator, copied, X, batches.rows, resume) | constant

    def trained():
        if task is not None:
            task.begin(n_epochs, fitted_now)
        net.fit_batches(
            batches,
            validation,
            epochs=n_epochs,
            generator=generator,
            first_epoch=n_before,
            unit=unit,
            patience=patience,
            compiled=estimator.compile,
            progress=estimator.verbose > 0,
            task=task,
        )
        return fitted_attributes(estimator, net, X, batches.rows, resume) | constant

    fitted = at_one_torch_thread(trained) if small else trained()
    if keep:
        fitted["_generator_state_"] = generator.get_state().numpy()
    else:
        net.optimizer_.state.clear()
    if task is not None:
        task.end(fitted)
    return fitted


def _check_range(estimator, statistics):
    """Refuse data out of the likelihood's support or of the range of float32; warn near it."""
    estimator._check_support(statistics)
    scale = np.sqrt(statistics.variance.mean())
    if scale > 0 and not SCALES[0] <= scale <= SCALES[1]:
        raise ValueError(
            f"X must have a root mean variance in [{SCALES[0]:g}, {SCALES[1]:g}], the range of "
            f"float32 training. Got {scale:.3g} instead. Scale X."
        )
    largest = np.maximum(np.abs(statistics.minimum), np.abs(statistics.maximum))
    spacing = largest * np.finfo(np.float32).eps
    column = int(np.argmax(spacing - LEAST_RESOLUTION * np.sqrt(statistics.variance)))
    spread = np.sqrt(statistics.variance[column])
    if spread > 0 and spacing[column] > LEAST_RESOLUTION * spread:
        warn(
            f"Column {column} of X has a standard deviation of {spread:.3g} at values up to "
            f"{largest[column]:.3g}, too little for float32 training to resolve. Centre X.",
        )


def _warn_of_unfinished_schedule(n_scheduled, max_epochs):
    """Warn of a fit that ends before its weights are what they are meant to be."""
    warn(
        f"The objective's schedule needs {n_scheduled} epochs. Got max_epochs={max_epochs} "
        f"instead, so that training ends before it does. Raise max_epochs, or shorten the schedule."
    )


def _check_batch_normalisation(estimator, network):
    """Refuse norms without running statistics, and batches of one row where there are norms."""
    norms = [module for module in network.modules() if isinstance(module, BATCH_NORMALISATIONS)]
    if not all(norm.track_running_stats for norm in norms):
        raise ValueError(
            "Batch normalisation must track running statistics, so that no result depends on the "
            "rows beside it. Got track_running_stats=False instead. Leave it True."
        )
    if norms and estimator.batch_size == 1:
        raise ValueError(
            "Batch normalisation divides by the standard deviation of a batch, and needs "
            "batch_size >= 2. Got batch_size=1 instead. Raise it."
        )


def _same_optimizer(estimator):
    """Return whether a warm start finds the state of the optimizer that it goes on with."""
    same = estimator.optimizer == estimator._fitted_params_["optimizer"]
    return same and hasattr(estimator, "_generator_state_")


def _split(estimator, X, X_val, split_seed, generator):
    """Return the training batches, and the validation batches or None."""
    device, batch_size = estimator.device, estimator.batch_size
    rows = np.arange(X.shape[0])
    validation = None
    if estimator.early_stopping and X_val is not None:
        validation = Batches(X_val, np.arange(X_val.shape[0]), batch_size, device=device)
    elif estimator.early_stopping:
        n_validation = max(2, round(estimator.validation_fraction * len(rows)))
        if len(rows) - n_validation < 2:
            raise ValueError(
                f"Early stopping needs at least two rows to train on and two to validate. Got "
                f"n_samples={len(rows)} with validation_fraction={estimator.validation_fraction} "
                f"instead. Give more rows, or set early_stopping=False."
            )
        # A warm start splits as the fit before it did: no validation row was trained on.
        rows = np.random.RandomState(split_seed).permutation(len(rows))
        validation = Batches(X, np.sort(rows[:n_validation]), batch_size, device=device)
        rows = np.sort(rows[n_validation:])
    return Batches(X, rows, batch_size, generator, device), validation


def _check_same_network(estimator):
    """Refuse a warm start whose parameters describe another network."""
    for name in NETWORK_PARAMETERS:
        now, then = getattr(estimator, name, None), estimator._fitted_params_.get(name)
        if not np.array_equal(now, then):
            raise ValueError(
                f"Further training needs {name}={then!r}, with which the network was built. Got "
                f"{now!r} instead. Set it back, or call fit with warm_start=False."
            )
