"""The gradients of a training step on one batch, by autograd or by explicit derivatives."""

import torch
from torch.nn import functional

from skvae.nn.distributions import Gaussian
from skvae.nn.networks import (
    DECODERS,
    ENCODERS,
    LOG_SCALE_RANGE,
    AutoencoderNetwork,
    VariationalNetwork,
)
from skvae.nn.slopes import has_written_slopes, penalty_slopes, reconstruction_slope
from skvae.nn.written_layers import WrittenDecoder, WrittenEncoder, has_written_layers, is_hooked
from skvae.training.flat_adam import FlatAdam
from skvae.training.hearing import hears_batches
from skvae.training.precision import at_precision

__all__ = ["LayerStep", "Steps", "WholeStep", "step_of"]

NETWORKS = (AutoencoderNetwork, VariationalNetwork)


class Steps:
    """The steps of a fit: the gradients and the steps of the optimizer.

    It is a context manager. At its end, the weights get their own memory again.

    Parameters
    ----------
    net : AutoencoderNet
        An initialized net, whose callbacks have been notified of the start of training.
    precision : {"float32", "bfloat16"}
        Precision of the matrix products.
    """

    def __init__(self, net, precision):
        self.net = net
        self.precision = precision
        self.flat = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._release()

    def begin_epoch(self):
        """Check the callbacks, and what they have changed in the network and the optimizer."""
        self.heard = any(hears_batches(callback) for _, callback in self.net.callbacks_)
        self._look()

    def _look(self):
        """Choose the fastest way to compute the gradients and to make a step."""
        net, optimizer = self.net, self.net.optimizer_
        if self.flat is not None and not self.flat.holds:
            self._release()
        if self.flat is None and FlatAdam.takes(optimizer):
            self.flat = FlatAdam(optimizer)
        self.step = step_of(net.module_, net.criterion_, self.precision, net.device)
        self.weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        # If a callback may read the gradients, or if a weight may have none, they are new tensors.
        self.lends = self.flat is not None and self.step.overwrites and not self.heard
        if self.lends:
            self.flat.lend()

    def pull(self, x, noise, weight):
        """Compute the gradients of a batch; return the means of the terms, and of the loss."""
        if self.heard:
            self._look()
        if not self.lends:
            for of_optimizer in self.weights:  # zero_grad without its hooks, which take as long
                of_optimizer.grad = None  # as a layer
        return self.step(x, noise, weight)

    def move(self):
        """Make a step of the optimizer."""
        if self.flat is not None and not self.lends and not self._collected():
            self._release()
        if self.flat is None:
            self.net.optimizer_.step()
            return
        self.flat.step()
        if self.heard:
            self.flat.settle()

    def _collected(self):
        """Return whether the flat optimizer has all gradients and is still valid."""
        return (not self.heard or self.flat.holds) and self.flat.collect()

    def end_epoch(self):
        """Write the number of steps into the optimizer, as torch's own step does."""
        if self.flat is not None:
            self.flat.settle()

    def _release(self):
        """Give the weights their own memory again."""
        if self.flat is not None:
            self.flat.release()
            self.flat = None


def step_of(network, objective, precision, device):
    """Return the fastest step for a network. Its result is that of :class:`WholeStep`.

    Parameters
    ----------
    network, objective : BaseNetwork, Objective
        The network and the objective on the device.
    precision : {"float32", "bfloat16"}
        Precision of the matrix products.
    device : str or torch.device
        The device.
    """
    ours = type(network) in NETWORKS and has_written_slopes(objective, network.observation)
    rounded = torch.is_autocast_enabled(torch.device(device).type)  # the caller of fit enabled it
    if ours and not rounded and not is_hooked(network):
        return LayerStep(network, objective, precision, device)
    return WholeStep(network, objective, precision, device)


class WholeStep:
    """The step for any network and objective, which uses autograd from the loss to the weights.

    Parameters
    ----------
    network, objective, precision, device
        As in :func:`step_of`.
    """

    overwrites = False

    def __init__(self, network, objective, precision, device):
        self.forward = at_precision(network, precision, device)
        self.objective = objective

    def __call__(self, x, noise, weight):
        """Add ``weight`` times the derivatives of the loss to the gradients.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_features)
            A batch.
        noise : tensor of shape (n_samples, n_components) or None
            The noise, as ``network.noise`` returns it, on the device.
        weight : float
            Weight of the batch.

        Returns
        -------
        dict of {str: scalar tensor}
            The means of ``objective.means``, and the loss.
        """
        output = self.forward(x, noise)
        self.likelihood = output["likelihood"]
        means = self.objective.means(output, x)
        loss = self.objective.total(means)
        loss.backward(torch.full_like(loss, weight))
        return {**means, "loss": loss}

    def prediction(self):
        """Return the reconstruction of the last batch."""
        return self.likelihood.mean.detach()


class LayerStep:
    """The step for built-in networks and objectives, whose layers may be the user's.

    It uses autograd only for the encoder and the decoder. If both are built-in perceptrons, it does
    not use autograd at all. All other derivatives are explicit.

    Parameters
    ----------
    network, objective, precision, device
        As in :func:`step_of`.

    Attributes
    ----------
    overwrites : bool
        Whether the gradients are overwritten. If not, the new values are added to them.
    """

    def __init__(self, network, objective, precision, device):
        self.network = network
        self.objective = objective
        self.layout = getattr(network.observation, "layout", None)
        on_cpu = precision == "float32" and torch.device(device).type == "cpu"
        self.overwrites = on_cpu and all(
            map(has_written_layers, (network.encoder, network.decoder))
        )
        if self.overwrites:
            self.encoder = WrittenEncoder(network.encoder)
            self.decoder = WrittenDecoder(network.decoder)
        else:
            encoded, decoded = (
                at_precision(function, precision, device)
                for function in (network.encoded, network.decoded)
            )
            # Two modules of the user may share tensors: the decoder may use a tensor that the
            # encoder has computed. Then autograd passes through the encoder twice.
            ours = isinstance(network.encoder, ENCODERS) or isinstance(network.decoder, DECODERS)
            self.encoder = _ByAutograd(encoded, to_input=False)
            self.decoder = _ByAutograd(decoded, to_input=True, keeps_graph=not ours)

    @torch.no_grad()
    def __call__(self, x, noise, weight):
        """Set the gradients to ``weight`` times the derivatives of the loss, or add them.

        The arguments and the result are those of :class:`WholeStep`.
        """
        observed = None
        if self.layout is not None and self.overwrites:  # once for both ends of the network
            observed = self.layout.observed(x)
            encoded = self.encoder.forward(self.layout.inputs(observed[0]), observed[1])
        else:
            encoded = self.encoder.forward(x)
        posterior, z = None, encoded
        if noise is not None:
            mean, log_scale = encoded.chunk(2, -1)
            posterior = Gaussian(mean, functional.hardtanh(log_scale, *LOG_SCALE_RANGE))
            z = posterior.sample(noise)
        self.location = self.decoder.forward(z)
        if observed is None:
            reconstruction, by_location = reconstruction_slope(
                self.objective, self.network.observation, x, self.location, posterior, weight
            )
        else:
            reconstruction, by_location = self.network.observation.slope_of_observed(
                *observed, self.location, posterior, weight
            )
        penalties, slopes = penalty_slopes(self.objective, posterior, z, weight)
        by_code = self.decoder.backward(by_location)
        if noise is not None:
            by_code = _by_encoded(by_code, slopes, noise * posterior.scale, log_scale)
        self.encoder.backward(by_code)
        means = {"reconstruction": reconstruction, **penalties}
        return {**means, "loss": self.objective.total(means)}

    def prediction(self):
        """Return the reconstruction of the last batch."""
        return self.network.observation(self.location).mean


def _by_encoded(by_z, slopes, deviation, log_scale):
    """Return the derivative by the encoder's output, where z = mean + deviation."""
    if slopes.z is not None:
        by_z = by_z + slopes.z
    by_log_scale = torch.addcmul(slopes.log_scale, by_z, deviation)
    by_log_scale = torch.ops.aten.hardtanh_backward(by_log_scale, log_scale, *LOG_SCALE_RANGE)
    return torch.cat((by_z + slopes.mean, by_log_scale), -1)


class _ByAutograd:
    """Forward and backward of any module from tensors to tensors, by autograd."""

    def __init__(self, function, *, to_input, keeps_graph=False):
        self.function = function
        self.to_input = to_input
        self.keeps_graph = keeps_graph

    def forward(self, x):
        """Return the output for a batch."""
        self.leaf = x.detach()
        with torch.enable_grad():
            if self.to_input:
                # Autocast would round a leaf only once, and add the derivatives in low precision.
                x = self.leaf.requires_grad_().view_as(x)
            self.output = self.function(x)
        return self.output.detach()

    def backward(self, slope):
        """Add the derivatives to the gradients of the weights; return that by the input."""
        if self.output.requires_grad:
            torch.autograd.backward(self.output, slope, retain_graph=self.keeps_graph)
        # The output of a module may not depend on its input.
        return torch.zeros_like(self.leaf) if self.leaf.grad is None else self.leaf.grad
