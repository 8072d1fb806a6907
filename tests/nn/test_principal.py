import math

import pytest
import torch

from skvae.nn.principal import PrincipalComponents

# Four columns: variances 9 and 4 along the first two, 1 and 0 left in the others.
COMPONENTS = PrincipalComponents(
    torch.eye(4)[:2], torch.tensor([9.0, 4.0]), torch.tensor([0.0, 0.0, 1.0, 0.0])
)


def test_the_noise_variance_is_the_mean_of_the_directions_left_out():
    assert COMPONENTS.noise_variance() == 0.5
    assert COMPONENTS.noise_variance(1) == pytest.approx(5 / 3)
    assert COMPONENTS.noise_variance(0) == 3.5


def test_gains_and_stds_are_those_of_probabilistic_pca():
    noise = torch.tensor(1.0)
    assert torch.allclose(COMPONENTS.gains(noise), torch.tensor([8.0, 3.0]).sqrt())
    assert torch.allclose(COMPONENTS.stds(noise), torch.tensor([1 / 3, 1 / 2]))
    # The code's variance and the posterior's add up to that of the prior.
    means = COMPONENTS.gains(noise) ** 2 / COMPONENTS.variances
    assert torch.allclose(means + COMPONENTS.stds(noise) ** 2, torch.ones(2))


def test_a_direction_below_the_noise_begins_a_little_open():
    assert COMPONENTS.gains(torch.tensor(100.0)).tolist() == [3 / 4, 2 / 4]
    assert COMPONENTS.stds(torch.tensor(100.0)).tolist() == [1.0, 1.0]
    assert math.isclose(COMPONENTS.stds(torch.tensor(4.0))[1], 1.0)
