"""The objectives of training: the reconstruction plus named penalties, one value per sample."""

import math
from abc import ABC, abstractmethod

import torch
from torch import nn
from torch.nn import functional

from skvae.nn.aggregate import log_aggregate_posterior
from skvae.nn.distributions import (
    kl_per_dimension,
    kl_to_standard_normal,
    standard_normal_log_prob,
)
from skvae.nn.schedules import Warmup, ramp

__all__ = [
    "BetaObjective",
    "CapacityObjective",
    "Objective",
    "SquaredError",
    "TotalCorrelationObjective",
]


class Objective(ABC, nn.Module):
    r"""The reconstruction plus a weighted sum of penalties.

    .. math:: -\log p(x|z) + \sum_k w_k \, \mathrm{penalty}_k

    A subclass defines its penalties and their weights by name. Each term has one value per sample,
    in nats. The terms are kept separate until :meth:`total` forms the sum, so training curves and
    scores use the same numbers that training minimises. A penalty of the whole batch is a
    scalar. Schedules change only the weights and the target of a capacity.

    With free bits :math:`\lambda`, the sum has :math:`\sum_j \max(\lambda, \overline{KL}_j)` in
    place of the penalty "kl". :math:`\overline{KL}_j` is the mean of dimension j over the batch. So
    there is no gain in reducing a dimension below :math:`\lambda`.

    Attributes
    ----------
    epoch : float
        Number of epochs trained, set before every step. It is infinite outside of training, so
        that every schedule has ended.
    warmup : Warmup
        The factor of all penalties.
    free_bits : float
        :math:`\lambda`, in nats.

    References
    ----------
    Kingma et al. (2016), Improved variational inference with inverse autoregressive flow,
    NeurIPS, appendix C.8 (free bits).
    """

    epoch = math.inf
    warmup = Warmup()
    free_bits = 0.0

    @abstractmethod
    def penalties(self, posterior, z):
        """Return {name: tensor of shape (n_samples,), or a scalar}."""

    @abstractmethod
    def weights(self):
        """Return {name: float}. A penalty without a weight, or with weight 0, is not in the sum."""

    @property
    def scheduled_epochs(self):
        """Number of epochs after which all schedules have ended."""
        return self.warmup.end

    def reconstruction(self, likelihood, x):
        """Return -log p(x|z) for every row, (n_samples,), in nats."""
        return -likelihood.log_prob(x)

    def terms(self, output, x):
        """Return the reconstruction and the penalties, {name: values of the samples}."""
        return {
            "reconstruction": self.reconstruction(output["likelihood"], x),
            **self.penalties(output.get("posterior"), output["z"]),
        }

    def means(self, output, x):
        """Return {name: mean of the term over the batch}, scalars."""
        means = {name: term.mean() for name, term in self.terms(output, x).items()}
        if self.free_bits:
            of_batch = kl_per_dimension(output["posterior"]).mean(0)
            means["free_bits_kl"] = of_batch.clamp(min=self.free_bits).sum()
        return means

    def total(self, means):
        """Return the weighted sum of {name: mean over the samples}."""
        loss = means["reconstruction"]
        factor = self.warmup.factor(self.epoch)
        for name, weight in self.weights().items():
            if weight * factor != 0:
                term = means["free_bits_kl" if name == "kl" and self.free_bits else name]
                loss = torch.add(loss, term, alpha=weight * factor)
        return loss

    def forward(self, output, x):
        """Return the loss of a network's output on a batch x, a scalar."""
        return self.total(self.means(output, x))


class SquaredError(Objective):
    r"""The autoencoder's objective, the mean squared error over the features.

    .. math:: \frac{1}{d} \|x - g(f(x))\|^2

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.distributions import Gaussian
    >>> from skvae.nn.objectives import SquaredError
    >>> likelihood = Gaussian(torch.zeros(1, 4), torch.zeros(()))
    >>> SquaredError()({"likelihood": likelihood, "z": None}, torch.full((1, 4), 2.0))
    tensor(4.)
    """

    def penalties(self, posterior, z):
        return {}

    def weights(self):
        return {}

    def reconstruction(self, likelihood, x):
        """Return the mean squared error of every row, (n_samples,)."""
        # The sum is faster than the mean: its derivative is a view, and not a new array.
        return functional.mse_loss(likelihood.mean, x, reduction="none").sum(-1) / x.shape[-1]


class BetaObjective(Objective):
    r"""The objective of the VAE (with beta = 1) and of the beta-VAE.

    .. math:: -\log p(x|z) + \beta \, KL(q(z|x) \,\|\, p(z))

    Parameters
    ----------
    beta : float, default=1.0
        Weight of the divergence.

    References
    ----------
    Higgins et al. (2017), beta-VAE: learning basic visual concepts with a constrained
    variational framework, ICLR.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.distributions import Gaussian
    >>> from skvae.nn.objectives import BetaObjective
    >>> unit = Gaussian(torch.ones(1, 3), torch.zeros(1, 3))
    >>> BetaObjective(beta=2.0).penalties(unit, unit.mean), BetaObjective(beta=2.0).weights()
    ({'kl': tensor([1.5000])}, {'kl': 2.0})
    """

    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta

    def penalties(self, posterior, z):
        return {"kl": kl_to_standard_normal(posterior)}

    def weights(self):
        return {"kl": self.beta}


class CapacityObjective(Objective):
    r"""The objective of the beta-VAE with a capacity, which is a target for the divergence.

    .. math:: -\log p(x|z) + \beta \, |\overline{KL} - C(t)|, \quad C(t) = C \min(1, t / T)

    :math:`\overline{KL}` is the mean divergence of the batch, and t is the number of epochs so far.

    Parameters
    ----------
    beta : float
        Weight of the difference.
    capacity : float
        C, in nats.
    capacity_epochs : int, default=0
        T, the number of epochs in which the target rises. With 0 it is C from the start.

    References
    ----------
    Burgess et al. (2018), Understanding disentangling in beta-VAE, arXiv:1804.03599.

    Examples
    --------
    >>> import torch
    >>> from skvae.nn.distributions import Gaussian
    >>> from skvae.nn.objectives import CapacityObjective
    >>> unit = Gaussian(torch.ones(1, 3), torch.zeros(1, 3))
    >>> objective = CapacityObjective(10.0, capacity=5.0, capacity_epochs=20)
    >>> objective.epoch = 4
    >>> objective.penalties(unit, unit.mean)
    {'kl': tensor([1.5000]), 'kl_off_capacity': tensor(0.5000)}
    """

    def __init__(self, beta, capacity, capacity_epochs=0):
        super().__init__()
        self.beta = beta
        self.capacity = capacity
        self.capacity_epochs = capacity_epochs

    @property
    def scheduled_epochs(self):
        return max(self.warmup.end, self.capacity_epochs)

    @property
    def capacity_now(self):
        """C(t), in nats."""
        return self.capacity * ramp(self.epoch, self.capacity_epochs)

    def penalties(self, posterior, z):
        kl = kl_to_standard_normal(posterior)
        return {"kl": kl, "kl_off_capacity": (kl.mean() - self.capacity_now).abs()}

    def weights(self):
        return {"kl_off_capacity": self.beta}


class TotalCorrelationObjective(Objective):
    r"""The objective of the beta-TCVAE.

    .. math:: -\log p(x|z) + KL + (\alpha - 1) MI + (\beta - 1) TC + (\gamma - 1) DW

    :math:`KL = KL(q(z|x) \| p(z))` is analytic. Its three parts

    .. math::
        MI = \log q(z|x) - \log q(z), \quad
        TC = \log q(z) - \log \prod_j q(z_j), \quad
        DW = \log \prod_j q(z_j) - \log p(z)

    are estimated from the mini-batch. Their sum is log q(z|x) - log p(z) in every row.
    The values serve to compute the gradient, hence ``minibatch_`` in their names. Do not report
    them as estimates. The gradients separate the parts only while the divergence is below the
    logarithm of the batch size. Above it, the gradient of TC is that of the whole KL (see
    :func:`skvae.nn.log_aggregate_posterior`).

    Parameters
    ----------
    n_samples : int
        N, the number of rows that the batches are drawn from.
    alpha, beta, gamma : float, default=1.0
        Weights of the index-code mutual information, the total correlation and the
        dimension-wise KL.
    sampling : {"mws", "mss"}, default="mws"
        See :func:`skvae.nn.log_aggregate_posterior`.

    References
    ----------
    Chen et al. (2018), Isolating sources of disentanglement in VAEs, NeurIPS.

    Examples
    --------
    >>> from skvae.nn.objectives import TotalCorrelationObjective
    >>> TotalCorrelationObjective(n_samples=100, beta=6.0).weights()["minibatch_total_correlation"]
    5.0
    """

    def __init__(self, n_samples, alpha=1.0, beta=1.0, gamma=1.0, sampling="mws"):
        super().__init__()
        self.n_samples = n_samples
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.sampling = sampling

    def penalties(self, posterior, z):
        log_q_z_given_x = posterior.log_prob(z)
        log_q_z, log_prod_q_z = log_aggregate_posterior(posterior, z, self.n_samples, self.sampling)
        log_p_z = standard_normal_log_prob(z)
        return {
            "kl": kl_to_standard_normal(posterior),
            "minibatch_mutual_information": log_q_z_given_x - log_q_z,
            "minibatch_total_correlation": log_q_z - log_prod_q_z,
            "minibatch_dimension_wise_kl": log_prod_q_z - log_p_z,
        }

    def weights(self):
        return {
            "kl": 1.0,
            "minibatch_mutual_information": self.alpha - 1,
            "minibatch_total_correlation": self.beta - 1,
            "minibatch_dimension_wise_kl": self.gamma - 1,
        }
