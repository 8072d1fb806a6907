"""Monotone maps of a column of numbers to mean 0 and variance 1, their inverses, and the choice."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import ndtri

__all__ = ["MAPS", "Asinh", "NormalScores", "Standard", "chosen_map", "kurtosis"]

EPS = np.finfo(np.float64).eps
# The kurtosis of a Laplace distribution; a normal one has 3. It also bounds the skewness by 2.2. Up
# to this value, the squared error of a column does not come mostly from a few rows.
LIGHT_TAILS = 6.0
# If nine values of ten are equal, every map leaves heavy tails. Then a map must at least halve the
# kurtosis to be preferred to a simpler one.
WORTH = 0.5
# The default of scikit-learn's QuantileTransformer. The outermost scores are then those of one in
# 2,000.
MOST_KNOTS = 1000
NORMAL_QUARTILES = 1.349  # interquartile range of the normal distribution, in standard deviations


@dataclass(frozen=True)
class Standard:
    """z = (t - mean) / std. The std is 1 if the values differ only by rounding."""

    mean: float
    std: float

    @classmethod
    def fitted(cls, t: np.ndarray) -> Self:
        mean, std = float(t.mean()), float(t.std())
        return cls(mean, std if std > 10 * EPS * np.abs(t).max() else 1.0)

    def forward(self, t: np.ndarray) -> np.ndarray:
        return (t - self.mean) / self.std

    def backward(self, z: np.ndarray) -> np.ndarray:
        return self.mean + self.std * z


@dataclass(frozen=True)
class Asinh:
    """z = (asinh((t - centre) / unit) - mean) / std: linear near the centre, logarithmic far away.

    The centre is the median. The unit is the interquartile range divided by 1.349. If this is 0,
    the unit is the median distance from the centre of the values that differ from it.
    """

    centre: float
    unit: float
    scaled: Standard

    @classmethod
    def fitted(cls, t: np.ndarray) -> Self:
        lower, centre, upper = np.quantile(t, (0.25, 0.5, 0.75))
        unit = (upper - lower) / NORMAL_QUARTILES
        distances = np.abs(t - centre)
        if not unit > 0:
            unit = np.median(distances[distances > 0]) if distances.any() else 1.0
        return cls(float(centre), float(unit), Standard.fitted(np.arcsinh((t - centre) / unit)))

    def forward(self, t: np.ndarray) -> np.ndarray:
        return self.scaled.forward(np.arcsinh((t - self.centre) / self.unit))

    def backward(self, z: np.ndarray) -> np.ndarray:
        return self.centre + self.unit * np.sinh(self.scaled.backward(z))


@dataclass(frozen=True)
class NormalScores:
    """z = the normal quantile of the rank of t, standardised and linear between the knots.

    There are at most a thousand knots. Equal values get the middle of their ranks. Outside of the
    training range, the map continues linearly with its mean slope inside. So a value that is
    further out stays further out.
    """

    knots: np.ndarray
    scores: np.ndarray

    @classmethod
    def fitted(cls, t: np.ndarray) -> Self:
        knots, places, counts = np.unique(t, return_inverse=True, return_counts=True)
        scores = ndtri((np.cumsum(counts) - counts / 2) / len(t))
        scores = Standard.fitted(scores[places]).forward(scores)  # ties reduce the variance
        if len(knots) > MOST_KNOTS:
            kept = np.linspace(0, len(knots) - 1, MOST_KNOTS).round().astype(int)
            knots, scores = knots[kept], scores[kept]
        return cls(knots, scores)

    def forward(self, t: np.ndarray) -> np.ndarray:
        return _on_lines(t, self.knots, self.scores)

    def backward(self, z: np.ndarray) -> np.ndarray:
        return _on_lines(z, self.scores, self.knots)


def _on_lines(x, knots, values):
    """Return the linear interpolation at x. Outside of the knots, it has its mean slope."""
    slope = (values[-1] - values[0]) / (knots[-1] - knots[0]) if len(knots) > 1 else 1.0
    beyond = np.minimum(x - knots[0], 0) + np.maximum(x - knots[-1], 0)
    return np.interp(x, knots, values) + slope * beyond


MAPS = {"standard": Standard, "asinh": Asinh, "normal-scores": NormalScores}


def kurtosis(z):
    r"""Return :math:`\mathrm{E}(z - \mu)^4 / \sigma^4`; for constant values 1.

    It is at least the squared skewness plus 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.monotone import kurtosis
    >>> kurtosis(np.array([-1.0, 1.0]))
    1.0
    """
    squares = (z - z.mean()) ** 2
    spread = squares.mean()
    return float((squares**2).mean() / spread**2) if spread > 0 else 1.0


def chosen_map(t, name):
    """Return the fitted map with a name; for "auto", the simplest map that leaves light tails.

    The order is "standard", "asinh", "normal-scores". The first map whose result has a kurtosis of
    at most 6 is taken. If there is none, a map replaces a simpler one only if it at least halves
    the kurtosis.

    Parameters
    ----------
    t : ndarray of shape (n_samples,)
        Numbers, at least one.
    name : {"auto", "standard", "asinh", "normal-scores"}
        The name.

    Examples
    --------
    >>> import numpy as np
    >>> from skvae.tabular.monotone import chosen_map
    >>> normal = np.random.RandomState(0).standard_normal(1000)
    >>> [type(chosen_map(t, "auto")).__name__ for t in (normal, np.exp(2 * normal))]
    ['Standard', 'Asinh']
    """
    if name != "auto":
        return MAPS[name].fitted(t)
    best, least = None, np.inf
    for kind in MAPS.values():
        candidate = kind.fitted(t)
        tails = kurtosis(candidate.forward(t))
        if best is None or tails <= LIGHT_TAILS or tails < WORTH * least:
            best, least = candidate, tails
        if least <= LIGHT_TAILS:
            break
    return best
