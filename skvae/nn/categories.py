"""Probabilities of categories: variables that are one-hot blocks of columns."""

from functools import cached_property

import torch
from torch import nn

__all__ = ["Blocks", "Categorical"]

LEAST_SUM = 1e-30  # of exponentials, that float32 holds with all its digits
LEAST_MEAN = 1e-4  # of a level's frequency, as a decoder of logits begins with


class Blocks(nn.Module):
    """Which columns are the levels of which variable.

    Parameters
    ----------
    blocks : list of slice
        The columns of every variable, one after the other.
    """

    def __init__(self, blocks):
        super().__init__()
        sizes = [block.stop - block.start for block in blocks]
        self.n_columns = sum(sizes)
        # Shorter blocks end with a column beyond the last one.
        places = torch.full((len(sizes), max(sizes)), self.n_columns)
        for place, (block, size) in enumerate(zip(blocks, sizes, strict=True)):
            places[place, :size] = torch.arange(block.start, block.stop)
        variables = torch.arange(len(sizes))
        variable = variables.repeat_interleave(torch.tensor(sizes), output_size=self.n_columns)
        self.register_buffer("places", places, persistent=False)
        self.register_buffer("variable", variable, persistent=False)
        members = nn.functional.one_hot(variable, len(sizes)).T.float().contiguous()
        self.register_buffer("members", members, persistent=False)
        self.register_buffer("sizes", torch.tensor(sizes), persistent=False)
        # The log-probability of a level that is not among those of the training rows.
        self.register_buffer("unseen", torch.zeros(()))

    def padded(self, values, filler):
        """Return columns as (n_samples, n_variables, most levels)."""
        column = values.new_full((len(values), 1), filler)
        return torch.cat((values, column), 1)[:, self.places]

    def of_columns(self, values):
        """Return what is of variables, (n_samples, n_variables), for each of their columns."""
        return values.index_select(1, self.variable)

    def sums(self, x):
        """Return the sum of every block, (n_samples, n_variables)."""
        return x.new_zeros(len(x), len(self.sizes)).index_add_(1, self.variable, x)


class Categorical:
    r"""Independent variables, each one of some levels; a one-hot block of columns for each.

    .. math:: \log p(x) = \sum_v \sum_{k \in v} x_k (\eta_k - \log \sum_{l \in v} e^{\eta_l})

    A block of zeros is a level that training has not seen. It is as improbable as the least
    probable level, and at most :math:`1 / (n + 1)` after n rows, as by Laplace's rule.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\eta`.
    blocks : Blocks
        Of the columns.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.categories import Blocks, Categorical
    >>> three = Categorical(torch.zeros(1, 3), Blocks([slice(0, 3)]))
    >>> three.log_prob(torch.tensor([[0.0, 1.0, 0.0]])).exp()
    tensor([0.3333])
    """

    def __init__(self, logits, blocks):
        self.logits = logits
        self.blocks = blocks

    @staticmethod
    def location(mean):
        """Return logits of these frequencies, one of 0 kept at a finite distance."""
        return torch.log(mean.clamp(min=LEAST_MEAN))

    @cached_property
    def log_probabilities(self):
        """The logarithms of the probabilities of all levels."""
        # One product for all blocks, unless one is so far below another that it would vanish.
        highest = self.logits.amax(1, keepdim=True)
        exponentials = torch.exp(self.logits - highest)
        sums = nn.functional.linear(exponentials, self.blocks.members.to(self.logits))
        if (sums > LEAST_SUM).all():
            norms = torch.log(sums) + highest
        else:
            norms = torch.logsumexp(self.blocks.padded(self.logits, -torch.inf), -1)
        return self.logits - self.blocks.of_columns(norms)

    @property
    def mean(self):
        """The probabilities of the levels."""
        return torch.exp(self.log_probabilities)

    def draw(self, generator):
        """Return independent draws: one-hot blocks."""
        shape, dtype = self.logits.shape, self.logits.dtype
        uniform = torch.rand(shape, generator=generator, dtype=dtype).to(self.logits.device)
        # The largest of logits with Gumbel noise is a draw.
        noisy = self.logits - torch.log(-torch.log(uniform.clamp(min=torch.finfo(dtype).tiny)))
        best = self.blocks.padded(noisy, -torch.inf).argmax(-1)
        hot = self.blocks.places.gather(1, best.T).T
        return torch.zeros_like(self.logits).scatter_(1, hot, 1.0)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats, which a one alone has.

        That of an unseen level is shared by the columns of the block.
        """
        entries = x * self.log_probabilities
        lacking = (1 - self.blocks.sums(x)).abs()
        if not lacking.any():
            return entries
        least = self.blocks.padded(self.log_probabilities, torch.inf).amin(-1)
        unseen = lacking * torch.minimum(least, self.blocks.unseen) / self.blocks.sizes
        return entries + self.blocks.of_columns(unseen)

    def log_prob(self, x):
        """Return the log-probability of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)

    def slope(self, x):
        """Return minus the derivative of the log-probability by the logits, of one-hot x."""
        return self.mean - x
