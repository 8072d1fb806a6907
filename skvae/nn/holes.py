"""Rows with missing values: the input of a user's encoder, and the imputed values."""

import math

import torch
from torch import nn

from skvae.nn.expectations import draws

__all__ = ["MaskedInput", "conditional_mean", "resampled"]


class MaskedInput(nn.Module):
    """Call a module with the rows, in which column means replace NaN, and with the mask.

    Parameters
    ----------
    module : nn.Module
        A module with 2 * n_features input columns: the rows, then ones for observed values and
        zeros for missing ones.
    n_features : int
        Length of a row.
    """

    def __init__(self, module, n_features):
        super().__init__()
        self.module = module
        self.register_buffer("centre", torch.zeros(n_features))

    def forward(self, x):
        missing = torch.isnan(x)
        return self.module(torch.cat((torch.where(missing, self.centre, x), (~missing).to(x)), 1))


def _log_weights(network, posterior, x, z, squares):
    """Return log p(x|z) p(z) / q(z|x), (n_vectors, n_samples), and p(x|z) for all rows."""
    likelihood = network.decode(z)
    n_some = len(z) // len(x)
    log_prob = likelihood.log_prob(x.repeat(n_some, 1)) - 0.5 * z.square().sum(-1)
    log_weight = log_prob.unflatten(0, (n_some, len(x))) + posterior.log_scale.sum(-1)
    return log_weight + 0.5 * squares, likelihood


def conditional_mean(network, x, noise):
    r"""Return the means of all entries given the observed ones, (n_samples, n_columns).

    The columns are those of the network, with one-hot blocks for categories.

    .. math:: \frac{\sum_k w_k E[x|z_k]}{\sum_k w_k}, \quad
              w_k = \frac{p(x_{observed}|z_k) \, p(z_k)}{q(z_k|x)}

    Parameters
    ----------
    network : VariationalNetwork
        Its observation model is a :class:`~skvae.nn.mixed_observation.MixedObservation`.
    x : tensor of shape (n_samples, n_features)
        Rows. NaN marks a missing value.
    noise : tensor of shape (n_vectors, n_components)
        Standard normal noise. Each vector gives one z for every row.
    """
    posterior, done = network.encode(x), 0
    log_sum, mean = x.new_full((len(x),), -math.inf), 0.0
    for z in draws(posterior, noise, network.width):
        n_some = len(z) // len(x)
        squares = noise[done : done + n_some].square().sum(-1)[:, None]
        log_weight, likelihood = _log_weights(network, posterior, x, z, squares)
        total = torch.logaddexp(log_sum, torch.logsumexp(log_weight, 0))
        share = torch.exp(log_weight - total)[..., None]
        means = likelihood.expanded_mean.unflatten(0, (n_some, len(x)))
        mean = mean * torch.exp(log_sum - total)[:, None] + (share * means).sum(0)
        log_sum, done = total, done + n_some
    return mean


def resampled(network, x, n_vectors, n_draws, generator):
    """Return draws of all entries given the observed ones, (n_samples, n_draws, n_features).

    For every row, ``n_vectors`` codes are drawn from q(z|x). From these, ``n_draws`` codes are
    drawn with probabilities in proportion to their importance weights. Each gives a row drawn from
    p(x|z).

    Parameters
    ----------
    network, x
        As in :func:`conditional_mean`.
    n_vectors, n_draws : int
        Number of codes drawn from q(z|x), and of draws returned, for every row.
    generator : torch.Generator
        Source of all draws.
    """
    posterior = network.encode(x)
    shape = (n_vectors, *posterior.mean.shape)
    noise = torch.randn(shape, generator=generator, dtype=x.dtype).to(x.device)
    log_weights, done = [], 0
    for z in draws(posterior, noise, network.width):
        n_some = len(z) // len(x)
        squares = noise[done : done + n_some].square().sum(-1)
        log_weights.append(_log_weights(network, posterior, x, z, squares)[0])
        done += n_some
    weights = torch.softmax(torch.cat(log_weights), 0).T.cpu()
    lost = weights.isnan().any(1)  # rows so far from the training data that all weights are 0
    weights[lost] = 1.0
    places = torch.multinomial(weights, n_draws, replacement=True, generator=generator).T
    rows = torch.arange(len(x))
    z = posterior.sample(noise)[places.to(x.device), rows.to(x.device)]
    drawn = network.decode(z.flatten(0, 1)).draw(generator)
    drawn = drawn.unflatten(0, (n_draws, len(x))).transpose(0, 1)
    return drawn.masked_fill(lost.to(x.device)[:, None, None], torch.nan)
