"""Explicit derivatives of the built-in perceptrons, which are faster than autograd."""

import torch
from torch import nn

from skvae.nn.perceptrons import LINEAR_LAYERS, PerceptronDecoder, PerceptronEncoder

__all__ = ["WrittenDecoder", "WrittenEncoder", "has_written_layers", "is_hooked"]

aten = torch.ops.aten
# The derivative by the input of an activation, from the derivative by its output, its input, its
# output, and the activation itself. If it works in place, its output has replaced its input.
ACTIVATIONS = {
    nn.ReLU: lambda slope, x, y, of: aten.threshold_backward(slope, y, 0),
    nn.LeakyReLU: lambda slope, x, y, of: aten.leaky_relu_backward(
        slope, y, of.negative_slope, True
    ),
    nn.ELU: lambda slope, x, y, of: aten.elu_backward(slope, of.alpha, 1, 1, True, y),
    nn.GELU: lambda slope, x, y, of: aten.gelu_backward(slope, x, approximate=of.approximate),
    nn.SiLU: lambda slope, x, y, of: aten.silu_backward(slope, x),
    nn.Tanh: lambda slope, x, y, of: aten.tanh_backward(slope, y),
    nn.Sigmoid: lambda slope, x, y, of: aten.sigmoid_backward(slope, y),
}
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
WEIGHT_HOOKS = ("_backward_hooks", "_post_accumulate_grad_hooks")


def has_written_layers(module):
    """Return whether a module is a built-in perceptron without frozen weights and hooks.

    Examples
    --------
    >>> from skvae.nn.perceptrons import PerceptronDecoder
    >>> from skvae.nn.written_layers import has_written_layers
    >>> has_written_layers(PerceptronDecoder(2, 5, (3,), "silu"))
    True
    """
    if type(module) not in (PerceptronEncoder, PerceptronDecoder):
        return False
    hooked = any(map(is_hooked, module.modules()))
    trained = all(
        weight.requires_grad and not any(getattr(weight, name) for name in WEIGHT_HOOKS)
        for weight in module.parameters()
    )
    beside = [] if module.shortcut is None else [module.shortcut]
    return trained and not hooked and all(map(_is_known, [*_chain(module), *beside]))


def is_hooked(module):
    """Return whether a module has hooks, or a replaced ``forward``."""
    return "forward" in vars(module) or any(getattr(module, name) for name in HOOKS)


def _is_known(part):
    """Return whether a part is a built-in layer, or an activation with a known derivative."""
    falls = min(getattr(part, "alpha", 0), getattr(part, "negative_slope", 0)) < 0
    return type(part) in LINEAR_LAYERS or (type(part) in ACTIVATIONS and not falls)


def _chain(module):
    """Return the linear layers and the activations between them, in order."""
    if isinstance(module, PerceptronEncoder):
        return [*module.layers]
    return [*module.hidden, module.output]


class _WrittenLayers:
    """Linear layers with activations between them, plus a linear map.

    Parameters
    ----------
    module : PerceptronEncoder or PerceptronDecoder
        A module for which :func:`has_written_layers` is true. The derivatives by its weights are
        written to their ``grad``. Earlier values there are overwritten.
    """

    def __init__(self, module):
        *self.hidden, self.last = _chain(module)
        self.holes, self.missing = getattr(module, "holes", None), None
        self.shortcut = module.shortcut
        self.kept = []

    def outputs(self, x, missing=None):
        """Return the output for x, and for a mask with ones for missing values."""
        self.x, self.missing, self.kept = x, missing, []
        h = x
        for linear, activation in zip(self.hidden[::2], self.hidden[1::2], strict=True):
            before = self._with_holes(linear, _linear(linear, h))
            after = activation(before)
            self.kept.append((linear, h, before, after, activation))
            h = after
        self.h = h
        output = self._with_holes(self.last, _linear(self.last, h))
        if self.shortcut is not None:
            output.addmm_(x, self.shortcut.weight.T, alpha=self.shortcut.unit)
        return output

    def _with_holes(self, linear, output):
        """Return a layer's output. If it is the first layer, add the linear map of the mask."""
        if self.missing is None or linear is not [*self.hidden, self.last][0]:
            return output
        return output.addmm_(self.missing, self.holes.weight.T, alpha=self.holes.unit)

    def pull(self, slope, *, to_input):
        """Write the derivatives by the weights; return the derivative by the input, or None.

        Parameters
        ----------
        slope : tensor in the shape of the output
            The derivative by the output.
        to_input : bool
            Whether to return the derivative by the input.
        """
        by_output, wanted = slope, to_input or bool(self.kept)
        slope = self._pull_linear(self.last, self.h, slope, onward=wanted)
        for place, (linear, x, before, after, activation) in reversed([*enumerate(self.kept)]):
            slope = ACTIVATIONS[type(activation)](slope, before, after, activation)
            slope = self._pull_linear(linear, x, slope, onward=to_input or place > 0)
        if self.shortcut is None:
            return slope
        beside = self._pull_linear(self.shortcut, self.x, by_output, onward=to_input)
        return slope.add_(beside) if to_input else None

    def _pull_linear(self, linear, x, slope, *, onward):
        """Write the derivatives by a layer's weights; return that by its input if ``onward``.

        ``onward`` is never true for a linear map of rows. Only these have a ``unit`` other than 1.
        """
        if self.holes is not None and linear is [*self.hidden, self.last][0]:
            by_holes = _gradient(self.holes.weight)
            if self.missing is None:
                by_holes.zero_()
            else:
                unit = self.holes.unit
                torch.addmm(by_holes, slope.T, self.missing, beta=0, alpha=unit, out=by_holes)
        by_weight = _gradient(linear.weight)
        torch.addmm(by_weight, slope.T, x, beta=0, alpha=linear.unit, out=by_weight)
        if linear.bias is not None:
            torch.sum(slope, 0, out=_gradient(linear.bias))
        if not onward:
            return None
        return slope @ linear.weight


class WrittenEncoder(_WrittenLayers):
    """Forward and backward of a :class:`~skvae.nn.perceptrons.PerceptronEncoder`."""

    def __init__(self, module):
        super().__init__(module)
        self.standardized = module.standardized

    def forward(self, x, known=None):
        """Return the output for a batch. ``known`` has ones for observed values, or is None."""
        x = self.standardized(x)
        return self.outputs(x) if known is None else self.outputs(x.mul_(known), 1 - known)

    def backward(self, slope):
        """Write the derivatives by the weights, from the derivative by the output."""
        self.pull(slope, to_input=False)


class WrittenDecoder(_WrittenLayers):
    """Forward and backward of a :class:`~skvae.nn.perceptrons.PerceptronDecoder`."""

    def __init__(self, module):
        super().__init__(module)
        self.centre, self.scale = module.centre, module.scale

    def forward(self, z):
        """Return the output for a batch of codes."""
        return torch.addcmul(self.centre, self.outputs(z), self.scale)

    def backward(self, slope):
        """Write the derivatives by the weights, and return the derivative by the codes."""
        return self.pull(slope * self.scale, to_input=True)


def _gradient(weight):
    """Return the tensor to which the derivative by a weight is written."""
    if weight.grad is None:
        weight.grad = torch.empty_like(weight)
    return weight.grad


def _linear(linear, x):
    return torch.addmm(linear.bias, x, linear.weight.T, alpha=linear.unit)
