"""How weights change over the epochs of a fit."""

from typing import NamedTuple

__all__ = ["Warmup", "ramp"]


def ramp(epoch, n_epochs):
    """Return min(1, epoch / n_epochs), which is 1 from the start where there are no epochs.

    Examples
    --------
    >>> from skvae.schedules import ramp
    >>> ramp(5, 20), ramp(20, 20), ramp(0, 0)
    (0.25, 1.0, 1.0)
    """
    return epoch / n_epochs if epoch < n_epochs else 1.0


class Warmup(NamedTuple):
    r"""The factor of the penalties: from 0 to 1 in equal steps, once or in cycles.

    A cycle rises for ``n_epochs`` and stays at 1 for as long; the last one stays there.

    Parameters
    ----------
    n_epochs : int, default=0
        Epochs of a rise; 0 for none.
    n_cycles : int, default=1
        Number of rises.

    References
    ----------
    Bowman et al. (2016), Generating sentences from a continuous space, CoNLL (one rise);
    Fu et al. (2019), Cyclical annealing schedule, NAACL (cycles).

    Examples
    --------
    >>> from skvae.schedules import Warmup
    >>> [Warmup(2, n_cycles=2).factor(epoch) for epoch in (0, 1, 2, 3, 4, 5, 6, 7, 8)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0]
    """

    n_epochs: int = 0
    n_cycles: int = 1

    @property
    def end(self):
        """Epochs after which the factor stays 1."""
        return (2 * self.n_cycles - 1) * self.n_epochs

    def factor(self, epoch):
        """Return the factor after so many epochs, whole or not."""
        return 1.0 if epoch >= self.end else ramp(epoch % (2 * self.n_epochs), self.n_epochs)
