"""Probabilities of counts: the Poisson and the negative binomial distribution."""

import torch
from torch.nn import functional

__all__ = ["NegativeBinomial", "Poisson"]

MEANS = (1e-3, 1e30)  # range of column means from which the decoder's logarithms start


class Poisson:
    r"""Independent counts, one for each column, whose variances equal their means.

    .. math:: \log p(x) = \sum_j x_j \eta_j - e^{\eta_j} - \log x_j!

    Parameters
    ----------
    log_mean : tensor of shape (n_samples, n_columns)
        :math:`\eta`.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.count_likelihoods import Poisson
    >>> Poisson(torch.zeros(1, 2)).log_prob(torch.tensor([[0.0, 1.0]]))
    tensor([-2.])
    """

    def __init__(self, log_mean):
        self.log_mean = log_mean

    @staticmethod
    def location(mean):
        """Return the logarithms of means. A mean of 0 gives a finite logarithm."""
        return torch.log(mean.clamp(*MEANS))

    @property
    def mean(self):
        r"""The mean, :math:`e^\eta`."""
        return torch.exp(self.log_mean)

    def draw(self, generator):
        """Return independent draws, in the shape of ``log_mean``."""
        return _poisson(self.mean, generator)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats."""
        return torch.addcmul(-torch.lgamma(x + 1), x, self.log_mean) - self.mean

    def log_prob(self, x):
        """Return the log-probability of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)

    def slope(self, x):
        """Return minus the derivative of the log-probability by ``log_mean``."""
        return self.mean - x


class NegativeBinomial:
    r"""Independent counts, one for each column, with variances :math:`\mu + \alpha \mu^2`.

    Each count is Poisson distributed, and its mean is gamma distributed with mean :math:`\mu` and
    variance :math:`\alpha \mu^2`. With :math:`r = 1 / \alpha`,

    .. math:: \log p(x) = \sum_j \log \frac{\Gamma(x_j + r_j)}{\Gamma(r_j) \, x_j!}
              + r_j \log \frac{r_j}{r_j + \mu_j} + x_j \log \frac{\mu_j}{r_j + \mu_j}

    Parameters
    ----------
    log_mean : tensor of shape (n_samples, n_columns)
        :math:`\log \mu`.
    dispersion : tensor of shape (n_columns,)
        :math:`\alpha`, positive.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.count_likelihoods import NegativeBinomial
    >>> geometric = NegativeBinomial(torch.zeros(1, 1), torch.ones(1))
    >>> geometric.log_prob(torch.ones(1, 1)).exp()
    tensor([0.2500])
    """

    location = staticmethod(Poisson.location)

    def __init__(self, log_mean, dispersion):
        self.log_mean = log_mean
        self.dispersion = dispersion

    @property
    def mean(self):
        r"""The mean, :math:`\mu`."""
        return torch.exp(self.log_mean)

    def draw(self, generator):
        """Return independent draws, in the shape of ``log_mean``."""
        size = (1 / self.dispersion).expand(self.log_mean.shape).cpu()
        rates = torch._standard_gamma(size, generator=generator).to(self.log_mean)
        return _poisson(rates * self.dispersion * self.mean, generator)

    def log_prob_per_feature(self, x):
        """Return the log-probability of every entry of x, in nats."""
        size, log_odds = 1 / self.dispersion, self._log_odds()
        # With a small dispersion both are large, but their difference is not: float64 is needed.
        rising = torch.lgamma((x + size).double()) - torch.lgamma(size.double())
        choose = rising.to(x) - torch.lgamma(x + 1)
        log_sum = functional.softplus(log_odds)
        return choose - size * log_sum + x * (log_odds - log_sum)

    def log_prob(self, x):
        """Return the log-probability of every row of x, in nats, (n_samples,)."""
        return self.log_prob_per_feature(x).sum(-1)

    def slope(self, x):
        """Return minus the derivative of the log-probability by ``log_mean``."""
        log_odds = self._log_odds()
        return torch.sigmoid(log_odds) / self.dispersion - x * torch.sigmoid(-log_odds)

    def _log_odds(self):
        r"""Return :math:`\log \alpha \mu`."""
        return self.log_mean + torch.log(self.dispersion)


def _poisson(rates, generator):
    """Return Poisson draws, computed on the CPU, where the generator is."""
    return torch.poisson(rates.cpu(), generator=generator).to(rates)
