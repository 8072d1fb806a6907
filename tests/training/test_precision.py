"""Training steps whose products are in bfloat16, and what stays float32."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils import check_random_state
from skorch.callbacks import Callback
from torch import nn

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.nn.distributions import Gaussian
from skvae.nn.networks import BaseNetwork
from skvae.training import steps
from skvae.training.precision import at_precision

MODELS = [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer]
SETTINGS = {"n_components": 3, "max_epochs": 3, "batch_size": 128, "random_state": 0}
every_model = pytest.mark.parametrize("Estimator", MODELS)


def encoder(n_inputs, n_outputs):
    """Convolutions of 8 x 8 pixels, the batch normalised."""
    convolutions = [nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), *convolutions, nn.Flatten(), nn.Linear(128, n_outputs)
    )


def decoder(n_inputs, n_outputs):
    return nn.Sequential(nn.Linear(n_inputs, 32), nn.ReLU(), nn.Linear(32, n_outputs))


OWN = {"encoder": encoder, "decoder": decoder, "lr": 0.01}
# By name, what makes a network of the rows of ``digits``.
NETWORKS = {
    "perceptron": {},
    "linear": {"hidden_layer_sizes": ()},
    "hybrid": {"image_shape": (8, 8, 1)},
    "paper": {"image_shape": (8, 8, 1), "architecture": "paper"},
    "residual": {"image_shape": (8, 8, 1), "architecture": "residual"},
    "own modules": OWN,
    "own modules, scaled": {**OWN, "input_scale": 0.5},
}
# A fit of so few steps warns that it has learned nothing.
unlearned = pytest.mark.filterwarnings("ignore")
every_network = pytest.mark.parametrize("network", NETWORKS)


def make(Estimator=VAETransformer, precision="bfloat16", **parameters):
    return Estimator(precision=precision, **{**SETTINGS, **parameters})


def state(fitted):
    return fitted.net_.module_.state_dict()


def same(one, other):
    """Whether two fitted estimators have equal weights and histories, bit for bit."""
    for name, weights in state(one).items():
        np.testing.assert_array_equal(weights, state(other)[name], name)
    for name, values in one.history_.items():
        np.testing.assert_array_equal(values, other.history_[name], name)


# ------------------------------------------------------------------ what a step is


def plain_epoch(X, *, n_components, batch_size, noise_variance, dtype):
    """Train a VAE of the modules above under autocast: no class of ours, seeded as ours is."""
    rng = check_random_state(0)
    seed, module_seed = rng.randint(2**31 - 1), rng.randint(2**31 - 1)
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(module_seed)
        modules = nn.ModuleList([encoder(64, 2 * n_components), decoder(n_components, 64)])
    step = torch.optim.Adam(modules.parameters(), lr=1e-3)
    data = torch.tensor(X, dtype=torch.float32)
    for rows in torch.randperm(len(X), generator=generator).split(batch_size):
        x = data[rows]
        noise = torch.randn(len(x), n_components, generator=generator)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            heads = modules[0](x)
        assert heads.dtype == dtype
        mean, log_std = heads.float().chunk(2, 1)
        z = mean + torch.exp(log_std) * noise
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            decoded = modules[1](z)
        error = ((x - decoded.float()) ** 2).sum(1) / (2 * noise_variance)
        kl = 0.5 * (mean**2 + torch.exp(2 * log_std) - 1 - 2 * log_std).sum(1)
        step.zero_grad()
        ((error + kl).sum() / batch_size).backward()
        step.step()
    return list(modules.state_dict().values())


@unlearned
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("n_samples", "tolerance"), [(64, 1e-7), (640, 1e-4)])
def test_steps_equal_a_plain_loop_under_autocast(precision, n_samples, tolerance, digits):
    # Of a rounding of float32 that differs, one of bfloat16 may come: steps draw the two apart.
    X, settings = digits[:n_samples], {"n_components": 3, "batch_size": 64, "noise_variance": 0.01}
    modules = {"encoder": encoder, "decoder": decoder}
    ours = VAETransformer(
        precision=precision, max_epochs=1, random_state=0, **settings, **modules
    ).fit(X)
    weights = [value for name, value in state(ours).items() if not name.startswith("observation")]

    def gap(dtype):
        theirs = plain_epoch(X, **settings, dtype=dtype)
        gaps = [(one - other).abs().max() for one, other in zip(weights, theirs, strict=True)]
        return max(gaps)

    assert gap(getattr(torch, precision)) < tolerance
    assert gap({"float32": torch.bfloat16, "bfloat16": torch.float32}[precision]) > 1e-3


def test_float32_is_the_network_itself():
    network = nn.Linear(2, 2)
    assert at_precision(network, "float32", "cpu") is network
    assert VAETransformer().precision == "float32"


# ------------------------------------------------------------------ what stays float32


@pytest.fixture
def judged(monkeypatch):
    """The dtypes of all that a loss was made of, and of what was made of it."""
    dtypes = set()

    def watched(plain):
        def function(*arguments):
            found = plain(*arguments)
            assert not torch.is_autocast_enabled("cpu")
            dtypes.update(tensor.dtype for tensor in tensors_in([*arguments, *found]))
            return found

        return function

    for name in ("reconstruction_slope", "penalty_slopes"):
        monkeypatch.setattr(steps, name, watched(getattr(steps, name)))
    return dtypes


def tensors_in(values):
    """Yield the tensors among values, in collections of them, and in distributions."""
    for value in values:
        if torch.is_tensor(value):
            yield value
        elif isinstance(value, dict):
            yield from tensors_in(value.values())
        elif isinstance(value, tuple):
            yield from tensors_in(value)
        elif isinstance(value, Gaussian):
            yield from tensors_in(vars(value).values())


class Gradients(Callback):
    """Notes the dtypes of gradients, weights and the optimizer's state."""

    def initialize(self):
        self.dtypes = set()
        return self

    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, weight in named_parameters:
            self.dtypes |= {weight.dtype, weight.grad.dtype}
            moments = net.optimizer_.state[weight].values()
            self.dtypes |= {moment.dtype for moment in moments if moment.ndim}


@unlearned
@every_model
@every_network
def test_weights_gradients_and_the_objective_are_float32(Estimator, network, judged, digits):
    fitted = make(Estimator, callbacks=[Gradients], **NETWORKS[network]).fit(digits[:300])
    assert judged == {torch.float32}
    assert fitted.net_.callbacks_[0][1].dtypes == {torch.float32}
    counters = "num_batches_tracked"  # of batch normalisation, integers
    dtypes = {value.dtype for name, value in state(fitted).items() if not name.endswith(counters)}
    assert dtypes == {torch.float32}


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
@pytest.mark.parametrize("input_scale", [1.0, 0.5])
def test_so_it_is_under_other_likelihoods(likelihood, input_scale, judged, digits):
    make(likelihood=likelihood, input_scale=input_scale).fit(digits[:300] / input_scale)
    assert judged == {torch.float32}


@pytest.fixture
def rounding(monkeypatch):
    """For every use of a network, whether it trained and whether it rounded to bfloat16."""
    uses = set()
    plain = BaseNetwork.encoded

    def encoded(network, x):
        uses.add((network.training, torch.is_autocast_enabled("cpu")))
        return plain(network, x)

    monkeypatch.setattr(BaseNetwork, "encoded", encoded)
    return uses


@every_model
def test_only_training_steps_round(Estimator, rounding, digits):
    fitted = make(Estimator, early_stopping=True).fit(digits[:300])
    assert rounding == {(True, True), (False, False)}
    rounding.clear()
    fitted.transform(digits)
    fitted.score_samples(digits)
    fitted.net_.predict(digits.astype(np.float32))
    assert rounding == {(False, False)}


@unlearned
@every_network
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_results_have_the_dtype_of_the_rows(network, dtype, digits):
    X = digits[:200].astype(dtype)
    fitted = make(**NETWORKS[network]).fit(X)
    for result in (fitted.transform(X), fitted.reconstruct(X), *fitted.posterior(X)):
        assert result.dtype == dtype
    # Of one dtype are the results of the other, to the rounding of float32.
    np.testing.assert_allclose(fitted.transform(digits[:200]), fitted.transform(X), atol=1e-4)


# ------------------------------------------------------------------ how near it comes


def training_losses(X, precision, noise_variance, **parameters):
    """Return the squared error and the divergence of every epoch."""
    fitted = make(precision=precision, noise_variance=noise_variance, **parameters).fit(X)
    constant = 0.5 * X.shape[1] * np.log(2 * np.pi * noise_variance)
    return np.array([fitted.history_["reconstruction"] - constant, fitted.history_["kl"]])


@unlearned
@every_network
def test_the_losses_of_images_are_alike_to_a_hundredth(network, digits):
    exact, rounded = (
        training_losses(digits[:600], precision, 0.02, max_epochs=4, **NETWORKS[network])
        for precision in ("float32", "bfloat16")
    )
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, rtol=0.01)


def test_so_are_those_of_a_table(table):
    exact, rounded = (
        training_losses(table, precision, 0.5, max_epochs=20)
        for precision in ("float32", "bfloat16")
    )
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, rtol=0.01)


@pytest.mark.parametrize("parameters", [{}, {"hidden_layer_sizes": ()}])
def test_a_mean_far_from_zero_costs_no_digits(parameters, table):
    near = make(**parameters).fit(table)
    far = make(**parameters).fit(table + 1000.0)  # to bfloat16 a column of two values
    for name, values in near.history_.items():
        np.testing.assert_allclose(far.history_[name], values, rtol=2e-3, err_msg=name)


# ------------------------------------------------------------------ what goes on working


@every_model
def test_the_same_seed_is_the_same_fit(Estimator, digits):
    first = make(Estimator).fit(digits[:300])
    second = clone(first).fit(digits[:300])
    same(first, second)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(first)).transform(digits), second.transform(digits)
    )


def test_passes_one_by_one_and_warm_starts_are_one_fit(digits):
    whole, parts = make().fit(digits), make()
    for _ in range(3):
        parts.partial_fit(digits)
    same(whole, parts)
    warm = make(max_epochs=1, warm_start=True).fit(digits)
    same(whole, warm.set_params(max_epochs=2).fit(digits))


def test_a_warm_start_may_have_another_precision(digits):
    begun = make(warm_start=True).fit(digits)
    before = begun.history_["train_loss"][-1]
    ended = begun.set_params(precision="float32", max_epochs=7).fit(digits)
    assert ended.n_iter_ == 10
    assert ended.history_["train_loss"][-1] < before


def test_early_stopping_goes_back_to_the_best_epoch_by_a_loss_in_float32(digits):
    stopping = {"early_stopping": True, "n_iter_no_change": 2, "lr": 0.03, "max_epochs": 60}
    parameters = {"noise_variance": 0.02, **stopping}
    stopped = make(**parameters).fit(digits[:300], X_val=digits[300:400])
    losses = stopped.history_["valid_loss"]
    assert stopped.n_iter_ < 60
    best = int(np.argmin(losses)) + 1
    again = make(**{**parameters, "max_epochs": best}).fit(digits[:300], X_val=digits[300:400])
    np.testing.assert_array_equal(again.transform(digits), stopped.transform(digits))


class Losses(Callback):
    def on_batch_end(self, net, batch, loss, y_pred, **kwargs):
        assert (loss.dtype, y_pred.dtype) == (torch.float32, torch.float32)


def test_callbacks_hear_of_batches_and_change_nothing(digits):
    same(make().fit(digits[:300]), make(callbacks=[Losses]).fit(digits[:300]))


@every_model
def test_other_precisions_are_refused(Estimator, digits):
    sentence = (
        f"The 'precision' parameter of {Estimator.__name__} must be a str among "
        "{{{}}}. Got 'float16' instead."
    )
    orders = ("'bfloat16', 'float32'", "'float32', 'bfloat16'")
    either = "|".join(re.escape(sentence.format(order)) for order in orders)
    with pytest.raises(ValueError, match=f"^({either})$"):
        make(Estimator, precision="float16").fit(digits)
