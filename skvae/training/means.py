"""The means that an epoch is told by: summed where they are computed, fetched together."""

import torch

__all__ = ["EpochMeans", "fetched"]


class EpochMeans:
    """Means of named terms over the rows of an epoch, summed on the device.

    Parameters
    ----------
    keeps : str, default=None
        The term of which the mean over every batch is kept as well.
    """

    def __init__(self, keeps=None):
        self.keeps = keeps
        self.n_samples = 0
        self.totals = {}
        self.kept = []

    def add(self, means, n_samples):
        """Take the means over a batch, {name: scalar tensor}, of so many rows."""
        self.n_samples += n_samples
        for name, mean in means.items():
            if name in self.totals:
                self.totals[name].add_(mean.detach(), alpha=n_samples)
            else:
                self.totals[name] = mean.detach() * n_samples
        if self.keeps is not None:
            self.kept.append((means[self.keeps].detach(), n_samples))


def fetched(*epochs):
    """Return what some epochs hold as numbers, in one transfer from the device.

    Parameters
    ----------
    *epochs : EpochMeans
        Of one device.

    Returns
    -------
    list of (dict, list)
        For every epoch {name: mean over its rows}, and (mean, number of rows) of the batches
        that it kept.

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
    scalars = []
    for epoch in epochs:
        scalars += [*epoch.totals.values(), *(mean for mean, _ in epoch.kept)]
    values = iter(torch.stack(scalars).tolist())
    return [
        (
            {name: next(values) / epoch.n_samples for name in epoch.totals},
            [(next(values), n_samples) for _, n_samples in epoch.kept],
        )
        for epoch in epochs
    ]
