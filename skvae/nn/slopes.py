"""Explicit derivatives of the objectives by the decoder's output and by the posterior."""

from typing import NamedTuple

import torch

from skvae.nn.aggregate import batch_weights, log_mixture_slopes
from skvae.nn.distributions import LOG_2PI, Gaussian, kl_per_dimension
from skvae.nn.likelihoods import Bernoulli, ContinuousBernoulli
from skvae.nn.mixed_observation import MixedObservation
from skvae.nn.objectives import (
    BetaObjective,
    CapacityObjective,
    SquaredError,
    TotalCorrelationObjective,
)
from skvae.nn.observation_models import GaussianObservation, Observation, mean_square

__all__ = ["Slopes", "has_written_slopes", "penalty_slopes", "reconstruction_slope"]

OBSERVATIONS = (GaussianObservation, Observation)
DISTRIBUTIONS = (Gaussian, Bernoulli, ContinuousBernoulli)


class Slopes(NamedTuple):
    """Derivatives of a loss by the arguments of a penalty, each (n_samples, n_components)."""

    mean: torch.Tensor
    log_scale: torch.Tensor
    z: torch.Tensor | None = None


def has_written_slopes(objective, observation):
    """Return whether this module has the derivatives of both; it has none of subclasses."""
    if type(observation) is MixedObservation:
        return type(objective) in PENALTIES
    ours = type(objective) in PENALTIES and type(observation) in OBSERVATIONS
    return ours and observation.distribution in DISTRIBUTIONS


def reconstruction_slope(objective, observation, x, location, posterior, weight):
    """Return the mean of the reconstruction, and ``weight`` times its derivative by ``location``.

    It also updates a learned noise variance of the observation model, as in training mode.

    Parameters
    ----------
    objective, observation : Objective, nn.Module
        A pair for which :func:`has_written_slopes` is true.
    x, location : tensors of shape (n_samples, n_features)
        A batch, and the decoder's output.
    posterior : Gaussian or None
        The posterior q(z|x).
    weight : float
        Weight of the batch in the loss.

    Returns
    -------
    mean : scalar tensor
        As in ``objective.means``.
    slope : tensor of shape (n_samples, n_features)

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.objectives import SquaredError
    >>> from skvae.nn.observation_models import GaussianObservation
    >>> from skvae.nn.slopes import reconstruction_slope
    >>> x, location = torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])
    >>> reconstruction_slope(SquaredError(), GaussianObservation(2), x, location, None, 1.0)
    (tensor(2.), tensor([[0., 2.]]))
    """
    if isinstance(objective, SquaredError):
        error = location - x
        mean = mean_square(error)
        return mean, error.mul_(2 * weight / error.numel())
    return observation.slope(x, location, posterior, weight)


def penalty_slopes(objective, posterior, z, weight):
    """Return the means of the penalties, and ``weight`` times the derivatives of their sum.

    Parameters
    ----------
    objective : Objective
        An objective for which :func:`has_written_slopes` is true.
    posterior : Gaussian or None
        The posterior q(z|x), (n_samples, n_components).
    z : tensor of shape (n_samples, n_components)
        A draw from the posterior.
    weight : float
        Weight of the batch in the loss.

    Returns
    -------
    means : dict of {str: scalar tensor}
        As in ``objective.means``.
    slopes : Slopes or None
        Derivatives of the weighted sum of the penalties: by z, and by the mean and the log-scale
        with z held fixed. z = mean + scale * noise is not differentiated here. None if there is no
        penalty.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn import Gaussian
    >>> from skvae.nn.objectives import BetaObjective
    >>> from skvae.nn.slopes import penalty_slopes
    >>> posterior = Gaussian(torch.ones(1, 3), torch.zeros(1, 3))
    >>> means, slopes = penalty_slopes(BetaObjective(beta=2.0), posterior, posterior.mean, 1.0)
    >>> means, slopes.mean
    ({'kl': tensor(1.5000)}, tensor([[2., 2., 2.]]))
    """
    return PENALTIES[type(objective)](objective, posterior, z, weight)


def _none(objective, posterior, z, weight):
    return {}, None


def _divergence(objective, posterior):
    """Return the mean of the divergence, and the means for every dimension."""
    of_dimensions = kl_per_dimension(posterior).mean(0)
    means = {"kl": of_dimensions.sum()}
    if objective.free_bits:
        means["free_bits_kl"] = of_dimensions.clamp(min=objective.free_bits).sum()
    return means, of_dimensions


def _of_divergence(posterior, factor):
    """Return the derivatives of ``factor`` times the divergence, for every row."""
    return Slopes(posterior.mean * factor, (posterior.scale.square() - 1) * factor)


def _of_free_bits(objective, posterior, of_dimensions, per_row):
    """Return the derivatives of the divergence, or of its free bits, with its weight."""
    factor = per_row * objective.weights()["kl"] * objective.warmup.factor(objective.epoch)
    if objective.free_bits:
        factor = factor * (of_dimensions >= objective.free_bits)
    return _of_divergence(posterior, factor)


def _beta(objective, posterior, z, weight):
    means, of_dimensions = _divergence(objective, posterior)
    return means, _of_free_bits(objective, posterior, of_dimensions, weight / len(z))


def _capacity(objective, posterior, z, weight):
    means, _ = _divergence(objective, posterior)
    off = means["kl"] - objective.capacity_now
    factor = weight / len(z) * objective.beta * objective.warmup.factor(objective.epoch)
    slopes = _of_divergence(posterior, torch.sign(off) * factor)
    return {**means, "kl_off_capacity": off.abs()}, slopes


def _total_correlation(objective, posterior, z, weight):
    of_divergence, of_dimensions = _divergence(objective, posterior)
    per_row = weight / len(z)
    slopes = _of_free_bits(objective, posterior, of_dimensions, per_row)
    factor = objective.warmup.factor(objective.epoch)
    of_mi, of_tc, of_dw = (
        factor * (of_part - 1) for of_part in (objective.alpha, objective.beta, objective.gamma)
    )
    n_batch, n_components = z.shape
    log_weight, self_weight = batch_weights(n_batch, objective.n_samples, objective.sampling)
    grads = ((of_tc - of_mi) * per_row, (of_dw - of_tc) * per_row)
    mixtures, pulls = log_mixture_slopes(posterior.mean, posterior.log_scale, z, self_weight, grads)
    log_q_z = mixtures[0].mean() + log_weight
    log_prod_q_z = mixtures[1].mean() + n_components * log_weight
    log_q_z_given_x = posterior.log_prob(z).mean()
    log_p_z = -0.5 * (z.square().sum() / n_batch + n_components * LOG_2PI)
    means = {
        "kl": of_divergence.pop("kl"),
        "minibatch_mutual_information": log_q_z_given_x - log_q_z,
        "minibatch_total_correlation": log_q_z - log_prod_q_z,
        "minibatch_dimension_wise_kl": log_prod_q_z - log_p_z,
        **of_divergence,  # the order of the terms is that of objective.means
    }
    # Along z = mean + scale * noise, only the term -log scale of log q(z|x) changes.
    return means, Slopes(
        slopes.mean + pulls[0],
        slopes.log_scale + pulls[1] - of_mi * per_row,
        torch.add(pulls[2], z, alpha=of_dw * per_row),
    )


PENALTIES = {
    SquaredError: _none,
    BetaObjective: _beta,
    CapacityObjective: _capacity,
    TotalCorrelationObjective: _total_correlation,
}
