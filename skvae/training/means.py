"""The means of terms over an epoch, which are summed on the device and fetched together."""

import torch

__all__ = ["EpochMeans", "fetched"]

MOST_WAITING = 256  # largest number of batches whose means are summed together


class EpochMeans:
    """Means of named terms over the rows of an epoch, summed on the device.

    Parameters
    ----------
    keeps : str, default=None
        The name of a term. The means of this term over each batch are kept as well.
    """

    def __init__(self, keeps=None):
        self.keeps = keeps
        self.n_samples = 0
        self.kept = []
        self._sums = {}
        self._waiting = []
        self._kind = None  # terms of the waiting batches, and their number of rows

    def add(self, means, n_samples):
        """Add the means {name: scalar tensor} over a batch of ``n_samples`` rows."""
        kind = (tuple(means), n_samples)
        if kind != self._kind or len(self._waiting) == MOST_WAITING:
            self._sum()
            self._kind = kind
        self._waiting.append([mean.detach() for mean in means.values()])
        self.n_samples += n_samples
        if self.keeps is not None:
            self.kept.append((means[self.keeps].detach(), n_samples))

    def _sum(self):
        """Add the waiting batches, which have the same terms and the same number of rows."""
        if not self._waiting:
            return
        names, n_samples = self._kind
        scalars = [mean for means in self._waiting for mean in means]
        sums = torch.stack(scalars).view(len(self._waiting), -1).sum(0) * n_samples
        for name, of_term in zip(names, sums.unbind(), strict=True):
            self._sums[name] = self._sums[name] + of_term if name in self._sums else of_term
        self._waiting = []

    @property
    def totals(self):
        """Sums over the rows, {name: scalar tensor}."""
        self._sum()
        return self._sums


def fetched(*epochs):
    """Return the means of some epochs as numbers, in one transfer from the device.

    Parameters
    ----------
    *epochs : EpochMeans
        Means on the same device.

    Returns
    -------
    list of (dict, list)
        For every epoch, {name: mean over its rows}, and a list of (mean, number of rows) of the
        kept term for each batch.

    Examples
    --------
    >>> import torch
    >>> from skvae.training.means import EpochMeans, fetched
    >>> epoch = EpochMeans(keeps="loss")
    >>> epoch.add({"loss": torch.tensor(4.0)}, 1)
    >>> epoch.add({"loss": torch.tensor(1.0)}, 2)
    >>> fetched(epoch)
    [({'loss': 2.0}, [(4.0, 1), (1.0, 2)])]
    """
    totals = [epoch.totals for epoch in epochs]
    scalars = []
    for of_terms, epoch in zip(totals, epochs, strict=True):
        scalars += [*of_terms.values(), *(mean for mean, _ in epoch.kept)]
    values = iter(torch.stack(scalars).tolist())
    return [
        (
            {name: next(values) / epoch.n_samples for name in of_terms},
            [(next(values), n_samples) for _, n_samples in epoch.kept],
        )
        for of_terms, epoch in zip(totals, epochs, strict=True)
    ]
