"""p(x|z) for columns of several kinds: the product of one observation model for each kind."""

import math

import torch
from torch import nn

from skvae.nn.categories import Blocks, Categorical
from skvae.nn.count_likelihoods import NegativeBinomial, Poisson
from skvae.nn.likelihoods import Bernoulli, ContinuousBernoulli
from skvae.nn.mixed import Mixed
from skvae.nn.observation_models import GaussianObservation, Observation, share_at_beta_1

__all__ = ["CategoricalObservation", "DispersedObservation", "MixedObservation"]

DISPERSIONS = (1e-6, 1e6)  # at the smallest, a negative binomial is almost a Poisson


class CategoricalObservation(Observation):
    """Observation model of categories. The output of the decoder is their logits.

    Parameters
    ----------
    blocks : list of slice
        The columns of every variable.
    """

    def __init__(self, blocks):
        super().__init__(Categorical)
        self.blocks = Blocks(blocks)

    def slope(self, x, location, posterior, weight, known=None):
        """Return what :meth:`Observation.slope` does, for one-hot blocks; 0 for missing values."""
        likelihood = self(location)
        error = likelihood.mean - x
        if known is not None:
            error = error.mul_(known)
        nats = (x * likelihood.log_probabilities).sum()
        return -nats / len(x), error.mul_(weight / len(x))

    def forward(self, location):
        return Categorical(location, self.blocks)


class DispersedObservation(nn.Module):
    r"""Observation model of negative binomial counts. The decoder's output is their log-mean.

    Every column has a dispersion. Like a learned noise variance, it is not a parameter of the
    optimizer. It is computed from running means over the batches,

    .. math:: \alpha = \frac{\sum (x - \mu)^2 - \mu}{\sum \mu^2}

    With this value, the variance equals the mean squared residual.

    Parameters
    ----------
    n_features : int
        Number of columns.
    beta : float
        Weight of the divergence.
    n_variables : int
        As in :class:`~skvae.nn.observation_models.GaussianObservation`.

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
        """Set the weight of the divergence."""
        self.excess = max(beta - 1, 0)

    @property
    def moments_shape(self):
        """The shape of the result of :meth:`moments`."""
        return self.running_moments.shape

    def start(self, mean, variance):
        """Set the dispersion from the means and variances of the columns."""
        self.running_moments.copy_(torch.stack((variance - mean, mean.square())))
        self.learn_moments(self.running_moments)

    def moments(self, x, location, posterior, known):
        """Return the numerator and the denominator of the dispersion, divided by n_samples.

        ``known`` is 1 for an observed value and 0 for a missing one. None: all are observed.
        """
        mean = torch.exp(location.detach())
        squares = (x - mean).square() * share_at_beta_1(self.excess, self.n_variables, posterior)
        both = torch.stack((squares - mean, mean.square()))
        return (both if known is None else both * known).mean(1)

    def learn_moments(self, moments):
        """Set the dispersion from these moments."""
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
    r"""p(x|z) for columns of several kinds. Each kind has a slice of the decoder's output.

    .. math:: \log p(x|z) = \sum_j \log p(x_j|z)

    The sum is over the observed values: NaN in x adds 0.

    Parameters
    ----------
    layout : ColumnLayout
        Layout of the columns.
    beta : float, default=1.0
        Weight of the divergence.
    **options
        Parameters of :class:`~skvae.nn.observation_models.GaussianObservation`.
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
        """Return the observation model for the columns of a kind, or None."""
        return dict(self.models.items()).get(kind)

    @property
    def is_shared(self):
        """Whether all columns share one noise variance."""
        return [*self.models] == ["gaussian"] and self.models["gaussian"].is_shared

    @property
    def learned(self):
        """Whether a noise variance or a dispersion follows the residual."""
        return any(getattr(model, "learned", True) for model, _ in self._learning())

    def residual_of_numbers(self, moments):
        """Return the part of the result of :meth:`residual` that belongs to Gaussian columns."""
        numbers = self.models["gaussian"]  # these columns come first
        squares, known = moments[: math.prod(numbers.moments_shape)].view(numbers.moments_shape)
        return squares / known

    def _learning(self):
        """Return the models that learn from moments, and their columns."""
        return [
            (model, self.layout.slices[kind])
            for kind, model in self.models.items()
            if hasattr(model, "moments")
        ]

    def weigh(self, beta):
        """Set the weight of the divergence."""
        for model, _ in self._learning():
            model.weigh(beta)

    def track(self, x, location, posterior):
        """Move noise variances and dispersions towards the residual of this batch."""
        for model, moments in self._moments(x, location, posterior):
            model.follow_moments(moments)

    def residual(self, x, location, posterior):
        """Return the moments of noise variances and dispersions, joined in one vector."""
        moments = [own.flatten() for _, own in self._moments(x, location, posterior)]
        return torch.cat(moments) if moments else x.new_zeros(0)

    def _moments(self, x, location, posterior):
        x, known = self.layout.observed(x)
        for model, place in self._learning():
            some = None if known is None else known[:, place]
            yield model, model.moments(x[:, place], location[:, place], posterior, some)

    def learn(self, moments):
        """Set noise variances and dispersions from moments, as :meth:`residual` returns them."""
        for model, _ in self._learning():
            size = math.prod(model.moments_shape)
            model.learn_moments(moments[:size].view(model.moments_shape))
            moments = moments[size:]

    def slope(self, x, location, posterior, weight):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``."""
        return self.slope_of_observed(*self.layout.observed(x), location, posterior, weight)

    def slope_of_observed(self, x, known, location, posterior, weight):
        """Return what :meth:`slope` does, for rows as ``layout.observed`` returns them."""
        means, slopes = [], []
        for kind, model in self.models.items():
            place = self.layout.slices[kind]
            some = None if known is None else known[:, place]
            mean, slope = model.slope(x[:, place], location[:, place], posterior, weight, some)
            means.append(mean)
            slopes.append(slope)
        return sum(means), slopes[0] if len(slopes) == 1 else torch.cat(slopes, 1)

    def initial_location(self, mean, scale):
        """Return centre and scale of the decoder's output for the means and scales of columns."""
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
