"""Claim: a noise variance that follows the residual does not collapse; one left to Adam does.

The data are scikit-learn's digits in [0, 1]. The VAE has its default settings. Three rules for the
variance are compared over several seeds: a parameter of Adam that starts at 1, a parameter of Adam
that starts at the variance of the data, and the rule of the package. With Adam, the weights do not
start at a PCA. The evidence lower bound is on the training rows.
"""

from statistics import median

import torch
from _common import make_parser, one_thread, print_machine, print_table, save
from sklearn.datasets import load_digits
from torch import nn

from skvae import VAETransformer
from skvae.nn.distributions import Gaussian


class ParameterObservation(nn.Module):
    """p(x|z) = N(g(z), variance). The optimizer trains the log standard deviation."""

    distribution = Gaussian

    def __init__(self):
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))

    def track(self, x, location, posterior):
        """Leave the variance to the optimizer."""

    def initial_location(self, mean, scale):
        """Return centre and scale of the decoder's output."""
        return mean, scale

    def forward(self, location):
        return Gaussian(location, self.log_scale)


class AdamFromOne(VAETransformer):
    """A VAE whose variance starts at 1 and is left to Adam."""

    def _observation(self, n_features):
        return ParameterObservation()

    def _start(self, network, rows, statistics, generator):
        """Start at variance 1."""


class AdamFromData(AdamFromOne):
    """A VAE whose variance starts at that of the data and is left to Adam."""

    def _start(self, network, rows, statistics, generator):
        variance = torch.tensor(statistics.variance.mean())
        network.observation.log_scale.data.copy_(0.5 * torch.log(variance))


RULES = {"Adam, from 1": AdamFromOne, "Adam, from the data": AdamFromData, "skvae": VAETransformer}
RUNS = [
    ("Adam, from 1", 100),
    ("Adam, from 1", 1000),
    ("Adam, from the data", 100),
    ("skvae", 100),
]
HEADER = ("variance", "epochs", "ELBO nats", "least", "greatest", "KL nats")


def measure(name, epochs, X, seeds):
    """Fit with every seed. Return medians, and the range of the bound."""
    fitted = [RULES[name](max_epochs=epochs, random_state=seed).fit(X) for seed in seeds]
    bounds = [vae.score(X) for vae in fitted]
    return {
        "variance": name,
        "epochs": epochs,
        "elbo": median(bounds),
        "least": min(bounds),
        "greatest": max(bounds),
        "kl": median(vae.history_["kl"][-1] for vae in fitted),
    }


def cells(row):
    """Return a row of the printed table."""
    numbers = (f"{row[name]:.2f}" for name in ("elbo", "least", "greatest", "kl"))
    return [row["variance"], str(row["epochs"]), *numbers]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 (default 3)")
    seeds = range(parser.parse_args().seeds)
    one_thread()
    print_machine()
    X = load_digits().data / 16
    rows = [measure(name, epochs, X, seeds) for name, epochs in RUNS]
    print_table(HEADER, [cells(row) for row in rows])
    save("noise_variance", rows, seeds=list(seeds))


if __name__ == "__main__":
    main()
