"""What is minimised: the reconstruction plus named penalties, one value per sample."""

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

    A subclass names its penalties and their weights. The terms stay apart, one value
    per sample in nats, until :meth:`total` forms the sum; so training curves and
    scores read the same numbers that training minimises. A penalty of the batch as a whole
    is a scalar. Schedules change weights, and the penalty that holds a capacity; no other term.

    With free bits :math:`\lambda` the sum takes, in place of the penalty "kl",
    :math:`\sum_j \max(\lambda, \overline{KL}_j)` of the batch's means: nothing is gained by taking
    a dimension below.

    Attributes
    ----------
    epoch : float
        Epochs trained, set before every step. Infinite outside of training: every
        schedule is over.
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
        """Return {name: float} for the penalties; what has none, or zero, is not in the sum."""

    @property
    def scheduled_epochs(self):
        """Epochs after which no schedule changes anything."""
        return self.warmup.end

    def reconstruction(self, likelihood, x):
        """Return -log p(x|z) of every row, (n_samples,), in nats."""
        return -likelihood.log_prob(x)

    def terms(self, output, x):
        """Return the reconstruction and the penalties, {name: one value per sample}."""
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
        # The sum's derivative is a view; the mean's would be written out for every entry.
        return functional.mse_loss(likelihood.mean, x, reduction="none").sum(-1) / x.shape[-1]


class BetaObjective(Objective):
    r"""The objective of the VAE (beta = 1) and of the beta-VAE.

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
    r"""The beta-VAE's objective with a capacity that the divergence is to reach.

    .. math:: -\log p(x|z) + \beta \, |\overline{KL} - C(t)|, \quad C(t) = C \min(1, t / T)

    with the batch's mean divergence, after t epochs.

    Parameters
    ----------
    beta : float
        Weight of the difference.
    capacity : float
        C, in nats.
    capacity_epochs : int, default=0
        T, the epochs of the rise; 0 for none.

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

    with the analytic :math:`KL = KL(q(z|x) \| p(z))`, and its three parts

    .. math::
        MI = \log q(z|x) - \log q(z), \quad
        TC = \log q(z) - \log \prod_j q(z_j), \quad
        DW = \log \prod_j q(z_j) - \log p(z)

    estimated from the mini-batch. The three add up to log q(z|x) - log p(z) in every row.
    Their values are means to a gradient (hence ``minibatch_`` in their names), not
    estimates to report. And the gradients tell the parts from each other only while the
    divergence is below the logarithm of the batch size: above, that of TC is the whole KL's
    (:func:`skvae.nn.log_aggregate_posterior`).

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
