"""p(x|z) of columns of several kinds: a product of one observation model for each kind."""

import math

import torch
from torch import nn

from skvae.nn.categories import Blocks, Categorical
from skvae.nn.count_likelihoods import NegativeBinomial, Poisson
from skvae.nn.likelihoods import Bernoulli, ContinuousBernoulli
from skvae.nn.mixed import Mixed
from skvae.nn.observation_models import GaussianObservation, Observation, share_at_beta_1

__all__ = ["CategoricalObservation", "DispersedObservation", "MixedObservation"]

DISPERSIONS = (1e-6, 1e6)  # at the first a negative binomial is a Poisson


class CategoricalObservation(Observation):
    """Categories whose logits are the decoder's output.

    Parameters
    ----------
    blocks : list of slice
        The columns of every variable.
    """

    def __init__(self, blocks):
        super().__init__(Categorical)
        self.blocks = Blocks(blocks)

    def slope(self, x, location, posterior, weight, known=None):
        """As of an :class:`Observation`; of one-hot blocks, of zeros where nothing is known."""
        likelihood = self(location)
        error = likelihood.mean - x
        if known is not None:
            error = error.mul_(known)
        nats = (x * likelihood.log_probabilities).sum()
        return -nats / len(x), error.mul_(weight / len(x))

    def forward(self, location):
        return Categorical(location, self.blocks)


class DispersedObservation(nn.Module):
    r"""Counts of a negative binomial, the logarithm of whose mean is the decoder's output.

    Every column has a dispersion. Like a learned noise variance it is no parameter of the
    optimizer: it follows the running means of the batches in

    .. math:: \alpha = \frac{\sum (x - \mu)^2 - \mu}{\sum \mu^2}

    for which variance and squared residual agree.

    Parameters
    ----------
    n_features : int
        Number of columns.
    beta : float
        Weight of the divergence.
    n_variables : int
        As of a :class:`~skvae.nn.observation_models.GaussianObservation`.

    References
    ----------
    N. E. Breslow (1984), Extra-Poisson variation in log-linear models, Applied Statistics 33.
    """

    rate = 0.1

    def __init__(self, n_features, *, beta, n_variables):
        super().__init__()
        self.n_variables = n_variables
        self.weigh(beta)
        self.register_buffer("dispersion", torch.ones(n_features))
        self.register_buffer("running_moments", torch.ones(2, n_features))

    def weigh(self, beta):
        """Take another weight of the divergence."""
        self.excess = max(beta - 1, 0)

    @property
    def moments_shape(self):
        """Of what :meth:`moments` returns."""
        return self.running_moments.shape

    def start(self, mean, variance):
        """Begin at the dispersion of columns of these means and variances."""
        self.running_moments.copy_(torch.stack((variance - mean, mean.square())))
        self.learn_moments(self.running_moments)

    def moments(self, x, location, posterior, known):
        """Return the means of both sums in a row, of what is ``known``: None, all, else ones."""
        mean = torch.exp(location.detach())
        squares = (x - mean).square() * share_at_beta_1(self.excess, self.n_variables, posterior)
        both = torch.stack((squares - mean, mean.square()))
        return (both if known is None else both * known).mean(1)

    def learn_moments(self, moments):
        """Use the dispersion of these moments."""
        excess, squares = moments
        least = torch.finfo(torch.float32).tiny
        self.dispersion = (
            (excess / squares.clamp(min=least)).clamp(*DISPERSIONS).to(self.dispersion)
        )

    def follow_moments(self, moments):
        """Move the dispersion towards the moments of a batch."""
        self.running_moments = self.running_moments.lerp(moments, self.rate)
        self.learn_moments(self.running_moments)

    def slope(self, x, location, posterior, weight, known=None):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``."""
        self.follow_moments(self.moments(x, location, posterior, known))
        likelihood = self(location)
        entries, slope = likelihood.log_prob_per_feature(x), likelihood.slope(x)
        if known is not None:
            entries, slope = entries * known, slope * known
        return -entries.sum() / len(x), slope.mul_(weight / len(x))

    def initial_location(self, mean, scale):
        """Return the decoder's output for columns of these means, and scale 1."""
        return NegativeBinomial.location(mean), torch.ones_like(scale)

    def forward(self, location):
        return NegativeBinomial(location, self.dispersion)


SIMPLE = {"bernoulli": Bernoulli, "continuous-bernoulli": ContinuousBernoulli, "poisson": Poisson}


class MixedObservation(nn.Module):
    r"""p(x|z) of columns of several kinds, each with a slice of the decoder's output.

    .. math:: \log p(x|z) = \sum_j \log p(x_j|z)

    A sum over what is observed: NaN in x adds nothing.

    Parameters
    ----------
    layout : ColumnLayout
        Of the columns.
    beta : float, default=1.0
        Weight of the divergence.
    **options
        Of the :class:`~skvae.nn.observation_models.GaussianObservation`.
    """

    def __init__(self, layout, *, beta=1.0, **options):
        super().__init__()
        self.layout = layout
        models = {}
        for kind, place in layout.slices.items():
            n_columns, n_variables = place.stop - place.start, layout.n_variables
            if kind == "gaussian":
                options = {**options, "beta": beta, "n_variables": n_variables}
                models[kind] = GaussianObservation(n_columns, **options)
            elif kind == "negative-binomial":
                models[kind] = DispersedObservation(n_columns, beta=beta, n_variables=n_variables)
            elif kind == "categorical":
                models[kind] = CategoricalObservation(layout.blocks)
            else:
                models[kind] = Observation(SIMPLE[kind])
        self.models = nn.ModuleDict(models)

    def model(self, kind):
        """Return the model of the columns of a kind, or None."""
        return dict(self.models.items()).get(kind)

    @property
    def is_shared(self):
        """Whether all columns share a noise variance."""
        return [*self.models] == ["gaussian"] and self.models["gaussian"].is_shared

    @property
    def learned(self):
        """Whether a noise variance or a dispersion follows the residual."""
        return any(getattr(model, "learned", True) for model, _ in self._learning())

    def residual_of_numbers(self, moments):
        """Return of :meth:`residual` that of the columns with a noise variance."""
        numbers = self.models["gaussian"]  # they come first
        squares, known = moments[: math.prod(numbers.moments_shape)].view(numbers.moments_shape)
        return squares / known

    def _learning(self):
        """Return the models that follow moments, and their columns."""
        return [
            (model, self.layout.slices[kind])
            for kind, model in self.models.items()
            if hasattr(model, "moments")
        ]

    def weigh(self, beta):
        """Take another weight of the divergence."""
        for model, _ in self._learning():
            model.weigh(beta)

    def track(self, x, location, posterior):
        """Move what is learned towards the residual of this batch."""
        for model, moments in self._moments(x, location, posterior):
            model.follow_moments(moments)

    def residual(self, x, location, posterior):
        """Return the means in a row of what noise variances and dispersions are made of."""
        moments = [own.flatten() for _, own in self._moments(x, location, posterior)]
        return torch.cat(moments) if moments else x.new_zeros(0)

    def _moments(self, x, location, posterior):
        x, known = self.layout.observed(x)
        for model, place in self._learning():
            some = None if known is None else known[:, place]
            yield model, model.moments(x[:, place], location[:, place], posterior, some)

    def learn(self, moments):
        """Use the noise variances and dispersions of these means."""
        for model, _ in self._learning():
            size = math.prod(model.moments_shape)
            model.learn_moments(moments[:size].view(model.moments_shape))
            moments = moments[size:]

    def slope(self, x, location, posterior, weight):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``."""
        return self.slope_of_observed(*self.layout.observed(x), location, posterior, weight)

    def slope_of_observed(self, x, known, location, posterior, weight):
        """Return what :meth:`slope` does, of rows as ``layout.observed`` returns them."""
        means, slopes = [], []
        for kind, model in self.models.items():
            place = self.layout.slices[kind]
            some = None if known is None else known[:, place]
            mean, slope = model.slope(x[:, place], location[:, place], posterior, weight, some)
            means.append(mean)
            slopes.append(slope)
        return sum(means), slopes[0] if len(slopes) == 1 else torch.cat(slopes, 1)

    def initial_location(self, mean, scale):
        """Return the decoder's output for expanded columns of these means and scales."""
        locations = [
            model.initial_location(mean[self.layout.slices[kind]], scale[self.layout.slices[kind]])
            for kind, model in self.models.items()
        ]
        return tuple(map(torch.cat, zip(*locations, strict=True)))

    def forward(self, location):
        likelihoods = [
            model(location[:, self.layout.slices[kind]]) for kind, model in self.models.items()
        ]
        return Mixed(self.layout, likelihoods)
