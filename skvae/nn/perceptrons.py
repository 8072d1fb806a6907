"""Perceptrons between rows and codes."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.standardization import StandardizingEncoder

__all__ = ["ACTIVATIONS", "PerceptronDecoder", "PerceptronEncoder"]

ACTIVATIONS = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
}


class _EmptyLinear(nn.Linear):
    """A linear layer that draws no weights when it is made."""

    def reset_parameters(self):
        pass


def _activation(make):
    """Return a new activation, after a look at what a user's callable makes."""
    try:
        module = make()
        got = f"{module!r} from {make!r} instead"
    except TypeError as error:  # of a module or a function of tensors, called without its input
        module, got = error, f"an error from {make!r} instead: {error}"
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"activation= must be a name, or a callable without arguments that returns an "
            f"nn.Module. Got {got}. Pass a class, such as nn.ReLU, or a functools.partial of one."
        )
    return module


def _perceptron(sizes, activation):
    """Return linear layers of uninitialized weights with activations in between."""
    make = ACTIVATIONS.get(activation, activation)
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [_EmptyLinear(n_inputs, n_outputs), _activation(make)]
    return nn.Sequential(*layers[:-1])


def _initialize(layers, generator):
    """Draw He's uniform weights (the last layer's with gain 1) and set the biases to zero."""
    linears = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for layer in linears:
        gain = "linear" if layer is linears[-1] else "relu"
        nn.init.kaiming_uniform_(layer.weight, nonlinearity=gain, generator=generator)
        nn.init.zeros_(layer.bias)


class PerceptronEncoder(StandardizingEncoder):
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
        layers = _perceptron((n_features, *hidden_layer_sizes, n_outputs), activation)
        super().__init__(layers, n_features)

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize(self.layers, generator)
        self.standardize(centre, scale)


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
