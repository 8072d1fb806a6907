import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import is_tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from skvae.nn.aggregate import log_aggregate_posterior, log_mixture, log_mixture_slopes
from skvae.nn.distributions import Gaussian


def random_posterior(n_rows, n_components, seed=0, spread=1.0):
    rng = np.random.RandomState(seed)
    mean = torch.tensor(spread * rng.standard_normal((n_rows, n_components)))
    posterior = Gaussian(mean, torch.tensor(0.3 * rng.standard_normal((n_rows, n_components)) - 1))
    return posterior, posterior.sample(torch.tensor(rng.standard_normal((n_rows, n_components))))


def exact_mixture(posterior, z):
    """log q(z) and every log q(z_j) of the mixture of all rows, by the definition."""
    densities = stats.norm.pdf(
        z.numpy()[:, None], posterior.mean.numpy()[None], posterior.scale.numpy()[None]
    )
    joint = np.log(densities.prod(-1).mean(1))
    return joint, np.log(densities.mean(1))


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_over_the_whole_data_mss_is_exact_and_mws_is_exact_less_log_n(spread):
    posterior, z = random_posterior(7, 3, spread=spread)
    log_q, log_q_per_dimension = exact_mixture(posterior, z)
    log_prod_q = log_q_per_dimension.sum(1)
    ours = log_aggregate_posterior(posterior, z, 7, "mss")
    np.testing.assert_allclose(ours[0], log_q, rtol=1e-10)
    np.testing.assert_allclose(ours[1], log_prod_q, rtol=1e-10)
    ours = log_aggregate_posterior(posterior, z, 7, "mws")
    np.testing.assert_allclose(ours[0], log_q - math.log(7), rtol=1e-10)
    np.testing.assert_allclose(ours[1], log_prod_q - 3 * math.log(7), rtol=1e-10)


def test_mss_is_unbiased_for_the_density_over_all_batches():
    n_samples, n_batch = 6, 4
    posterior, z = random_posterior(n_samples, 2)
    expected = np.exp(exact_mixture(posterior, z)[0])
    for position in range(n_batch):
        for item in range(n_samples):
            others = [row for row in range(n_samples) if row != item]
            ratios = []
            for batch in itertools.permutations(others, n_batch - 1):
                rows = [*batch[:position], item, *batch[position:]]
                chosen = Gaussian(posterior.mean[rows], posterior.log_scale[rows])
                log_q, _ = log_aggregate_posterior(chosen, z[rows], n_samples, "mss")
                ratios.append(log_q[position].exp().item() / expected[item])
            assert np.mean(ratios) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sampling", ["mws", "mss"])
def test_permuting_the_batch_permutes_the_estimate(sampling):
    posterior, z = random_posterior(8, 3)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    permuted = Gaussian(posterior.mean[order], posterior.log_scale[order])
    plain = log_aggregate_posterior(posterior, z, 100, sampling)
    for ours, theirs in zip(
        log_aggregate_posterior(permuted, z[order], 100, sampling), plain, strict=True
    ):
        np.testing.assert_allclose(ours, theirs[order], rtol=1e-12)


@pytest.mark.parametrize("sampling", ["mws", "mss"])
def test_aggregate_posterior_has_the_gradient_of_finite_differences(sampling):
    posterior, z = random_posterior(5, 3)
    inputs = tuple(t.clone().requires_grad_() for t in (posterior.mean, posterior.log_scale, z))

    def estimate(mean, log_scale, z):
        return log_aggregate_posterior(Gaussian(mean, log_scale), z, 50, sampling)

    assert torch.autograd.gradcheck(estimate, inputs)


def test_aggregate_posterior_stays_finite_for_posteriors_far_apart():
    posterior, z = random_posterior(6, 2, spread=1e4)
    inputs = [t.float().requires_grad_() for t in (posterior.mean, posterior.log_scale, z)]
    log_q, log_prod_q = log_aggregate_posterior(Gaussian(*inputs[:2]), inputs[2], 1000, "mss")
    (log_q.sum() + log_prod_q.sum()).backward()
    assert torch.isfinite(log_q).all()
    assert torch.isfinite(log_prod_q).all()
    assert all(torch.isfinite(t.grad).all() for t in inputs)


@pytest.mark.parametrize("n_rows", [1, 2, 9])
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_the_mixture_is_that_of_the_definition_in_chunks_of_any_size(n_rows, spread, monkeypatch):
    posterior, z = random_posterior(n_rows, 3, spread=spread)
    expected = exact_mixture(posterior, z)
    for n_draws, n_chunk in ((64, 1024), (1, 1), (2, 4)):
        monkeypatch.setattr("skvae.nn.aggregate.CHUNK_DRAWS", n_draws)
        monkeypatch.setattr("skvae.nn.aggregate.CHUNK_ROWS", n_chunk)
        for ours, theirs in zip(log_mixture(posterior, z), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_the_mixture_over_the_whole_data_is_mss_and_mws_less_log_n():
    posterior, z = random_posterior(7, 3)
    log_q, log_q_per_dimension = log_mixture(posterior, z)
    for sampling, constant in (("mss", 0.0), ("mws", math.log(7))):
        joint, marginals = log_aggregate_posterior(posterior, z, 7, sampling)
        np.testing.assert_allclose(joint, log_q - constant, rtol=1e-10)
        np.testing.assert_allclose(marginals, log_q_per_dimension.sum(1) - 3 * constant, rtol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_mixture_is_finite_and_right_far_from_every_row(dtype):
    mean = torch.tensor([[0.0, 0.0], [1.0, -1e3]], dtype=dtype)
    far = Gaussian(mean, torch.full((2, 2), math.log(1e-2), dtype=dtype))
    z = torch.tensor([[3.0, 0.0], [0.0, -500.0], [50.0, 1e4]], dtype=dtype)
    logs = stats.norm.logpdf(z.double()[:, None], mean.double(), 1e-2)
    joint, marginals = log_mixture(far, z)
    np.testing.assert_allclose(joint, np.logaddexp(*logs.sum(-1).T) - math.log(2), rtol=1e-6)
    expected = np.logaddexp(logs[:, 0], logs[:, 1]) - math.log(2)
    np.testing.assert_allclose(marginals, expected, rtol=1e-6)
    assert joint.dtype == marginals.dtype == dtype


class Made(TorchDispatchMode):
    """The sizes of what operations make in memory of its own."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = {
            t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if is_tensor(t)
        }
        for tensor in filter(is_tensor, tree_leaves(result)):
            if tensor.untyped_storage().data_ptr() not in given:
                self.sizes.append(tensor.numel())
        return result


def test_a_batch_takes_two_arrays_of_its_pairs_times_dimensions():
    """A third one takes the memory back to the system and again at every step."""
    posterior, z = random_posterior(50, 4)
    with Made() as made:
        log_mixture_slopes(posterior.mean, posterior.log_scale, z, 1.0, (0.5, 2.0))
    assert sum(size >= 50 * 50 * 4 for size in made.sizes) == 2
