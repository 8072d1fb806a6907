"""Adam on all weights as one tensor, which saves the fixed cost of a step for each layer."""

from itertools import accumulate

import torch
from torch.optim.adam import adam

from skvae.training.optimizers import Adam

__all__ = ["FlatAdam"]

MOMENTS = ("exp_avg", "exp_avg_sq")
STEP_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")


class FlatAdam:
    """Steps of an :class:`~skvae.training.optimizers.Adam` whose weights lie in one tensor.

    The parameters and the states of the optimizer become views of flat tensors. So code that looks
    at the network or the optimizer between epochs finds the usual objects.

    Parameters
    ----------
    optimizer : Adam
        An optimizer for which :meth:`takes` is true.

    Examples
    --------
    >>> import torch
    >>> from skvae.training.flat_adam import FlatAdam
    >>> from skvae.training.optimizers import Adam
    >>> weight = torch.nn.Parameter(torch.zeros(2, 2))
    >>> flat = FlatAdam(Adam([weight], lr=0.1, fused=True))
    >>> weight.grad = torch.full((2, 2), 3.0)
    >>> flat.collect()
    True
    >>> flat.step()
    >>> weight.data
    tensor([[-0.1000, -0.1000],
            [-0.1000, -0.1000]])
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer
        (self.group,) = optimizer.param_groups
        self.parameters = [*self.group["params"]]
        sizes = [weight.numel() for weight in self.parameters]
        flats = [self.parameters[0].new_zeros(sum(sizes)) for _ in range(4)]
        self.weights, self.gradient, *self.moments = flats
        dense = [torch.empty_like(weight) for weight in self.parameters]  # a view may have gaps
        offsets = accumulate(sizes[:-1], initial=0)
        layouts = [(like.size(), like.stride(), offset)
                   for like, offset in zip(dense, offsets, strict=True)]  # fmt: skip
        self.places = [[flat.as_strided(*layout) for layout in layouts] for flat in flats]
        # The number of steps, one for each parameter; always float32, as in torch.
        self.counts = self.weights.new_zeros(len(sizes))
        self._take()
        self.count = self.counts[0].clone()

    @staticmethod
    def takes(optimizer):
        """Return whether an optimizer is "adam", with dense weights of the same number of steps."""
        if not _is_plain_adam(optimizer):
            return False
        states = [optimizer.state[weight] for weight in optimizer.param_groups[0]["params"]]
        return len({float(state.get("step", 0.0)) for state in states}) == 1

    @property
    def holds(self):
        """Whether the parameters and states are still views, and none is frozen or replaced."""
        if not _is_plain_adam(self.optimizer) or self.optimizer.param_groups[0] is not self.group:
            return False
        if [*map(id, self.group["params"])] != [*map(id, self.parameters)]:
            return False
        return all(
            weight.data_ptr() == place.data_ptr()
            and all(self.optimizer.state[weight].get(name) is moment
                    for name, moment in zip(MOMENTS, moments, strict=True))
            for weight, place, _, *moments in zip(self.parameters, *self.places, strict=True)
        )  # fmt: skip

    def _take(self):
        """Copy the parameters and states into the flat tensors, and make them views."""
        places = zip(self.parameters, self.counts, *self.places, strict=True)
        for weight, count, place, _, *moments in places:
            state = self.optimizer.state[weight]
            place.copy_(weight.detach())
            weight.data = place
            count.fill_(state.get("step", 0.0))
            for name, moment in zip(MOMENTS, moments, strict=True):
                if name in state:
                    moment.copy_(state[name])
            state.update(step=count, **dict(zip(MOMENTS, moments, strict=True)))

    def lend(self):
        """Make views of the flat gradient the gradients of the parameters.

        The caller must then write all of them in every step.
        """
        for weight, gradient in zip(self.parameters, self.places[1], strict=True):
            weight.grad = gradient

    def collect(self):
        """Copy the gradients into the flat gradient; return whether all parameters have one."""
        gradients = [weight.grad for weight in self.parameters]
        if any(gradient is None for gradient in gradients):
            return False  # the optimizer does not change a weight without a gradient
        for gradient, place in zip(gradients, self.places[1], strict=True):
            place.copy_(gradient)
        return True

    def step(self):
        """Make one step of all weights."""
        beta1, beta2 = self.group["betas"]
        adam(
            [self.weights],
            [self.gradient],
            *([moment] for moment in self.moments),
            [],
            [self.count],
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            **{name: self.group[name] for name in ("lr", "weight_decay", "eps", "maximize")},
        )

    def settle(self):
        """Write the number of steps into the states of all parameters."""
        self.counts.fill_(self.count)

    def release(self):
        """Give the parameters and states their own memory again."""
        self.settle()
        for weight, gradient in zip(self.parameters, self.places[1], strict=True):
            weight.data = weight.data.clone()
            if weight.grad is gradient:
                weight.grad = None
            state = self.optimizer.state[weight]
            state.update({name: value.clone() for name, value in state.items()})


def _is_plain_adam(optimizer):
    """Return whether an optimizer is an unchanged "adam" with one group of plain weights."""
    if type(optimizer) is not Adam or len(optimizer.param_groups) > 1:
        return False
    # A scheduler of torch replaces the method ``step``, and hooks are called by it.
    if "step" in vars(optimizer) or any(getattr(optimizer, name) for name in STEP_HOOKS):
        return False
    return all(map(_is_plain, optimizer.param_groups[0]["params"]))


def _is_plain(weight):
    """Return whether a weight is a trainable dense float32 tensor on the CPU."""
    dense = weight.layout == torch.strided and weight.dtype == torch.float32
    return weight.requires_grad and weight.device.type == "cpu" and dense
