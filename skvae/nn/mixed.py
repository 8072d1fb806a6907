"""The density of rows with columns of several kinds, and of rows with missing values."""

import torch

__all__ = ["Mixed"]


class Mixed:
    r"""Independent columns of several kinds.

    .. math:: \log p(x) = \sum_j \log p(x_j)

    The sum is over the observed values: NaN in x adds 0.

    Parameters
    ----------
    layout : ColumnLayout
        Layout of the columns.
    likelihoods : list
        One likelihood for each kind, in the order of ``layout.slices``.
    """

    def __init__(self, layout, likelihoods):
        self.layout = layout
        self.likelihoods = likelihoods

    @property
    def expanded_mean(self):
        """The means of the expanded columns. For categories, they are the probabilities."""
        return torch.cat([likelihood.mean for likelihood in self.likelihoods], 1)

    @property
    def mean(self):
        """The means of the columns of X. For a column of codes, the most probable level."""
        return self.layout.collect(self.expanded_mean)

    def draw(self, generator):
        """Return independent draws, rows of X."""
        draws = [likelihood.draw(generator) for likelihood in self.likelihoods]
        return self.layout.collect(torch.cat(draws, 1))

    def log_prob_per_feature(self, x):
        """Return the log-density of every entry of x, in nats, (n_samples, n_features)."""
        entries = self._entries(*self.layout.split(x))
        return self.layout.summed(torch.cat(entries, 1))

    def log_prob(self, x):
        """Return the log-density of every row of x, in nats, (n_samples,)."""
        x, holes = self.layout.split(x)
        if holes is not None:
            return sum(entries.sum(-1) for entries in self._entries(x, holes))
        return sum(likelihood.log_prob(x[:, place]) for likelihood, place in self._parts())

    def squared_errors(self, x):
        """Return the squared error of every entry of x, which is NaN where x is NaN.

        For a column of codes, it is the sum of the squared errors of the probabilities of all its
        levels, from 0 to 2.
        """
        return self.layout.summed((self.expanded_mean - self.layout.expand(x)).square())

    def _parts(self):
        return zip(self.likelihoods, self.layout.slices.values(), strict=True)

    def _entries(self, x, holes):
        """Return the log-densities of expanded entries for each kind; 0 for missing values."""
        entries = [
            likelihood.log_prob_per_feature(x[:, place]) for likelihood, place in self._parts()
        ]
        if holes is None:
            return entries
        places = self.layout.slices.values()
        return [
            of_kind.masked_fill(holes[:, place], 0)
            for of_kind, place in zip(entries, places, strict=True)
        ]
