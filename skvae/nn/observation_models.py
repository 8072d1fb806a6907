"""What is observed: p(x|z) around the decoder's output, and its noise variance."""

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.distributions import ACTIVE_VARIANCE, LOG_2PI, Gaussian
from skvae.nn.likelihoods import Scaled

__all__ = ["GaussianObservation", "Observation", "mean_square", "share_at_beta_1"]

# What a PCA's noise variance weighs beside the residual of the training rows, in rows.
PRIOR_ROWS = 500


def mean_square(error):
    """Return the mean of squared entries, a scalar, with no copy of them.

    Row by row: one sum of millions of squares in float32 would lose digits.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.observation_models import mean_square
    >>> mean_square(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor(6.2500)
    """
    return torch.linalg.vector_norm(error, dim=1).square().mean() / error.shape[1]


class GaussianObservation(nn.Module):
    r"""p(x|z) = N(g(z), noise variance), the variance shared by the columns or one for each.

    A learned variance is no parameter of the optimizer. In training mode it follows the
    running mean of the squared residual of the batches, as batch normalisation follows its
    statistics: the variance that maximises the likelihood is that mean.

    A network of many weights brings the residual of the rows that it is trained on below that of
    others. So where the residual r falls below a prior variance v, that of a PCA, the latter
    counts as ``PRIOR_ROWS`` further rows beside the n of training,

    .. math:: r + \frac{500}{500 + n} \max(0, v - r)

    Under a weight of the divergence the residual grows, and a variance that followed it would in
    turn weaken the likelihood, until nothing is left. So with ``beta`` above 1 it follows what
    the residual R would be at 1 with as many codes open,

    .. math:: R \, \frac{d}{d + (\beta - 1) q}

    with q the codes whose posteriors have a variance below 0.99. For a shared variance it is exact
    for a linear decoder at its optimum, where the residual along each of q directions is beta
    times the noise variance; of variances per column it is the mean that is right.

    Parameters
    ----------
    n_features : int
        Number of columns.
    per_feature : bool, default=False
        One variance for each column.
    learned : bool, default=True
        Whether the variance follows the residual.
    beta : float, default=1.0
        Weight of the divergence.
    n_variables : int, default=None
        d, where the codes are of further columns as well; None for ``n_features``.
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
        """Whether the columns share a noise variance."""
        return self.log_scale.ndim == 0

    def weigh(self, beta):
        """Take another weight of the divergence."""
        self.excess = max(beta - 1, 0)

    def start(self, variance, floor):
        """Begin at this noise variance, never to fall below ``floor``."""
        self.floor.copy_(floor)
        self.running_variance.copy_(variance).clamp_(min=self.floor)
        self.hold(self.running_variance)

    def expect(self, variance, n_samples):
        """Take a prior variance beside the residual of ``n_samples`` rows."""
        self.prior_variance.copy_(variance)
        self.prior_share.fill_(PRIOR_ROWS / (PRIOR_ROWS + n_samples))

    def hold(self, variance):
        """Use this noise variance; the running mean stays what it is."""
        self.log_scale = 0.5 * torch.log(torch.maximum(variance.to(self.floor), self.floor))

    def learn(self, residual):
        """Use the noise variance that this residual and the prior variance make."""
        residual = residual.to(self.floor)
        lacking = (self.prior_variance - residual).clamp(min=0)
        self.hold(torch.addcmul(residual, self.prior_share, lacking))

    def residual(self, x, location, posterior):
        """Return the mean squared residual at beta 1, shared or of each column."""
        if self.log_scale.ndim == 0:
            residual = functional.mse_loss(location.detach(), x)
        else:
            residual = functional.mse_loss(location.detach(), x, reduction="none").mean(0)
        return self._at_beta_1(residual, posterior)

    def _at_beta_1(self, residual, posterior):
        """Return what a residual would be at beta 1."""
        return residual * share_at_beta_1(self.excess, self.n_variables, posterior)

    def track(self, x, location, posterior):
        """Move a learned variance towards the residual of this batch."""
        if self.learned:
            self._follow(self.residual(x, location, posterior))

    @property
    def moments_shape(self):
        """Of what :meth:`moments` returns."""
        return (2, *self.log_scale.shape)

    def moments(self, x, location, posterior, known):
        """Return mean squares at beta 1 and shares of entries, in a row, of what is observed.

        ``known`` has ones where it is and zeros elsewhere; None: it is everywhere.
        """
        if known is None and self.is_shared:  # to the last bit what there is without a mask
            residual = self.residual(x, location, posterior)
            return torch.stack((residual, torch.ones_like(residual)))
        error = location.detach() - x
        if known is None:
            return self._moments(error, torch.ones_like(self.log_scale), posterior)
        return self._moments(error.mul_(known), known.mean(0), posterior)

    def _moments(self, error, share, posterior):
        """Return the moments of residuals, 0 where nothing is known, and of the columns' shares."""
        of_columns = torch.stack((self._at_beta_1(error.square().mean(0), posterior), share))
        return of_columns.mean(1) if self.is_shared else of_columns

    def learn_moments(self, moments):
        """Use the noise variance of :meth:`moments`; what was never observed keeps its own."""
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

        What autograd returns after :meth:`track` in training mode, from one residual for both. Of
        what is not ``known``, as of :meth:`moments`, there is nothing.
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
        """Return centre and scale of the decoder's output for data of this mean and scale."""
        return mean, scale

    def forward(self, location):
        return Gaussian(location, self.log_scale)


class Observation(nn.Module):
    """p(x|z), a distribution whose one parameter is the decoder's output.

    Parameters
    ----------
    distribution : type
        One of :mod:`skvae.nn.likelihoods`.
    input_scale : float, default=1.0
        The factor of x that the distribution is of.
    """

    def __init__(self, distribution, input_scale=1.0):
        super().__init__()
        self.distribution = distribution
        self.input_scale = input_scale

    learned = False

    def track(self, x, location, posterior):
        """Nothing to follow: there is no noise variance."""

    def slope(self, x, location, posterior, weight, known=None):
        """Return minus the mean log p(x|z), and ``weight`` times its derivative by ``location``.

        The distributions are exponential families and ``location`` is their natural parameter:
        the derivative of minus a logarithm is the mean less x. Of what is not ``known`` there is
        nothing.
        """
        scaled = x if self.input_scale == 1 else x * self.input_scale
        error = self.distribution(location).mean - scaled
        if known is None:
            return -self(location).log_prob(x).mean(), error.mul_(weight / len(x))
        nats = (self(location).log_prob_per_feature(x) * known).sum()
        return -nats / len(x), error.mul_(known).mul_(weight / len(x))

    def initial_location(self, mean, scale):
        """Return the decoder's output for columns of these means, and scale 1."""
        return self.distribution.location(mean * self.input_scale), torch.ones_like(scale)

    def forward(self, location):
        likelihood = self.distribution(location)
        return likelihood if self.input_scale == 1 else Scaled(likelihood, self.input_scale)


def share_at_beta_1(excess, n_variables, posterior):
    """Return the share of a squared residual that there would be at beta 1, ``1 + excess`` now."""
    if excess == 0:
        return 1.0
    variances = posterior.scale.detach().square().mean(0)
    n_open = (variances < 1 - ACTIVE_VARIANCE).sum()
    return n_variables / (n_variables + excess * n_open)
