"""Probabilities of categorical variables, each of which is a one-hot block of columns."""

from functools import cached_property

import torch
from torch import nn

__all__ = ["Blocks", "Categorical"]

LEAST_SUM = 1e-30  # smallest sum of exponentials that float32 holds with full precision
LEAST_MEAN = 1e-4  # smallest frequency of a level from which the decoder's logits start


class Blocks(nn.Module):
    """The blocks of columns that belong to the variables: one column for each level.

    Parameters
    ----------
    blocks : list of slice
        The columns of every variable. The blocks follow one another without gaps.
    """

    def __init__(self, blocks):
        super().__init__()
        sizes = [block.stop - block.start for block in blocks]
        self.n_columns = sum(sizes)
        # Shorter blocks are filled up with the index after the last column.
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
        # The log-probability of a level that does not occur in the training rows.
        self.register_buffer("unseen", torch.zeros(()))

    def padded(self, values, filler):
        """Return columns as (n_samples, n_variables, largest number of levels)."""
        column = values.new_full((len(values), 1), filler)
        return torch.cat((values, column), 1)[:, self.places]

    def of_columns(self, values):
        """Return values of variables, (n_samples, n_variables), repeated for their columns."""
        return values.index_select(1, self.variable)

    def sums(self, x):
        """Return the sum of every block, (n_samples, n_variables)."""
        return x.new_zeros(len(x), len(self.sizes)).index_add_(1, self.variable, x)


class Categorical:
    r"""Independent categorical variables, each of which is a one-hot block of columns.

    .. math:: \log p(x) = \sum_v \sum_{k \in v} x_k (\eta_k - \log \sum_{l \in v} e^{\eta_l})

    A block of zeros is a level that did not occur in training. Its probability is that of the
    least probable level, and at most :math:`1 / (n + 1)` after n rows, as in Laplace's rule.

    Parameters
    ----------
    logits : tensor of shape (n_samples, n_columns)
        :math:`\eta`.
    blocks : Blocks
        The blocks of the columns.

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
        """Return the logits of frequencies. A frequency of 0 gives a finite logit."""
        return torch.log(mean.clamp(min=LEAST_MEAN))

    @cached_property
    def log_probabilities(self):
        """The logarithms of the probabilities of all levels."""
        # One product for all blocks, unless the sum of a block is too small for float32.
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
        """Return independent draws, which are one-hot blocks."""
        shape, dtype = self.logits.shape, self.logits.dtype
        uniform = torch.rand(shape, generator=generator, dtype=dtype).to(self.logits.device)
        # The index of the largest logit plus Gumbel noise is a draw.
        noisy = self.logits - torch.log(-torch.log(uniform.clamp(min=torch.finfo(dtype).tiny)))
        best = self.blocks.padded(noisy, -torch.inf).argmax(-1)
        hot = self.blocks.places.gather(1, best.T).T
        return torch.zeros_like(self.logits).scatter_(1, hot, 1.0)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats. It is 0 for an entry of 0.

        The log-probability of an unknown level is divided equally among the columns of the block.
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
        """Return minus the derivative of the log-probability by the logits, for one-hot x."""
        return self.mean - x
