"""The change of weights over the epochs of a fit."""

from typing import NamedTuple

__all__ = ["Warmup", "ramp"]


def ramp(epoch, n_epochs):
    """Return min(1, epoch / n_epochs), which is 1 if ``n_epochs`` is 0.

    Examples
    --------
    >>> from skvae.nn.schedules import ramp
    >>> ramp(5, 20), ramp(20, 20), ramp(0, 0)
    (0.25, 1.0, 1.0)
    """
    return epoch / n_epochs if epoch < n_epochs else 1.0


class Warmup(NamedTuple):
    r"""The factor of the penalties, which goes from ``start`` to 1, once or in cycles.

    In a cycle, the factor changes for ``n_epochs`` epochs, and then stays at 1 for ``n_epochs``
    epochs. After the last cycle, it stays at 1. From a start below 1 it rises by equal steps, and
    from a start above 1 it falls by equal ratios.

    Parameters
    ----------
    n_epochs : int, default=0
        Number of epochs in which the factor changes. 0 means no warm-up.
    n_cycles : int, default=1
        Number of cycles.
    start : float, default=0.0
        The factor at the start of each cycle.

    References
    ----------
    Bowman et al. (2016), Generating sentences from a continuous space, CoNLL (one rise);
    Fu et al. (2019), Cyclical annealing schedule, NAACL (cycles).

    Examples
    --------
    >>> from skvae.nn.schedules import Warmup
    >>> [Warmup(2, n_cycles=2).factor(epoch) for epoch in (0, 1, 2, 3, 4, 5, 6, 7, 8)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0]
    >>> [Warmup(2, start=16.0).factor(epoch) for epoch in (0, 1, 2)]
    [16.0, 4.0, 1.0]
    """

    n_epochs: int = 0
    n_cycles: int = 1
    start: float = 0.0

    @property
    def end(self):
        """Number of epochs after which the factor stays at 1."""
        return (2 * self.n_cycles - 1) * self.n_epochs

    def factor(self, epoch):
        """Return the factor after a number of epochs, which may be fractional."""
        if epoch >= self.end:
            return 1.0
        progress = ramp(epoch % (2 * self.n_epochs), self.n_epochs)
        if self.start > 1:
            return self.start ** (1 - progress)
        return self.start + (1 - self.start) * progress
