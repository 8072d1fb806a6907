import math

import numpy as np
import pytest
import torch

from skvae.nn.distributions import Gaussian, standard_normal_log_prob
from skvae.nn.likelihoods import Bernoulli
from skvae.nn.objectives import (
    BetaObjective,
    CapacityObjective,
    SquaredError,
    TotalCorrelationObjective,
)
from skvae.nn.schedules import Warmup

PARTS = [
    "minibatch_mutual_information",
    "minibatch_total_correlation",
    "minibatch_dimension_wise_kl",
]


def random_output(n_rows=9, n_components=3, n_features=4, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    posterior = Gaussian(draw(n_rows, n_components), 0.3 * draw(n_rows, n_components))
    output = {
        "likelihood": Gaussian(draw(n_rows, n_features), torch.tensor(0.2, dtype=torch.float64)),
        "posterior": posterior,
        "z": posterior.sample(draw(n_rows, n_components)),
    }
    return output, draw(n_rows, n_features)


@pytest.mark.parametrize("sampling", ["mws", "mss"])
def test_the_three_parts_telescope_to_log_q_less_log_p_in_every_row(sampling):
    output, _ = random_output()
    posterior, z = output["posterior"], output["z"]
    parts = TotalCorrelationObjective(50, sampling=sampling).penalties(posterior, z)
    expected = posterior.log_prob(z) - standard_normal_log_prob(z)
    np.testing.assert_allclose(sum(parts[name] for name in PARTS), expected, atol=1e-10, rtol=0)


def test_a_collapsed_posterior_has_parts_of_zero_under_mss_and_constants_under_mws():
    n_samples, n_rows, n_components = 2000, 64, 4
    zeros = torch.zeros(n_rows, n_components, dtype=torch.float64)
    z = torch.randn(
        n_rows, n_components, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    log_n = math.log(n_samples)
    constants = [log_n, (n_components - 1) * log_n, -n_components * log_n]
    for sampling, expected in (("mss", [0, 0, 0]), ("mws", constants)):
        objective = TotalCorrelationObjective(n_samples, sampling=sampling)
        parts = objective.penalties(Gaussian(zeros, zeros), z)
        for name, value in zip(PARTS, expected, strict=True):
            np.testing.assert_allclose(parts[name], value, atol=1e-10)


def test_disjoint_posteriors_have_mutual_information_log_n_under_mss():
    mean = 1e3 * torch.arange(8, dtype=torch.float64).unsqueeze(1).repeat(1, 2)
    posterior = Gaussian(mean, torch.full_like(mean, math.log(0.1)))
    parts = TotalCorrelationObjective(2000, sampling="mss").penalties(posterior, mean)
    np.testing.assert_allclose(parts["minibatch_mutual_information"], math.log(2000), rtol=1e-12)


def test_the_parts_of_a_mixture_agree_with_quadrature():
    # MI, TC and DW of this mixture of three Gaussians were integrated on a 1601 x 1601 grid.
    mean = torch.tensor([[-1.0, 0.0], [1.0, 0.5], [0.5, -1.2]], dtype=torch.float64)
    std = torch.tensor([[0.5, 0.6], [0.4, 0.7], [0.8, 0.3]], dtype=torch.float64)
    n_draws = 20_000
    noise = torch.randn(
        n_draws, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    posterior = Gaussian(mean, std.log())
    objective = TotalCorrelationObjective(3, sampling="mss")
    parts = [objective.penalties(posterior, mean + std * e) for e in noise]
    for name, expected in zip(PARTS, (0.94524535, 0.10541489, 0.23902471), strict=True):
        values = torch.stack([part[name].mean() for part in parts])
        error = values.std() / math.sqrt(n_draws)
        assert abs(values.mean() - expected) < 5 * error
    assert parts[0]["kl"].mean().item() == pytest.approx(1.2896849453, abs=1e-9)


@pytest.mark.parametrize("sampling", ["mws", "mss"])
def test_at_weights_of_one_the_total_correlation_objective_is_the_vaes(sampling):
    output, x = random_output()
    ours = TotalCorrelationObjective(50, alpha=1, beta=1, gamma=1, sampling=sampling)(output, x)
    assert ours == BetaObjective(1.0)(output, x)


def test_equal_weights_weigh_the_divergence_in_expectation():
    # (beta - 1) (MI + TC + DW) is (beta - 1) times a one-draw estimate of the divergence.
    output, x = random_output()
    weighted = TotalCorrelationObjective(50, alpha=3, beta=3, gamma=3, sampling="mss")
    divergence = (
        output["posterior"].log_prob(output["z"]) - standard_normal_log_prob(output["z"])
    ).mean()
    expected = BetaObjective(1.0)(output, x) + 2 * divergence
    assert weighted(output, x).item() == pytest.approx(expected.item(), rel=1e-12)


def test_weights_enter_the_sum_and_not_the_terms():
    output, x = random_output()
    for make in (
        BetaObjective,
        lambda beta: TotalCorrelationObjective(50, alpha=beta, beta=beta, gamma=beta),
    ):
        terms = [make(beta).terms(output, x) for beta in (0.5, 7.0)]
        assert all(torch.equal(terms[0][name], terms[1][name]) for name in terms[0])
    terms = BetaObjective(7.0).terms(output, x)
    expected = terms["reconstruction"].mean() + 7 * terms["kl"].mean()
    assert BetaObjective(7.0)(output, x).item() == pytest.approx(expected.item(), rel=1e-12)


def test_half_a_squared_unit_of_noise_gives_the_papers_squared_error():
    output, x = random_output()
    output["likelihood"] = Gaussian(output["likelihood"].mean, torch.tensor(0.5 * math.log(0.5)))
    error = (x - output["likelihood"].mean).square().sum(1)
    constant = 0.5 * x.shape[1] * math.log(math.pi)
    reconstruction = BetaObjective().terms(output, x)["reconstruction"]
    np.testing.assert_allclose(reconstruction, error + constant, rtol=1e-6)


def test_squared_error_is_the_mean_over_features_and_rows():
    output, x = random_output()
    expected = (x - output["likelihood"].mean).square().mean()
    assert SquaredError()(output, x).item() == pytest.approx(expected.item(), rel=1e-12)


def test_bernoulli_reconstruction_is_the_cross_entropy():
    logits, x = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.25, 1.0]])
    terms = BetaObjective().terms(
        {
            "likelihood": Bernoulli(logits),
            "posterior": Gaussian(torch.zeros(1, 1), torch.zeros(1, 1)),
            "z": torch.zeros(1, 1),
        },
        x,
    )
    assert terms["reconstruction"].item() == pytest.approx(math.log(2) + math.log1p(math.exp(-2)))


# ------------------------------------------------------------------ schedules


def posterior_of(divergences):
    """A Gaussian of unit scale whose columns have these divergences, row by row."""
    mean = torch.sqrt(2 * torch.tensor(divergences, dtype=torch.float64))
    return Gaussian(mean, torch.zeros_like(mean))


@pytest.mark.parametrize(
    ("free_bits", "loss"),
    [(0.0, 10 + 2 * 3.75), (0.5, 10 + 2 * 4.0), (1.0, 10 + 2 * 4.5), (4.0, 10 + 2 * 8.0)],
)
def test_free_bits_hold_every_dimensions_mean_divergence_up(free_bits, loss):
    # Means over the batch: 3.5 and 0.25.
    posterior = posterior_of([[3.0, 0.1], [4.0, 0.4]])
    x = torch.full((2, 1), 10.0)
    likelihood = Ten()
    objective = BetaObjective(beta=2.0)
    objective.free_bits = free_bits
    means = objective.means({"likelihood": likelihood, "posterior": posterior, "z": None}, x)
    assert objective.total(means).item() == pytest.approx(loss)
    assert means["kl"].item() == pytest.approx(3.75)  # reported as it is


class Ten:
    """A likelihood of -10 nats a row."""

    def log_prob(self, x):
        return torch.full((len(x),), -10.0)


def test_free_bits_of_the_total_correlation_objective_are_those_of_its_divergence():
    output, x = random_output()
    objectives = BetaObjective(), TotalCorrelationObjective(50)
    for objective in objectives:
        objective.free_bits = 2.0
    losses = [objective(output, x).item() for objective in objectives]
    assert losses[0] == losses[1]


def test_a_dimension_below_its_free_bits_has_no_gradient():
    mean = torch.tensor([[2.0, 0.1]], requires_grad=True)
    objective = BetaObjective()
    objective.free_bits = 0.5
    output = {"likelihood": Ten(), "posterior": Gaussian(mean, torch.zeros(1, 2)), "z": None}
    objective(output, torch.zeros(1, 1)).backward()
    assert torch.equal(mean.grad, torch.tensor([[2.0, 0.0]]))


@pytest.mark.parametrize(
    ("epoch", "loss"),
    [(0, 10 + 100 * 3.75), (2.5, 10 + 100 * 2.5), (10, 10 + 100 * 1.25), (math.inf, 135.0)],
)
def test_capacity_weighs_the_distance_of_the_divergence_from_it(epoch, loss):
    objective = CapacityObjective(beta=100.0, capacity=5.0, capacity_epochs=10)
    objective.epoch = epoch
    posterior = posterior_of([[3.0, 0.1], [4.0, 0.4]])  # mean divergence 3.75
    means = {name: term.mean() for name, term in objective.penalties(posterior, None).items()}
    assert objective.total({"reconstruction": torch.tensor(10.0), **means}).item() == pytest.approx(
        loss
    )
    assert means["kl"].item() == pytest.approx(3.75)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 0), (1, 0.25), (3, 0.75), (4, 1), (math.inf, 1)])
def test_warmup_multiplies_every_penalty(epoch, factor):
    objective = TotalCorrelationObjective(50, alpha=2.0, beta=6.0, gamma=0.5)
    objective.warmup = Warmup(4)
    objective.epoch = epoch
    means = {"reconstruction": 10.0, "kl": 1.0} | dict(zip(PARTS, (2.0, 3.0, 4.0), strict=True))
    means = {name: torch.tensor(value) for name, value in means.items()}
    assert objective.total(means).item() == pytest.approx(10 + factor * (1 + 2 + 15 - 2))


@pytest.mark.parametrize(
    ("n_components", "sampling", "of_correlation", "of_information"),
    [
        (2, "mws", -0.04, -0.86),
        (2, "mss", 0.04, -0.97),
        (5, "mws", -0.51, -0.39),
        (5, "mss", 0.10, -1.03),
        (10, "mws", -0.89, -0.01),
        (10, "mss", -0.88, -0.05),
    ],
)
def test_the_parts_gradients_once_the_divergence_passes_the_logarithm_of_the_batch_size(
    n_components, sampling, of_correlation, of_information
):
    """The guide's table: q(z) = N(0, I), whose total correlation is 0 whatever the posteriors'
    width; by its logarithm the divergence has the derivative -0.91 a dimension."""
    log_std = torch.full((), math.log(0.3), dtype=torch.float64, requires_grad=True)
    objective = TotalCorrelationObjective(n_samples=10_000, beta=2.0, sampling=sampling)
    names = ["minibatch_total_correlation", "minibatch_mutual_information", "kl"]
    derivatives = []
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        mean, noise = (
            torch.randn(256, n_components, generator=generator, dtype=torch.float64)
            for _ in range(2)
        )
        mean *= math.sqrt(0.91)
        posterior = Gaussian(mean, log_std.expand(256, n_components))
        penalties = objective.penalties(posterior, mean + log_std.exp() * noise)
        derivatives.append(
            [
                torch.autograd.grad(penalties[name].mean(), log_std, retain_graph=True)[0]
                for name in names
            ]
        )
    found = torch.tensor(derivatives, dtype=torch.float64).mean(0) / n_components
    expected = torch.tensor([of_correlation, of_information, -0.91], dtype=torch.float64)
    torch.testing.assert_close(found, expected, atol=0.03, rtol=0.0)


def test_scheduled_epochs_are_those_of_the_longer_schedule():
    objective = CapacityObjective(1.0, capacity=5.0, capacity_epochs=10)
    assert objective.scheduled_epochs == 10
    objective.warmup = Warmup(8, n_cycles=2)
    assert objective.scheduled_epochs == 24
    assert BetaObjective().scheduled_epochs == 0
