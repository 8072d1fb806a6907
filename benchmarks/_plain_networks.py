"""Hand-written autoencoders in PyTorch, and rows for them."""

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

__all__ = [
    "HIDDEN",
    "LEARNING_RATE",
    "N_COMPONENTS",
    "NegativeELBO",
    "PlainAutoencoder",
    "PlainVAE",
    "fit_plain",
    "mixed_factors",
    "plain_step",
]

HIDDEN = (128, 64)
N_COMPONENTS = 10
LEARNING_RATE = 1e-3


def mixed_factors(n_samples, n_features):
    """Return noisy mixtures of ten factors, float32."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((n_samples, N_COMPONENTS))
    mixed = np.tanh(factors @ rng.standard_normal((N_COMPONENTS, n_features)))
    return (mixed + 0.1 * rng.standard_normal(mixed.shape)).astype(np.float32)


class Perceptron(nn.Module):
    """Linear layers with activations between them, plus a direct linear map, like our networks."""

    def __init__(self, *sizes):
        super().__init__()
        layers = []
        for n_inputs, n_outputs in pairwise(sizes):
            layers += [nn.Linear(n_inputs, n_outputs), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.shortcut = nn.Linear(sizes[0], sizes[-1], bias=False)

    def forward(self, x):
        return self.layers(x) + self.shortcut(x)


class PlainAutoencoder(nn.Module):
    """A hand-written autoencoder."""

    def __init__(self, n_features):
        super().__init__()
        self.encoder = Perceptron(n_features, *HIDDEN, N_COMPONENTS)
        self.decoder = Perceptron(N_COMPONENTS, *HIDDEN[::-1], n_features)

    def forward(self, x):
        return self.decoder(self.encoder(x))


class PlainVAE(nn.Module):
    """A hand-written variational autoencoder, whose noise variance is a parameter."""

    def __init__(self, n_features, hidden=HIDDEN):
        super().__init__()
        self.encoder = Perceptron(n_features, *hidden, 2 * N_COMPONENTS)
        self.decoder = Perceptron(N_COMPONENTS, *hidden[::-1], n_features)
        self.log_noise = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance, self.log_noise


class NegativeELBO(nn.Module):
    """The negative evidence lower bound of a ``PlainVAE``, as a mean over the batch."""

    def forward(self, output, x):
        location, mean, log_variance, log_noise = output
        squares = functional.mse_loss(location, x, reduction="sum") / len(x)
        constant = x.shape[1] * (log_noise + math.log(2 * math.pi))
        divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / len(x)
        return 0.5 * (squares * torch.exp(-log_noise) + constant + divergence)


def plain_step(model, criterion, optimizer, x):
    """Make one step on a batch, and return its loss, a float."""
    loss = criterion(model(x), x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def fit_plain(model, criterion, X, *, epochs, batch_size, fused=False):
    """Train by a plain loop on one tensor in memory. Return the mean loss of every epoch."""
    X = torch.from_numpy(X)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=fused)
    history = []
    for _ in range(epochs):
        order = torch.randperm(len(X))
        total = 0.0
        for start in range(0, len(X), batch_size):
            x = X[order[start : start + batch_size]]
            total += plain_step(model, criterion, optimizer, x) * len(x)
        history.append(total / len(X))
    return history
