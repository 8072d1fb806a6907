"""The density of rows whose columns are of several kinds, and of rows with holes."""

import torch

__all__ = ["Mixed"]


class Mixed:
    r"""Independent columns of several kinds.

    .. math:: \log p(x) = \sum_j \log p(x_j)

    over what is observed: what is NaN in x adds nothing.

    Parameters
    ----------
    layout : ColumnLayout
        Of the columns.
    likelihoods : list
        One for each kind, in the order of ``layout.slices``.
    """

    def __init__(self, layout, likelihoods):
        self.layout = layout
        self.likelihoods = likelihoods

    @property
    def expanded_mean(self):
        """The means as a network has them: of categories the probabilities."""
        return torch.cat([likelihood.mean for likelihood in self.likelihoods], 1)

    @property
    def mean(self):
        """The means; of a column of codes the most probable level."""
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
        """Return the squared error of every entry of x, NaN where it is.

        Of a column of codes it is that of all its levels' probabilities, from 0 to 2.
        """
        return self.layout.summed((self.expanded_mean - self.layout.expand(x)).square())

    def _parts(self):
        return zip(self.likelihoods, self.layout.slices.values(), strict=True)

    def _entries(self, x, holes):
        """Return the log-densities of expanded entries, kind by kind, 0 in holes."""
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
