"""Perceptrons between rows and codes."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.initialization import FIRST_OUTPUT, draw_weights
from skvae.nn.standardization import StandardizingEncoder

__all__ = ["ACTIVATIONS", "LINEAR_LAYERS", "PerceptronDecoder", "PerceptronEncoder"]

ACTIVATIONS = {
    "relu": lambda: nn.ReLU(inplace=True),
    "leaky_relu": lambda: nn.LeakyReLU(inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
}


class PlainLinear(nn.Linear):
    """A linear layer that draws no weights when it is created."""

    unit = 1.0

    def reset_parameters(self):
        pass


class _FromRows(PlainLinear):
    """A linear map of whole rows, whose weights are ``unit`` times the parameters.

    Adam changes every parameter by about ``lr`` in each step. If thousands of columns are
    correlated, as pixels are, a change of ``lr`` in each weight changes a code by a lot, and moves
    a linear model away from its optimum.
    """

    def __init__(self, *sizes, bias=True):
        super().__init__(*sizes, bias=bias)
        self.unit = self.in_features**-0.5

    def forward(self, x):
        return functional.linear(x, self.weight * self.unit, self.bias)


LINEAR_LAYERS = (PlainLinear, _FromRows)


def _activation(make):
    """Return a new activation, after a check of what a user's callable returns."""
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
    """Return linear layers with uninitialized weights, and activations between them."""
    make = ACTIVATIONS.get(activation, activation)
    layers = []
    for n_inputs, n_outputs in pairwise(sizes):
        layers += [PlainLinear(n_inputs, n_outputs), _activation(make)]
    return nn.Sequential(*layers[:-1])


def _initialize(layers, shortcut, generator):
    """Draw the weights. With a linear map, it starts at zero, and the last layer starts small."""
    *hidden, last = [layer for layer in layers if isinstance(layer, nn.Linear)]
    for layer in hidden:
        draw_weights(layer, generator)
    if shortcut is None:
        draw_weights(last, generator, 1 / last.unit)
    else:
        draw_weights(last, generator, FIRST_OUTPUT)
        nn.init.zeros_(shortcut.weight)


class PerceptronEncoder(StandardizingEncoder):
    """A perceptron plus a linear map of centred and scaled rows x': ``layers(x') + shortcut(x')``.

    The linear map starts at zero or at a PCA. Without hidden layers, there is no shortcut, and
    ``layers`` is the linear map. Centre and scale are constants of the training data. They do not
    change which functions the perceptron can represent, but only how well the problem is
    conditioned. So a fit does not depend on the units of X.

    Parameters
    ----------
    n_features, n_outputs : int
        Widths of the input and the output.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers. Empty for a linear map.
    activation : str or callable
        A key of ``ACTIVATIONS``, or a callable that returns a module.
    shortcut : bool, default=True
        Whether to add the linear map if there are hidden layers.
    takes_holes : bool, default=False
        Whether NaN marks a missing value. If so, it becomes the mean of its column. A linear map of
        the mask, which starts at zero, is added to the output of the first layer.
    """

    def __init__(
        self,
        n_features,
        n_outputs,
        hidden_layer_sizes,
        activation,
        *,
        shortcut=True,
        takes_holes=False,
    ):
        layers = _perceptron((n_features, *hidden_layer_sizes, n_outputs), activation)
        super().__init__(layers, n_features)
        self.shortcut = self.holes = None
        if not hidden_layer_sizes:
            self.layers[0] = _FromRows(n_features, n_outputs)
        elif shortcut:
            self.shortcut = _FromRows(n_features, n_outputs, bias=False)
        if takes_holes:
            self.holes = _FromRows(n_features, self.layers[0].out_features, bias=False)

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize(self.layers, self.shortcut, generator)
        if self.holes is not None:
            nn.init.zeros_(self.holes.weight)
        self.standardize(centre, scale)

    def without_holes(self, x):
        """Return standardised rows with zeros for NaN, and a mask with ones for NaN.

        The mask is None if there is no NaN, or if the encoder does not accept NaN.
        """
        if self.holes is None:
            return x, None
        missing = torch.isnan(x)
        return (x.masked_fill(missing, 0), missing.to(x)) if missing.any() else (x, None)

    @property
    def linear(self):
        """The linear map of x': the whole encoder or a part of it."""
        return self.head if self.shortcut is None else self.shortcut

    def forward(self, x):
        x, missing = self.without_holes(self.standardized(x))
        if missing is None:
            output = self.layers(x)
        else:
            output = self.layers[1:](self.layers[0](x) + self.holes(missing))
        return output if self.shortcut is None else output + self.shortcut(x)


class PerceptronDecoder(nn.Module):
    """The mirror image of the encoder: ``centre + scale * (output(hidden(z)) + shortcut(z))``.

    Parameters
    ----------
    n_components, n_features : int
        Widths of the input and the output.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers, in the decoder's order. Empty for a linear map.
    activation : str or callable
        A key of ``ACTIVATIONS``, or a callable that returns a module.
    shortcut : bool, default=True
        Whether to add the linear map if there are hidden layers.
    """

    def __init__(self, n_components, n_features, hidden_layer_sizes, activation, *, shortcut=True):
        super().__init__()
        sizes = (n_components, *hidden_layer_sizes, n_features)
        *hidden, output = _perceptron(sizes, activation)
        self.hidden = nn.Sequential(*hidden)
        self.output = output
        self.shortcut = None
        if hidden_layer_sizes and shortcut:
            self.shortcut = PlainLinear(n_components, n_features, bias=False)
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))

    def initialize(self, generator, centre, scale):
        """Draw the weights and set the constants."""
        _initialize([*self.hidden, self.output], self.shortcut, generator)
        self.centre.copy_(centre)
        self.scale.copy_(scale)

    @property
    def linear(self):
        """The linear map of z: the whole decoder or a part of it."""
        return self.output if self.shortcut is None else self.shortcut

    def forward(self, z):
        if self.training or torch.is_autocast_enabled(z.device.type):
            standardized = self.output(self.hidden(z))
            if self.shortcut is not None:
                standardized = standardized + self.shortcut(z)
            # Under autocast the layers compute with three digits. The constants keep full
            # precision.
            return torch.addcmul(self.centre, standardized.to(z.dtype), self.scale)
        # There may be many rows. Scaling the last layer, which has fewer entries, is faster.
        scale = self.scale.unsqueeze(1)
        bias = torch.addcmul(self.centre, self.output.bias, self.scale)
        output = functional.linear(self.hidden(z), self.output.weight * scale, bias)
        if self.shortcut is None:
            return output
        return torch.addmm(output, z, (self.shortcut.weight * scale).T)
