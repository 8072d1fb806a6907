"""What an epoch draws: from the generator of the fit, or on a GPU from a seed of that generator."""

import numpy as np
import pytest
import torch
from few_epochs import SETTINGS

from skvae import VAETransformer
from skvae.training import devices
from skvae.training.devices import generator_of_epoch


@pytest.fixture
def seeds(monkeypatch):
    """Have epochs draw as on a GPU; hold the devices and the seeds of their generators."""
    made = []
    plain = torch.Generator

    class Generator:
        def __new__(cls, device="cpu"):
            generator = plain()
            made.append((torch.device(device).type, generator))
            return generator

    monkeypatch.setattr(
        "skvae.training.net.generator_of_epoch",
        lambda generator, device: generator_of_epoch(generator, "cuda"),
    )
    monkeypatch.setattr(devices.torch, "Generator", Generator)
    return lambda: [generator.initial_seed() for device, generator in made if device == "cuda"]


def test_the_cpu_draws_from_the_fits_generator():
    generator = torch.Generator()
    assert generator_of_epoch(generator, "cpu") is generator
    assert generator_of_epoch(generator, torch.device("mps")) is generator


def test_every_epoch_of_a_gpu_has_a_seed_from_the_fits_generator(seeds, table):
    VAETransformer(**SETTINGS).fit(table)
    first = seeds()
    assert len(set(first)) == 3
    VAETransformer(**SETTINGS).fit(table)
    assert seeds()[3:] == first
    VAETransformer(**{**SETTINGS, "random_state": 1}).fit(table)
    assert set(seeds()[6:]).isdisjoint(first)


@pytest.mark.usefixtures("seeds")
def test_training_that_goes_on_draws_as_training_without_a_break(table):
    whole = VAETransformer(**SETTINGS).fit(table)
    streamed = VAETransformer(**SETTINGS)
    for _ in range(3):
        streamed.partial_fit(table)
    np.testing.assert_array_equal(streamed.transform(table), whole.transform(table))
    parts = VAETransformer(**{**SETTINGS, "max_epochs": 1}, warm_start=True).fit(table)
    parts.set_params(max_epochs=2).fit(table)
    np.testing.assert_array_equal(parts.transform(table), whole.transform(table))


@pytest.mark.usefixtures("seeds")
def test_the_state_that_is_kept_is_that_of_a_generator_of_the_cpu(table):
    vae = VAETransformer(**SETTINGS, warm_start=True).fit(table)
    assert len(vae._generator_state_) == len(torch.default_generator.get_state())
    torch.Generator().set_state(torch.tensor(vae._generator_state_))
