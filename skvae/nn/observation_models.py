"""Observation models: p(x|z) as a function of the decoder's output, and its noise variance."""

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.distributions import ACTIVE_VARIANCE, LOG_2PI, Gaussian
from skvae.nn.likelihoods import Scaled

__all__ = ["GaussianObservation", "Observation", "mean_square", "share_at_beta_1"]

# The noise variance of a PCA counts as so many training rows.
PRIOR_ROWS = 500


def mean_square(error):
    """Return the mean of the squared entries, a scalar, without a copy of the array.

    The squares are summed row by row, since one sum of millions of float32 numbers loses digits.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.observation_models import mean_square
    >>> mean_square(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor(6.2500)
    """
    return torch.linalg.vector_norm(error, dim=1).square().mean() / error.shape[1]


class GaussianObservation(nn.Module):
    r"""p(x|z) = N(g(z), noise variance). The variance is shared, or each column has its own.

    A learned variance is not a parameter of the optimizer. In training mode, it is set to a running
    mean of the squared residual of the batches, as batch normalisation does with its statistics.
    The mean squared residual is the variance that maximises the likelihood.

    A network with many weights overfits: the residual of its training rows is smaller than that of
    new rows. So if the residual r of the n training rows is below the noise variance v of a PCA,
    the PCA counts as ``PRIOR_ROWS`` further rows,

    .. math:: r + \frac{500}{500 + n} \max(0, v - r)

    With a large weight on the divergence, the residual grows. A noise variance equal to it would
    weaken the likelihood, and the residual would grow further, until all codes are inactive. So
    with ``beta`` above 1, the residual R is replaced by an estimate of the residual at beta 1 with
    the same active codes,

    .. math:: R \, \frac{d}{d + (\beta - 1) q}

    where q is the number of codes whose posteriors have a variance below 0.99. For a linear decoder
    with a shared variance, this is exact at the optimum, where the residual along each of q
    directions is beta times the noise variance. With one variance for each column, only their mean
    is exact.

    Parameters
    ----------
    n_features : int
        Number of columns.
    per_feature : bool, default=False
        Whether each column has its own variance.
    learned : bool, default=True
        Whether the variance is learned from the residual.
    beta : float, default=1.0
        Weight of the divergence.
    n_variables : int, default=None
        d. It is larger than ``n_features`` if there are columns of other kinds too. None:
        ``n_features``.
    """

    distribution = Gaussian
    rate = 0.1

    def __init__(self, n_features, *, per_feature=False, learned=True, beta=1.0, n_variables=None):
        super().__init__()
        self.n_features = n_features
        self.n_variables = n_features if n_variables is None else n_variables
        self.learned = learned
        self.weigh(beta)
        shape = (n_features,) if per_feature else ()
        self._constant = 0.5 * LOG_2PI * (n_features if per_feature else 1)
        self.register_buffer("log_scale", torch.zeros(shape))
        self.register_buffer("running_variance", torch.ones(shape))
        self.register_buffer("floor", torch.zeros(shape))
        self.register_buffer("prior_variance", torch.zeros(shape))
        self.register_buffer("prior_share", torch.zeros(()))

    @property
    def is_shared(self):
        """Whether the columns share one noise variance."""
        return self.log_scale.ndim == 0

    def weigh(self, beta):
        """Set the weight of the divergence."""
        self.excess = max(beta - 1, 0)

    def start(self, variance, floor):
        """Set the noise variance, and its lower bound ``floor``."""
        self.floor.copy_(floor)
        self.running_variance.copy_(variance).clamp_(min=self.floor)
        self.hold(self.running_variance)

    def expect(self, variance, n_samples):
        """Set the noise variance v of a PCA, and the number n of training rows."""
        self.prior_variance.copy_(variance)
        self.prior_share.fill_(PRIOR_ROWS / (PRIOR_ROWS + n_samples))

    def hold(self, variance):
        """Set the noise variance. The running mean does not change."""
        self.log_scale = 0.5 * torch.log(torch.maximum(variance.to(self.floor), self.floor))

    def learn(self, residual):
        """Set the noise variance from this residual and the noise variance of the PCA."""
        residual = residual.to(self.floor)
        lacking = (self.prior_variance - residual).clamp(min=0)
        self.hold(torch.addcmul(residual, self.prior_share, lacking))

    def residual(self, x, location, posterior):
        """Return the mean squared residual at beta 1, shared or for each column."""
        if self.log_scale.ndim == 0:
            residual = functional.mse_loss(location.detach(), x)
        else:
            residual = functional.mse_loss(location.detach(), x, reduction="none").mean(0)
        return self._at_beta_1(residual, posterior)

    def _at_beta_1(self, residual, posterior):
        """Return the estimate of a residual at beta 1."""
        return residual * share_at_beta_1(self.excess, self.n_variables, posterior)

    def track(self, x, location, posterior):
        """Move a learned variance towards the residual of this batch."""
        if self.learned:
            self._follow(self.residual(x, location, posterior))

    @property
    def moments_shape(self):
        """The shape of the result of :meth:`moments`."""
        return (2, *self.log_scale.shape)

    def moments(self, x, location, posterior, known):
        """Return the mean squared residuals at beta 1, and the shares of observed values.

        ``known`` is 1 for an observed value and 0 for a missing one. None: all are observed.
        """
        if known is None and self.is_shared:  # equal to the last bit to a fit without a mask
            residual = self.residual(x, location, posterior)
            return torch.stack((residual, torch.ones_like(residual)))
        error = location.detach() - x
        if known is None:
            return self._moments(error, torch.ones_like(self.log_scale), posterior)
        return self._moments(error.mul_(known), known.mean(0), posterior)

    def _moments(self, error, share, posterior):
        """Return the moments of residuals, which are 0 for missing values, and the shares."""
        of_columns = torch.stack((self._at_beta_1(error.square().mean(0), posterior), share))
        return of_columns.mean(1) if self.is_shared else of_columns

    def learn_moments(self, moments):
        """Set the noise variance from :meth:`moments`. A column without values keeps its own."""
        if self.learned:
            self.learn(self._ratio(moments))

    def follow_moments(self, moments):
        """Move a learned variance towards the :meth:`moments` of a batch."""
        if self.learned:
            self._follow(self._ratio(moments))

    def _ratio(self, moments):
        squares, known = moments
        residual = squares / known.clamp(min=torch.finfo(torch.float32).tiny)
        return torch.where(known > 0, residual, self.running_variance.to(residual))

    def _follow(self, residual):
        self.running_variance = self.running_variance.lerp(residual, self.rate)
        self.learn(self.running_variance)

    def slope(self, x, location, posterior, weight, known=None):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``.

        The result equals that of autograd after :meth:`track` in training mode, but the residual is
        computed only once. ``known`` is as in :meth:`moments`; missing values add 0.
        """
        if known is not None:
            return self._slope_around(x, location, posterior, weight, known)
        error = location - x
        if self.log_scale.ndim == 0:
            residual, n_columns = mean_square(error), x.shape[1]
        else:
            residual, n_columns = error.square().mean(0), 1
        if self.learned and self.training:
            self._follow(self._at_beta_1(residual, posterior))
        precision = torch.exp(-2 * self.log_scale)
        mean = (0.5 * residual * precision + self.log_scale).sum() + self._constant
        return n_columns * mean, error.mul_(precision * (weight / len(x)))

    def _slope_around(self, x, location, posterior, weight, known):
        error, share = (location - x).mul_(known), known.mean(0)
        self.follow_moments(self._moments(error, share, posterior))
        precision = torch.exp(-2 * self.log_scale)
        squares = 0.5 * error.square().mean(0) * precision
        nats = squares + (self.log_scale + 0.5 * LOG_2PI) * share
        return nats.sum(), error.mul_(precision * (weight / len(x)))

    def initial_location(self, mean, scale):
        """Return centre and scale of the decoder's output for the mean and scale of the data."""
        return mean, scale

    def forward(self, location):
        return Gaussian(location, self.log_scale)


class Observation(nn.Module):
    """p(x|z) as a distribution with a single parameter, which is the decoder's output.

    Parameters
    ----------
    distribution : type
        A class of :mod:`skvae.nn.likelihoods`.
    input_scale : float, default=1.0
        The factor of x. The distribution is that of ``input_scale * x``.
    """

    def __init__(self, distribution, input_scale=1.0):
        super().__init__()
        self.distribution = distribution
        self.input_scale = input_scale

    learned = False

    def track(self, x, location, posterior):
        """Do nothing, since there is no noise variance."""

    def slope(self, x, location, posterior, weight, known=None):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``.

        The distributions are exponential families, and ``location`` is their natural parameter. So
        the derivative of minus the log-density is the mean minus x. Values that are not ``known``
        add 0.
        """
        scaled = x if self.input_scale == 1 else x * self.input_scale
        error = self.distribution(location).mean - scaled
        if known is None:
            return -self(location).log_prob(x).mean(), error.mul_(weight / len(x))
        nats = (self(location).log_prob_per_feature(x) * known).sum()
        return -nats / len(x), error.mul_(known).mul_(weight / len(x))

    def initial_location(self, mean, scale):
        """Return the decoder's output for the means of columns, and scale 1."""
        return self.distribution.location(mean * self.input_scale), torch.ones_like(scale)

    def forward(self, location):
        likelihood = self.distribution(location)
        return likelihood if self.input_scale == 1 else Scaled(likelihood, self.input_scale)


def share_at_beta_1(excess, n_variables, posterior):
    """Return the squared residual at beta 1 as a share of that at beta ``1 + excess``."""
    if excess == 0:
        return 1.0
    variances = posterior.scale.detach().square().mean(0)
    n_open = (variances < 1 - ACTIVE_VARIANCE).sum()
    return n_variables / (n_variables + excess * n_open)
