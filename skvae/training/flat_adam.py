"""Adam on all weights as one tensor: what it costs to begin a step is paid once, not per layer."""

from itertools import accumulate

import torch
from torch.optim.adam import adam

from skvae.training.optimizers import Adam

__all__ = ["FlatAdam"]

MOMENTS = ("exp_avg", "exp_avg_sq")
STEP_HOOKS = ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")


class FlatAdam:
    """Steps for an :class:`~skvae.training.optimizers.Adam` whose weights lie in one tensor.

    The parameters and the optimizer's states become views of flat tensors, so that whoever looks
    at network and optimizer between epochs finds what is always there.

    Parameters
    ----------
    optimizer : Adam
        One that it :meth:`takes`.

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
        # Of steps, a state of every parameter; torch's own are float32 whatever its default dtype.
        self.counts = self.weights.new_zeros(len(sizes))
        self._take()
        self.count = self.counts[0].clone()

    @staticmethod
    def takes(optimizer):
        """Return whether an optimizer is the named one, of dense weights that began together."""
        if not _is_plain_adam(optimizer):
            return False
        states = [optimizer.state[weight] for weight in optimizer.param_groups[0]["params"]]
        return len({float(state.get("step", 0.0)) for state in states}) == 1

    @property
    def holds(self):
        """Whether the optimizer's step is still this one's: nobody replaced or froze anything."""
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
        """Lay parameters and states out."""
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
        """Make parts of the flat gradient the parameters' own, for who writes all of them."""
        for weight, gradient in zip(self.parameters, self.places[1], strict=True):
            weight.grad = gradient

    def collect(self):
        """Copy the parameters' gradients into the flat one; return whether all have one."""
        gradients = [weight.grad for weight in self.parameters]
        if any(gradient is None for gradient in gradients):
            return False  # the optimizer leaves such a weight where it is
        for gradient, place in zip(gradients, self.places[1], strict=True):
            place.copy_(gradient)
        return True

    def step(self):
        """Move all weights once."""
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
        """Write the number of steps into the states."""
        self.counts.fill_(self.count)

    def release(self):
        """Give parameters and states memory of their own again."""
        self.settle()
        for weight, gradient in zip(self.parameters, self.places[1], strict=True):
            weight.data = weight.data.clone()
            if weight.grad is gradient:
                weight.grad = None
            state = self.optimizer.state[weight]
            state.update({name: value.clone() for name, value in state.items()})


def _is_plain_adam(optimizer):
    """Return whether an optimizer's step is that of the named one, on all of its weights alike."""
    if type(optimizer) is not Adam or len(optimizer.param_groups) > 1:
        return False
    # A scheduler of torch's replaces the method, and hooks wait for its calls.
    if "step" in vars(optimizer) or any(getattr(optimizer, name) for name in STEP_HOOKS):
        return False
    return all(map(_is_plain, optimizer.param_groups[0]["params"]))


def _is_plain(weight):
    """Return whether a weight is dense numbers of the CPU, all of them to be trained."""
    dense = weight.layout == torch.strided and weight.dtype == torch.float32
    return weight.requires_grad and weight.device.type == "cpu" and dense
