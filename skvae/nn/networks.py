"""The networks x -> q(z|x) -> p(x|z), from built-in modules or the user's modules."""

from abc import ABC, abstractmethod
from functools import cached_property, partial

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from skvae.nn.distributions import Gaussian, kl_to_standard_normal, whitened_noise
from skvae.nn.expectations import ReducedBound, draws, expected_log_prob, log_mean_weight
from skvae.nn.perceptrons import PerceptronDecoder, PerceptronEncoder

__all__ = [
    "AutoencoderNetwork",
    "BaseNetwork",
    "VariationalNetwork",
    "rescaled",
]

# The log standard deviation of the posterior is clipped to this range. A posterior that is wider
# than the prior costs divergence, and its noise does not help the decoder. So the upper end, 2.7
# standard deviations of the prior, hardly ever limits a trained model. In the first steps of a fit
# it bounds the divergence of a row and its gradient, which grow as exp(2 * log_scale). One such row
# can make a whole fit run away.
LOG_SCALE_RANGE = (-10.0, 1.0)
RESIDUAL_VECTORS = 8000  # noise vectors in the expected residual, over all rows
WIDE = 64  # with a shared variance, so many columns count as one more row


# The built-in modules, which draw their weights from the generator.
ENCODERS = (PerceptronEncoder, ConvolutionalEncoder)
DECODERS = (PerceptronDecoder, ConvolutionalDecoder)


class _Rescaled(nn.Module):
    """A user's module between two factors: ``after * module(before * x)``."""

    def __init__(self, module, before, after):
        super().__init__()
        self.module = module
        self.before = before
        self.after = after

    def forward(self, x):
        return self.after * self.module(self.before * x)


def rescaled(module, *, before=1.0, after=1.0):
    """Return ``after * module(before * x)`` as a module, or the module itself if both are 1.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.networks import rescaled
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
        Modules from tensors to tensors.
    observation : nn.Module
        Module from the decoder's output to p(x|z).
    n_components : int
        Length of z.
    """

    def __init__(self, encoder, decoder, observation, n_components):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.observation = observation
        self.n_components = n_components

    def initialize(self, generator, mean, scale, expected=None):
        """Draw the weights of the built-in modules. The user's modules already have weights.

        Parameters
        ----------
        generator : torch.Generator
            Source of the weights.
        mean, scale : tensor of shape (n_inputs,)
            Mean and scale of the encoder's input.
        expected : tensor of shape (n_inputs,), default=None
            Mean of the columns of the likelihood, if they differ from the encoder's input.
        """
        if isinstance(self.encoder, ENCODERS):
            self.encoder.initialize(generator, mean, scale)
        elif hasattr(self.encoder, "centre"):  # the values that replace NaN
            self.encoder.centre.copy_(mean)
        if isinstance(self.decoder, DECODERS):
            expected = mean if expected is None else expected
            self.decoder.initialize(generator, *self.observation.initial_location(expected, scale))

    @property
    def is_built_in(self):
        """Whether encoder and decoder are modules of this package."""
        return isinstance(self.encoder, ENCODERS) and isinstance(self.decoder, DECODERS)

    @property
    def has_linear_path(self):
        """Whether encoder and decoder are linear maps or contain one (see ``start_at``)."""
        ours = isinstance(self.encoder, PerceptronEncoder)
        return ours and isinstance(self.decoder, PerceptronDecoder)

    def _start_linear(self, encoder_rows, decoder_columns):
        """Set the linear maps. Codes beyond these rows do not affect the decoder's output yet."""
        encoder, decoder = self.encoder.linear, self.decoder.linear
        with torch.no_grad():
            encoder.weight[: len(encoder_rows)] = encoder_rows / encoder.unit
            decoder.weight.zero_()[:, : decoder_columns.shape[1]] = decoder_columns

    @property
    def n_locations(self):
        """Length of the decoder's output, or None if it is the length of a row."""
        layout = getattr(self.observation, "layout", None)
        return None if layout is None else layout.n_columns

    @cached_property
    def width(self):
        """Number of floats of a row in the widest layer, as far as the layers show it."""
        of_weights = [len(weight) for weight in self.parameters() if weight.ndim]
        of_modules = [getattr(module, "width", 0) for module in (self.encoder, self.decoder)]
        return max(*of_weights, *of_modules)

    @cached_property
    def n_weights(self):
        """Number of trainable weights."""
        return sum(weights.numel() for weights in self.parameters())

    def read(self, x):
        """Return the input of the encoder: the rows, or the rows expanded by their layout."""
        layout = getattr(self.observation, "layout", None)
        return x if layout is None else layout.inputs(layout.expand(x))

    def encoded(self, x):
        """Return the encoder's output in the dtype of x, even under autocast.

        A user's module gets a copy of its input, since it may change it in place.
        """
        read = self.read(x)
        output = self.encoder(read if isinstance(self.encoder, ENCODERS) else read.clone())
        return output.to(x.dtype)

    def decoded(self, z):
        """Return the decoder's output in the dtype of z, even under autocast."""
        return self.decoder(z if isinstance(self.decoder, DECODERS) else z.clone()).to(z.dtype)

    def decode(self, z):
        """Return the likelihood p(x|z)."""
        return self.observation(self.decoded(z))

    @abstractmethod
    def code(self, x):
        """Return the deterministic code of x, (n_samples, n_components)."""

    @abstractmethod
    def noise(self, n_samples, generator):
        """Return the ``noise`` of ``forward`` for a training batch, or None.

        It is drawn on the device of the generator.
        """


class AutoencoderNetwork(BaseNetwork):
    """The deterministic network x -> z = f(x) -> g(z)."""

    def encode(self, x):
        """Return z = f(x)."""
        return self.encoded(x)

    code = encode

    def start_at(self, components):
        """Set the linear maps to the PCA of these components, with codes of variance 1."""
        stds = torch.sqrt(components.variances)[:, None]
        self._start_linear(components.directions / stds, (components.directions * stds).T)

    def noise(self, n_samples, generator):
        return None

    def forward(self, x, noise=None):
        z = self.encode(x)
        return {"likelihood": self.decode(z), "z": z}


class VariationalNetwork(BaseNetwork):
    """The network x -> q(z|x) -> z = mean + std * noise -> p(x|z).

    The encoder's output is the mean of the posterior, followed by its log standard deviation. If
    ``noise`` is not given, training mode draws it from torch's global generator, and evaluation
    mode decodes the mean.
    """

    def initialize(self, generator, mean, scale, expected=None):
        super().initialize(generator, mean, scale, expected)
        if isinstance(self.encoder, ENCODERS):
            # All posteriors start with the same standard deviation, so that no row starts with an
            # exponentially large divergence.
            nn.init.zeros_(self.encoder.head.weight[self.n_components :])
            nn.init.constant_(self.encoder.head.bias[self.n_components :], -1.0)

    def start_at(self, components, noise_variance):
        r"""Set the linear maps to probabilistic PCA.

        Let u be the directions, :math:`\lambda` their variances, and s the noise variance times
        beta, all of rows as the network scales them. The weights of the posterior's mean are
        :math:`u \sqrt{\lambda - s} / \lambda`, and its standard deviations are
        :math:`\sqrt{s / \lambda}`. The weights of the decoder are :math:`u \sqrt{\lambda - s}`.
        """
        directions = components.directions
        gains = components.gains(noise_variance)[:, None]
        to_codes = gains / components.variances[:, None] * directions
        nn.init.zeros_(self.encoder.linear.weight)  # further codes start inactive
        self._start_linear(to_codes, (gains * directions).T)
        log_stds = self.encoder.head.bias.data[self.n_components :]
        log_stds.zero_()[: len(gains)] = torch.log(components.stds(noise_variance))

    def encode(self, x):
        """Return q(z|x), a :class:`~skvae.nn.Gaussian`."""
        mean, log_scale = self.encoded(x).chunk(2, -1)
        return Gaussian(mean, functional.hardtanh(log_scale, *LOG_SCALE_RANGE))

    def code(self, x):
        return self.encoded(x)[:, : self.n_components]

    def noise(self, n_samples, generator):
        shape = (n_samples, self.n_components)
        place = generator.device
        return torch.randn(shape, generator=generator, dtype=torch.float32, device=place)

    def forward(self, x, noise=None):
        posterior = self.encode(x)
        if noise is None and self.training:
            noise = torch.randn_like(posterior.mean)
        z = posterior.mean if noise is None else posterior.sample(noise)
        location = self.decoded(z)
        if self.training:
            self.observation.track(x, location, posterior)
        return {"likelihood": self.observation(location), "posterior": posterior, "z": z}

    def elbo(self, x, noise):
        """Return E_q[log p(x|z)] - KL for every row, as a mean over the rows of ``noise``."""
        posterior = self.encode(x)
        return expected_log_prob(self, posterior, x, noise) - kl_to_standard_normal(posterior)

    def elbo_function(self, noise, n_samples):
        """Return ``elbo`` with this noise as a function of x, in the fastest way for n_samples."""
        if ReducedBound.pays(self, len(noise), n_samples):
            return ReducedBound(self, noise)
        return partial(self.elbo, noise=noise)

    def elbo_terms(self, x, noise):
        """Return E_q[log p(x_j|z)] for every entry, and the KL of every row as a last column."""
        posterior = self.encode(x)
        log_prob = expected_log_prob(self, posterior, x, noise, per_feature=True)
        return torch.cat((log_prob, kl_to_standard_normal(posterior)[:, None]), -1)

    def importance(self, x, noise):
        r"""Return the log of the mean importance weight and the effective sample size of every row.

        The weights are :math:`p(x|z) p(z) / q(z|x)`, with one z for each row of ``noise``. Both
        results are float64, (n_samples,).
        """
        return log_mean_weight(self, self.encode(x), x, noise)

    @torch.no_grad()
    def expected_residual(self, batches):
        """Return the mean over rows of E_q (x - g(z))^2 at beta 1, shared or for each column.

        An observation model of columns of several kinds returns the mean of its own ``residual``.

        Each row uses some of the whitened noise vectors in turn, so that about
        ``RESIDUAL_VECTORS`` are used in total. With many rows, each uses one vector; with fewer
        rows, antithetic pairs; with few rows, all vectors. If the columns share one variance, wide
        rows count as several rows.
        """
        half, _ = whitened_noise(self.n_components).chunk(2)
        noise = torch.stack((half, -half), 1).flatten(0, 1)  # a vector, then its opposite
        noise = noise.to(next(self.parameters()))
        n_columns = max(1, batches.X.shape[1] // WIDE) if self.observation.is_shared else 1
        n_each = min(len(noise), -(-RESIDUAL_VECTORS // (batches.n_samples * n_columns)))
        n_each += n_each % 2 if n_each > 1 else 0
        total = 0.0
        for (start, stop), x in zip(batches.slices, batches, strict=True):
            posterior = self.encode(x)
            turns = torch.arange(n_each, device=noise.device)[:, None]
            places = torch.arange(start, stop, device=noise.device)
            of_rows = noise[(n_each * places + turns) % len(noise)]
            for z in draws(posterior, of_rows, self.width):
                rows = x.repeat(len(z) // len(x), 1)
                residual = self.observation.residual(rows, self.decoded(z), posterior)
                total = total + residual.double() * (len(z) / n_each)
        return total / batches.n_samples
