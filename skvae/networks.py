"""What is computed: x -> q(z|x) -> p(x|z), by perceptrons or by the user's own modules."""

import math
from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from skvae.distributions import Gaussian, kl_to_standard_normal, whitened_noise
from skvae.images import ConvolutionalDecoder, ConvolutionalEncoder

__all__ = [
    "ACTIVATIONS",
    "AutoencoderNetwork",
    "BaseNetwork",
    "PerceptronDecoder",
    "PerceptronEncoder",
    "VariationalNetwork",
    "rescaled",
]

ACTIVATIONS = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
}
# The posterior's log standard deviation is held in this range, so that a row far outside the
# training data has a poor score and not an infinite one.
LOG_SCALE_RANGE = (-10.0, 10.0)
RESIDUAL_VECTORS = 8000  # noise vectors in the expected residual
WIDE = 64  # columns of a shared variance that count as one more row


class _EmptyLinear(nn.Linear):
    """A linear layer that draws no weights when it is made."""

    def reset_parameters(self):
        pass


def _perceptron(sizes, activation):
    """Return linear layers of uninitialized weights with activations in between."""
    make = ACTIVATIONS.get(activation, activation)
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [_EmptyLinear(n_inputs, n_outputs), make()]
    return nn.Sequential(*layers[:-1])


def _initialize(layers, generator):
    """Draw He's uniform weights (the last layer's with gain 1) and set the biases to zero."""
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for layer in linears:
        gain = "linear" if layer is linears[-1] else "relu"
        nn.init.kaiming_uniform_(layer.weight, nonlinearity=gain, generator=generator)
        nn.init.zeros_(layer.bias)


class PerceptronEncoder(nn.Module):
    """A perceptron on centred and scaled rows: ``layers((x - centre) / scale)``.

    Centre and scale are constants of the training data. They change no function that
    the perceptron can be, only how well it is conditioned: a fit does not depend
    on the units of X.

    Parameters
    ----------
    n_features, n_outputs : int
        Widths of input and output.
    hidden_layer_sizes : sequence of int
        Widths in between; empty for a linear map.
    activation : str or callable
        A key of ``ACTIVATIONS``, or a callable that returns a module.
    """

    def __init__(self, n_features, n_outputs, hidden_layer_sizes, activation):
        super().__init__()
        self.layers = _perceptron((n_features, *hidden_layer_sizes, n_outputs), activation)
        self.register_buffer("shift", torch.zeros(n_features))
        self.register_buffer("factor", torch.ones(n_features))

    @property
    def head(self):
        """The last layer."""
        return self.layers[-1]

    def initialize(self, generator, centre, scale):
        """Draw the weights; a column of scale 0 is constant, and is left out."""
        _initialize(self.layers, generator)
        factor = torch.where(scale > 0, 1 / scale, 0.0)
        self.factor.copy_(factor)
        self.shift.copy_(-centre * factor)

    def forward(self, x):
        return self.layers(torch.addcmul(self.shift, x, self.factor))


class PerceptronDecoder(nn.Module):
    """A perceptron in the units of the data: ``centre + scale * output(hidden(z))``.

    Parameters
    ----------
    n_components, n_features : int
        Widths of input and output.
    hidden_layer_sizes : sequence of int
        Widths in between, in the decoder's order; empty for a linear map.
    activation : str or callable
        A key of ``ACTIVATIONS``, or a callable that returns a module.
    """

    def __init__(self, n_components, n_features, hidden_layer_sizes, activation):
        super().__init__()
        sizes = (n_components, *hidden_layer_sizes, n_features)
        *hidden, output = _perceptron(sizes, activation)
        self.hidden = nn.Sequential(*hidden)
        self.output = output
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize([*self.hidden, self.output], generator)
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    def forward(self, z):
        # The constants enter by the last layer, which has fewer entries than its output.
        weight = self.output.weight * self.scale.unsqueeze(1)
        bias = torch.addcmul(self.centre, self.output.bias, self.scale)
        return functional.linear(self.hidden(z), weight, bias)


# Our own, which draw their weights from the generator.
ENCODERS = (PerceptronEncoder, ConvolutionalEncoder)
DECODERS = (PerceptronDecoder, ConvolutionalDecoder)


class _Rescaled(nn.Module):
    """A module of the user's between factors: ``after * module(before * x)``."""

    def __init__(self, module, before, after):
        super().__init__()
        self.module = module
        self.before = before
        self.after = after

    def forward(self, x):
        return self.after * self.module(self.before * x)


def rescaled(module, *, before=1.0, after=1.0):
    """Return a module with factors around it, or itself where there are none.

    Examples
    --------
    >>> import torch
    >>> from skvae.networks import rescaled
    >>> rescaled(torch.nn.ReLU(), before=2.0)(torch.tensor([-1.0, 3.0]))
    tensor([0., 6.])
    """
    return module if before == after == 1 else _Rescaled(module, before, after)


class BaseNetwork(ABC, nn.Module):
    """An encoder, a decoder, and the distribution around the decoder's output.

    ``forward(x)`` returns a dict: "likelihood" p(x|z), "z", and for a variational network
    "posterior" q(z|x).

    Parameters
    ----------
    encoder, decoder : nn.Module
        Tensors in, tensors out.
    observation : nn.Module
        The decoder's output in, p(x|z) out.
    n_components : int
        Length of z.
    """

    def __init__(self, encoder, decoder, observation, n_components):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.observation = observation
        self.n_components = n_components

    def initialize(self, generator, mean, scale):
        """Draw the weights of our own parts; the user's modules have drawn theirs."""
        if isinstance(self.encoder, ENCODERS):
            self.encoder.initialize(generator, mean, scale)
        if isinstance(self.decoder, DECODERS):
            self.decoder.initialize(generator, *self.observation.initial_location(mean, scale))

    @property
    def width(self):
        """Numbers that a row takes up at the widest place, as far as the layers tell."""
        of_weights = [len(weight) for weight in self.parameters() if weight.ndim]
        of_modules = [getattr(module, "width", 0) for module in (self.encoder, self.decoder)]
        return max(*of_weights, *of_modules)

    def decode(self, z):
        """Return the likelihood p(x|z)."""
        return self.observation(self.decoder(z))

    @abstractmethod
    def code(self, x):
        """Return the code of x, (n_samples, n_components): deterministic."""

    @abstractmethod
    def noise(self, n_samples, generator):
        """Return what ``forward`` wants as ``noise`` for a training batch, or None."""


class AutoencoderNetwork(BaseNetwork):
    """x -> z = f(x) -> g(z), deterministic."""

    def encode(self, x):
        """Return z = f(x)."""
        return self.encoder(x)

    code = encode

    def noise(self, n_samples, generator):
        return None

    def forward(self, x, noise=None):
        z = self.encode(x)
        return {"likelihood": self.decode(z), "z": z}


class VariationalNetwork(BaseNetwork):
    """x -> q(z|x) -> z = mean + std * noise -> p(x|z).

    The encoder's output is the posterior's mean, then its log standard deviation. Without
    ``noise``, training mode draws it from torch's global generator, and evaluation mode
    decodes the mean.
    """

    def initialize(self, generator, mean, scale):
        super().initialize(generator, mean, scale)
        if isinstance(self.encoder, ENCODERS):
            # Every posterior starts at the same width, so that no row begins with an
            # exponentially large divergence.
            nn.init.zeros_(self.encoder.head.weight[self.n_components :])
            nn.init.constant_(self.encoder.head.bias[self.n_components :], -1.0)

    def encode(self, x):
        """Return q(z|x), a :class:`~skvae.distributions.Gaussian`."""
        mean, log_scale = self.encoder(x).chunk(2, -1)
        return Gaussian(mean, functional.hardtanh(log_scale, *LOG_SCALE_RANGE))

    def code(self, x):
        return self.encoder(x)[:, : self.n_components]

    def noise(self, n_samples, generator):
        shape = (n_samples, self.n_components)
        return torch.randn(shape, generator=generator, dtype=torch.float32)

    def forward(self, x, noise=None):
        posterior = self.encode(x)
        if noise is None and self.training:
            noise = torch.randn_like(posterior.mean)
        z = posterior.mean if noise is None else posterior.sample(noise)
        location = self.decoder(z)
        if self.training:
            self.observation.track(x, location)
        return {"likelihood": self.observation(location), "posterior": posterior, "z": z}

    def elbo(self, x, noise):
        """Return E_q[log p(x|z)] - KL of every row, the mean over the rows of ``noise``."""
        posterior = self.encode(x)
        log_prob = sum(self.decode(posterior.sample(vector)).log_prob(x) for vector in noise)
        return log_prob / len(noise) - kl_to_standard_normal(posterior)

    def importance(self, x, noise):
        r"""Return log of the mean importance weight, and the effective sample size, of every row.

        The weights are :math:`p(x|z) p(z) / q(z|x)` at one z for each row of ``noise``. Both
        results are float64, (n_samples,).
        """
        posterior = self.encode(x)
        log_scale = posterior.log_scale.sum(-1)
        log_sum = log_squares = x.new_full((len(x),), -math.inf, dtype=torch.float64)
        for vector in noise:
            z = posterior.sample(vector)
            log_prior_ratio = log_scale + 0.5 * (vector.square() - z.square()).sum(-1)
            log_weight = (self.decode(z).log_prob(x) + log_prior_ratio).double()
            log_sum = torch.logaddexp(log_sum, log_weight)
            log_squares = torch.logaddexp(log_squares, 2 * log_weight)
        ess = torch.exp(2 * log_sum - log_squares)
        # Where every weight is 0 to rounding, none of the draws counts for more than one.
        return log_sum - math.log(len(noise)), ess.nan_to_num(nan=1.0)

    @torch.no_grad()
    def expected_residual(self, batches):
        """Return the mean of E_q (x - g(z))^2 over the rows, shared or of each column.

        Each row takes some of the whitened noise vectors, in turn, so that no fewer than some
        thousands are taken: one of many rows, antithetic pairs of fewer, all of few. Where wide
        rows share a variance, their columns make up for rows.
        """
        half, _ = whitened_noise(self.n_components).chunk(2)
        noise = torch.stack((half, -half), 1).flatten(0, 1)  # a vector, then its opposite
        shared = self.observation.log_scale.ndim == 0
        n_columns = max(1, batches.X.shape[1] // WIDE) if shared else 1
        n_each = min(len(noise), -(-RESIDUAL_VECTORS // (batches.n_samples * n_columns)))
        n_each += n_each % 2 if n_each > 1 else 0
        total = 0.0
        for (start, stop), x in zip(batches.slices, batches, strict=True):
            posterior = self.encode(x)
            for turn in range(n_each):
                of_rows = (n_each * torch.arange(start, stop) + turn) % len(noise)
                location = self.decoder(posterior.sample(noise[of_rows].to(x)))
                residual = self.observation.residual(x, location)
                total = total + residual.double() * (len(x) / n_each)
        return total / batches.n_samples
