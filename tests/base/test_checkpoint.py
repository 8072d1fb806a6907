"""A fit that was killed anywhere goes on from its checkpoint, and ends as if it had not been."""

from functools import partial

import numpy as np
import pytest
import torch
from killed_steps import always_written, assert_same, is_killed, resumed_in_every_epoch
from own_modules import make_decoder, make_encoder
from scipy.sparse import csr_array
from sklearn.base import clone
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LRScheduler,
    Unfreezer,
)
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.base import BaseVAETransformer, hyperparameters
from skvae.nn import BetaObjective

SHORT = {"max_epochs": 4, "batch_size": 40, "lr": 0.01, "random_state": 0}
SMALL = {"hidden_layer_sizes": (6,), **SHORT}
STOPS = {"early_stopping": True, "n_iter_no_change": 2, "tol": 0.05, "max_epochs": 8}
IMAGES = {"image_shape": (8, 8, 1), **SHORT, "max_epochs": 3}


class Learning(BetaObjective):
    """A factor of the divergence that the optimizer moves."""

    def __init__(self, beta):
        super().__init__(beta)
        self.exponent = torch.nn.Parameter(torch.zeros(()))

    def penalties(self, posterior, z):
        (kl,) = super().penalties(posterior, z).values()
        return {"kl": kl * torch.exp(-self.exponent)}


@hyperparameters
class LearningVAE(BaseVAETransformer):
    """A model of the user's."""

    def _objective(self, n_samples):
        return Learning(1.0)


class OwnState(Callback):
    """Draws, and remembers, what the learning rate of the next epoch is."""

    def on_train_begin(self, net, **kwargs):
        self.draws, self.rates = np.random.RandomState(0), []
        self.generator = torch.Generator().manual_seed(0)

    def on_epoch_end(self, net, **kwargs):
        factor = 1 + self.draws.uniform() + torch.rand((), generator=self.generator).item()
        self.rates.append(factor * 0.005)
        net.optimizer_.param_groups[0]["lr"] = float(np.mean(self.rates))


class Frozen(Callback):
    """Holds the encoder still for the first two epochs."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 1:
            net.module_.encoder.requires_grad_(False)
        elif len(net.history) == 3:
            net.module_.encoder.requires_grad_(True)


_always_written = pytest.fixture(autouse=True)(always_written)

FITS = {
    "adam": AutoencoderTransformer(2, **SMALL),
    "adamw": VAETransformer(2, optimizer="adamw", weight_decay=0.1, **SMALL),
    "sgd": AutoencoderTransformer(2, optimizer="sgd", **SMALL),
    "momentum": VAETransformer(2, optimizer=partial(torch.optim.SGD, momentum=0.9), **SMALL),
    "per feature": VAETransformer(2, noise_variance="per-feature", warm_start=True, **SMALL),
    "bernoulli": VAETransformer(2, likelihood="bernoulli", **SMALL),
    "bfloat16": VAETransformer(2, precision="bfloat16", **SMALL),
    "stopping": AutoencoderTransformer(2, **{**SMALL, **STOPS}),
    "warm-up": VAETransformer(2, kl_warmup_epochs=2, kl_cycles=2, **{**SMALL, **STOPS}),
    "capacity": BetaVAETransformer(2, beta=4.0, capacity=1.0, capacity_epochs=3, **SMALL),
    "parts": BetaTCVAETransformer(2, beta=2.0, **{**SMALL, **STOPS}),
    "stratified": BetaTCVAETransformer(2, beta=2.0, tc_sampling="mss", **SMALL),
    "holes and counts": VAETransformer(
        2, likelihood=[("negative-binomial", [0]), ("gaussian", slice(1, None))], missing="mask",
        **SMALL,
    ),
    "own modules": VAETransformer(2, encoder=make_encoder, decoder=make_decoder, **SMALL),
    "own objective": LearningVAE(2, **SMALL),
    "own random state": VAETransformer(2, **{**SMALL, "random_state": np.random.RandomState(3)}),
}  # fmt: skip
OF_IMAGES = {
    "residual": VAETransformer(2, **IMAGES),
    "paper": BetaTCVAETransformer(2, architecture="paper", **{**IMAGES, **STOPS, "max_epochs": 3}),
    "hybrid": AutoencoderTransformer(2, architecture="hybrid", **IMAGES),
}
CALLBACKS = {
    "steps": [LRScheduler("StepLR", step_size=2, gamma=0.5)],
    "milestones": [LRScheduler("MultiStepLR", milestones=[1, 3])],
    "plateau": [LRScheduler("ReduceLROnPlateau", patience=0, threshold=0.5)],
    "batches": [LRScheduler("CyclicLR", base_lr=0.001, max_lr=0.1, step_every="batch")],
    "cosine": [LRScheduler(CosineAnnealingWarmRestarts, T_0=2)],
    "stopping": [EarlyStopping("train_loss", patience=1, threshold=0.2, load_best=True)],
    "scores": [EpochScoring(lambda net, X, y: -len(net.history) % 3, name="score")],
    "clipping": [("clip", GradientNormClipping(0.1)), OwnState()],
    "frozen": [Frozen()],
    "unfreezer": [Unfreezer("encoder.*", at=3)],
}


def fit_of(name, digits, table):
    """Return an estimator, its rows, and what else its fit is given."""
    if name in OF_IMAGES:
        return OF_IMAGES[name], digits[:95], {}
    estimator = FITS[name]
    X = (table[:130] - table.min()) / np.ptp(table)
    if name == "holes and counts":
        X[:, 0] = np.round(9 * X[:, 0])
        X[::3, 1] = np.nan
    X_val = X[100:] if name == "parts" else None
    X = csr_array(X) if name == "bernoulli" else X
    return estimator, X[:100], {} if X_val is None else {"X_val": X_val}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*FITS, *OF_IMAGES])
def test_a_fit_killed_in_every_epoch_ends_as_if_it_had_not_been(name, digits, table, tmp_path):
    estimator, X, options = fit_of(name, digits, table)
    whole = clone(estimator).fit(X, **options)
    options["checkpoint"] = tmp_path / "fit"
    resumed = resumed_in_every_epoch(lambda: clone(estimator).fit(X, **options))
    assert_same(resumed, whole, X)
    if estimator.warm_start:  # which keeps the states of optimizer and generator
        assert_same(resumed.fit(X), whole.fit(X), X)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*FITS, *OF_IMAGES])
def test_a_fit_killed_at_any_step_ends_as_if_it_had_not_been(name, digits, table, tmp_path):
    estimator, X, options = fit_of(name, digits, table)
    whole = clone(estimator).fit(X, **options)
    step = 0
    while True:
        options["checkpoint"] = tmp_path / f"{step}"
        if not is_killed(lambda: clone(estimator).fit(X, **options), step):
            break
        assert_same(clone(estimator).fit(X, **options), whole, X)
        step += 1
    assert step >= whole.n_iter_ * 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_go_on_with_what_they_have(name, table, tmp_path):
    vae = VAETransformer(2, callbacks=CALLBACKS[name], **{**SMALL, "max_epochs": 6})
    X, path = table[:100], tmp_path / "fit"
    whole = clone(vae).fit(X)
    assert_same(resumed_in_every_epoch(lambda: clone(vae).fit(X, checkpoint=path)), whole, X)
