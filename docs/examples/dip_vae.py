"""DIP-VAE-II: a VAE that pulls the covariance of its codes towards that of the prior."""

from dataclasses import KW_ONLY

import torch

from skvae.base import NON_NEGATIVE, BaseVAETransformer, hyperparameters
from skvae.nn import Objective, kl_to_standard_normal


class DIPObjective(Objective):
    def __init__(self, strength):
        super().__init__()
        self.strength = strength

    def penalties(self, posterior, z):
        centred = posterior.mean - posterior.mean.mean(0)
        of_means = centred.T @ centred / len(centred)
        around_them = posterior.scale.square().mean(0)
        distance = (of_means + torch.diag(around_them - 1)).square().sum()
        return {"kl": kl_to_standard_normal(posterior), "covariance": distance}

    def weights(self):
        return {"kl": 1.0, "covariance": self.strength}


@hyperparameters
class DIPVAETransformer(BaseVAETransformer):
    _: KW_ONLY
    strength: float = 10.0

    _parameter_constraints = {**BaseVAETransformer._parameter_constraints, "strength": NON_NEGATIVE}

    def _objective(self, n_samples):
        return DIPObjective(self.strength)
