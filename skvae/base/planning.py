"""Plan a fit of an estimator: the start of training, and what training has to do."""

from dataclasses import replace
from functools import lru_cache
from numbers import Integral

import numpy as np
import torch
from sklearn.utils import check_random_state

from skvae.base.building import build_network, build_objective, copy_network, estimator_of
from skvae.training.checks import (
    check_batch_normalisation,
    check_range,
    warn_of_unfinished_schedule,
)
from skvae.training.plan import Plan, Start, Stopping
from skvae.training.statistics import column_statistics

__all__ = ["plan_of", "plan_of_fit", "seeds_of", "start_of"]

# The parameters from which a network is built. A warm start cannot change them.
NETWORK_PARAMETERS = (
    "n_components",
    "hidden_layer_sizes",
    "activation",
    "encoder",
    "decoder",
    "likelihood",
    "noise_variance",
    "missing",
    "input_scale",
    "image_shape",
    "architecture",
)


def seeds_of(estimator):
    """Draw the three seeds of a fit: of its generator, of the user's modules, of the split."""
    seed = estimator.random_state
    return list(_seeds_of_int(int(seed)) if isinstance(seed, Integral) else _drawn_seeds(seed))


@lru_cache(maxsize=1)  # every call of partial_fit asks for the same seeds
def _seeds_of_int(seed):
    return _drawn_seeds(seed)


def _drawn_seeds(random_state):
    rng = check_random_state(random_state)
    return [int(rng.randint(2**31 - 1)) for _ in range(3)]


def start_of(estimator, seeds, *, resume, n_seen):
    """Return the state from which training starts.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        The estimator. It must be fitted if ``resume`` is True.
    seeds : list of int
        The result of :func:`seeds_of`.
    resume : bool
        Whether to continue from the fitted network of the estimator.
    n_seen : int
        Number of rows seen before. The rows of the fit are added to it.
    """
    seed, module_seed, split_seed = seeds
    generator = torch.Generator().manual_seed(seed)
    start = Start(generator=generator, module_seed=module_seed, split_seed=split_seed)
    if not resume:
        return start
    _check_same_network(estimator)
    if hasattr(estimator, "_generator_state_"):
        generator.set_state(torch.tensor(estimator._generator_state_))
    optimizer = estimator.net_.optimizer_
    return replace(
        start,
        split_seed=estimator._split_seed_,
        n_epochs=estimator.n_iter_,
        n_samples_seen=n_seen,
        unit=estimator._loss_unit_,
        weights=estimator.net_.module_.state_dict(),
        optimizer=optimizer.state_dict()["state"] if _same_optimizer(estimator) else None,
    )


def plan_of_fit(estimator, rows, start, *, n_epochs, keep):
    """Return the plan of a fit, whose network has its first weights.

    Parameters
    ----------
    estimator : BaseAutoencoderTransformer
        It is not changed.
    rows : Rows
        Valid rows. An error is raised if they are outside the support of the likelihood, or if
        float32 is too coarse for them.
    start : Start
        The state from which training starts. Its generator draws the weights of the built-in
        modules.
    n_epochs : int
        Number of passes over the rows.
    keep : bool
        Whether training may continue later. If not, a warm-up that will not end causes a warning.
    """
    statistics = column_statistics(rows.X, rows.training, holes=estimator._takes_holes)
    estimator._check_support(statistics, rows.X, rows.training)
    check_range(estimator._measured(statistics))
    if rows.validation is not None:
        of_validation = column_statistics(rows.X_val, rows.validation, holes=estimator._takes_holes)
        estimator._check_support(of_validation, rows.X_val, rows.validation)
    network = _network_to_train(estimator, rows, start, statistics)
    check_batch_normalisation(network, estimator.batch_size)
    plan = plan_of(estimator, network, start.n_samples_seen + len(rows.training))
    n_scheduled = plan.objective.scheduled_epochs
    if n_scheduled > start.n_epochs + n_epochs and not keep:
        warn_of_unfinished_schedule(n_scheduled, n_epochs)
    unit = estimator._loss_unit(statistics) if start.unit is None else start.unit
    stopping, variance = _stopping(estimator, rows), statistics.variance
    return replace(plan, stopping=stopping, unit=unit, n_epochs=n_epochs, variance=variance)


def plan_of(estimator, network, n_samples):
    """Return a plan for a network and batches drawn from ``n_samples`` rows, without epochs."""
    return Plan(
        network=network,
        objective=build_objective(estimator, n_samples),
        batch_size=estimator.batch_size,
        optimizer=estimator.optimizer,
        lr=estimator.lr,
        weight_decay=estimator.weight_decay,
        callbacks=estimator.callbacks,
        device=estimator.device,
        precision=estimator.precision,
        progress=estimator.verbose > 0,
    )


def _network_to_train(estimator, rows, start, statistics):
    """Return a new network, scaled by the data, or a copy of the trained network."""
    n_features = rows.X.shape[1]
    if start.weights is not None:
        fitted = estimator_of(type(estimator), estimator._fitted_params_)
        network = copy_network(fitted, n_features, start.weights)
        estimator._resume(network)
        return network
    network = build_network(estimator, n_features, start.module_seed)
    read, expected = estimator._statistics_of_inputs(network, rows, statistics)
    scale = torch.from_numpy(estimator._column_scale(read))
    network.initialize(start.generator, torch.from_numpy(read.mean), scale, expected)
    estimator._start(network, rows, read, start.generator)
    return network


def _stopping(estimator, rows):
    """Return the settings of early stopping, or None without validation rows."""
    if rows.validation is None:
        return None
    return Stopping(
        build_objective(estimator, len(rows.validation)),
        estimator.n_iter_no_change,
        estimator._tolerance(rows.X.shape[1]),
    )


def _same_optimizer(estimator):
    """Return whether a warm start can use the state of the earlier optimizer."""
    same = estimator.optimizer == estimator._fitted_params_["optimizer"]
    return same and hasattr(estimator, "_generator_state_")


def _check_same_network(estimator):
    """Raise an error if a warm start has parameters of a different network."""
    for name in NETWORK_PARAMETERS:
        now, then = getattr(estimator, name, None), estimator._fitted_params_.get(name)
        if name == "likelihood" and estimator._parts_ is not None:
            continue  # _take_columns has compared its columns
        if not np.array_equal(now, then):
            raise ValueError(
                f"Further training needs {name}={then!r}, with which the network was built. Got "
                f"{now!r} instead. Set it back, or call fit with warm_start=False."
            )
