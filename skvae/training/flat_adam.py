"""Adam on all weights as one tensor: what it costs to begin a step is paid once, not per layer."""

import torch
from torch.optim.adam import adam

from skvae.training.optimizers import Adam

__all__ = ["FlatAdam"]

MOMENTS = ("exp_avg", "exp_avg_sq")


class FlatAdam:
    """Steps for an :class:`~skvae.training.optimizers.Adam` whose weights lie in one tensor.

    The parameters, their ``grad`` and the optimizer's states become views of flat tensors, so that
    whoever looks at network and optimizer between epochs finds what is always there.

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
    >>> weight.grad.fill_(3.0)
    tensor([[3., 3.],
            [3., 3.]])
    >>> flat.step()
    >>> weight.data
    tensor([[-0.1000, -0.1000],
            [-0.1000, -0.1000]])
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer
        (self.group,) = optimizer.param_groups
        self.parameters = self.group["params"]
        sizes = [weight.numel() for weight in self.parameters]
        self.weights, self.gradient, *self.moments = (
            torch.zeros(sum(sizes), dtype=torch.float32) for _ in range(4)
        )
        self.places = [
            [part.as_strided(weight.size(), weight.stride(), part.storage_offset())
             for part, weight in zip(flat.split(sizes), self.parameters, strict=True)]
            for flat in (self.weights, self.gradient, *self.moments)
        ]  # fmt: skip
        self.counts = torch.zeros(len(sizes), dtype=torch.float32)  # of steps, a state of each
        self._take()
        self.count = self.counts[0].clone()

    @staticmethod
    def takes(optimizer):
        """Return whether an optimizer is the named one, of dense weights that began together."""
        if type(optimizer) is not Adam or len(optimizer.param_groups) > 1:
            return False
        weights = optimizer.param_groups[0]["params"]
        counts = {float(optimizer.state[weight].get("step", 0.0)) for weight in weights}
        return len(counts) == 1 and "step" not in vars(optimizer) and all(map(_is_plain, weights))

    @property
    def holds(self):
        """Whether parameters and states still lie where they were laid: nobody replaced them."""
        return all(
            weight.data_ptr() == place.data_ptr() and weight.grad is gradient
            and all(self.optimizer.state[weight].get(name) is moment
                    for name, moment in zip(MOMENTS, moments, strict=True))
            for weight, place, gradient, *moments in zip(self.parameters, *self.places, strict=True)
        )  # fmt: skip

    def _take(self):
        """Lay parameters and states out."""
        places = zip(self.parameters, self.counts, *self.places, strict=True)
        for weight, count, place, gradient, *moments in places:
            state = self.optimizer.state[weight]
            place.copy_(weight.detach())
            weight.data, weight.grad = place, gradient
            count.fill_(state.get("step", 0.0))
            for name, moment in zip(MOMENTS, moments, strict=True):
                if name in state:
                    moment.copy_(state[name])
            state.update(step=count, **dict(zip(MOMENTS, moments, strict=True)))

    def clear(self):
        """Set all gradients to zero."""
        self.gradient.zero_()

    def collect(self):
        """Take gradients that a callback has put in the place of ours."""
        for weight, gradient in zip(self.parameters, self.places[1], strict=True):
            if weight.grad is not gradient:
                gradient.copy_(weight.grad)
                weight.grad = gradient

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
        for weight in self.parameters:
            weight.data, weight.grad = weight.data.clone(), None
            state = self.optimizer.state[weight]
            state.update({name: value.clone() for name, value in state.items()})


def _is_plain(weight):
    """Return whether a weight is dense numbers of the CPU, all of them to be trained."""
    dense = weight.layout == torch.strided and weight.dtype == torch.float32
    return weight.requires_grad and weight.device.type == "cpu" and dense
