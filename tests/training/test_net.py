import functools
import math
import pickle
import re
import signal
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import get_scorer
from sklearn.utils import check_random_state
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer
from skvae.datasets import make_linear_gaussian
from skvae.metrics import active_units


def plain_loop(X, optimizer, *, beta, n_components, batch_size, noise_variance, n_epochs):
    """Train a VAE of one hidden layer and a PCA beside it: no class of ours, seeded as ours is."""
    generator = torch.Generator()
    generator.manual_seed(check_random_state(0).randint(2**31 - 1))
    n_samples, n_features = X.shape
    centre = torch.from_numpy(X.mean(0)).float()
    scale = torch.tensor(X.var(0).mean() ** 0.5).float()
    sizes = [(n_features, 8), (8, 2 * n_components), (n_components, 8), (8, n_features)]
    weights = []
    for layer, (n_inputs, n_outputs) in enumerate(sizes):
        bound = math.sqrt((6 if layer in (0, 2) else 3) / n_inputs)
        weight = torch.empty(n_outputs, n_inputs).uniform_(-bound, bound, generator=generator)
        weights += [weight if layer in (0, 2) else 0.1 * weight, torch.zeros(n_outputs)]
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    pca = PCA(n_components, random_state=seed).fit((X - X.mean(0)) / X.var(0).mean() ** 0.5)
    variances = torch.tensor(pca.explained_variance_ * (n_samples - 1) / n_samples)
    directions = torch.tensor(pca.components_)
    level = torch.tensor(beta * noise_variance / X.var(0).mean())
    gains = (variances - level).sqrt()[:, None]
    encoder = torch.zeros(2 * n_components, n_features)
    encoder[:n_components] = n_features**0.5 * gains / variances[:, None] * directions
    decoder = (gains * directions).T.float()
    weights[2][n_components:] = 0.0
    weights[3][n_components:] = 0.5 * torch.log(level / variances)
    weights = [*weights[:4], encoder, *weights[4:], decoder]
    weights = [t.requires_grad_() for t in weights]
    step = optimizer(weights)
    data = torch.tensor(X, dtype=torch.float32)
    w1, b1, w2, b2, linear, w3, b3, w4, b4, back = weights
    silu = torch.nn.functional.silu
    for _ in range(n_epochs):
        order = torch.randperm(n_samples, generator=generator)
        for rows in order.split(batch_size):
            x = data[rows]
            noise = torch.randn(len(x), n_components, generator=generator)
            scaled = (x - centre) / scale
            heads = silu(scaled @ w1.T + b1) @ w2.T + b2 + scaled @ linear.T / n_features**0.5
            mean, log_std = heads[:, :n_components], heads[:, n_components:]
            z = mean + torch.exp(log_std) * noise
            decoded = centre + scale * (silu(z @ w3.T + b3) @ w4.T + b4 + z @ back.T)
            error = ((x - decoded) ** 2).sum(1) / (2 * noise_variance)
            kl = 0.5 * (mean**2 + torch.exp(2 * log_std) - 1 - 2 * log_std).sum(1)
            loss = (error + beta * kl).sum() / batch_size  # every row weighs the same
            step.zero_grad()
            loss.backward()
            step.step()
    return [t.detach() for t in weights]


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("adam", functools.partial(torch.optim.Adam, lr=1e-3)),
        ("sgd", functools.partial(torch.optim.SGD, lr=1e-3)),
    ],
)
def test_two_epochs_equal_a_plain_loop(table, name, optimizer):
    ours = BetaVAETransformer(
        2,
        beta=3.0,
        hidden_layer_sizes=(8,),
        batch_size=150,
        max_epochs=2,
        noise_variance=0.5,
        optimizer=name,
        random_state=0,
    ).fit(table)
    settings = {"beta": 3.0, "n_components": 2, "batch_size": 150, "noise_variance": 0.5}
    theirs = plain_loop(table, optimizer, n_epochs=2, **settings)
    weights = list(ours.net_.module_.parameters())
    assert len(weights) == len(theirs)
    for weight, expected in zip(weights, theirs, strict=True):
        np.testing.assert_allclose(weight.detach(), expected, atol=2e-5, rtol=1e-4)


def test_history_holds_every_term_of_every_epoch(table):
    settings = {"max_epochs": 3, "random_state": 0}
    names = {
        AutoencoderTransformer: ["reconstruction"],
        VAETransformer: ["reconstruction", "kl"],
        BetaTCVAETransformer: [
            "reconstruction",
            "kl",
            "minibatch_mutual_information",
            "minibatch_total_correlation",
            "minibatch_dimension_wise_kl",
        ],
    }
    for estimator, terms in names.items():
        fitted = estimator(2, **settings).fit(table)
        assert list(fitted.history_) == ["train_loss", *terms]
        fitted = estimator(2, early_stopping=True, **settings).fit(table)
        validation = ["valid_loss", *(f"valid_{term}" for term in terms)]
        assert list(fitted.history_) == ["train_loss", *terms, *validation]
        assert all(len(values) == fitted.n_iter_ == 3 for values in fitted.history_.values())


def test_train_loss_is_the_weighted_sum_of_the_terms(table):
    fitted = BetaVAETransformer(2, beta=3.0, max_epochs=3, random_state=0).fit(table)
    expected = fitted.history_["reconstruction"] + 3 * fitted.history_["kl"]
    np.testing.assert_allclose(fitted.history_["train_loss"], expected, rtol=1e-5)


def test_early_stopping_stops_and_goes_back_to_the_best_epoch(table):
    settings = {"early_stopping": True, "n_iter_no_change": 3, "random_state": 0}
    fitted = BetaVAETransformer(
        2, lr=0.05, max_epochs=200, noise_variance=0.1, beta=1.0, **settings
    ).fit(table)
    losses = fitted.history_["valid_loss"]
    assert fitted.n_iter_ < 200
    best = int(np.argmin(losses)) + 1
    again = BetaVAETransformer(
        2, lr=0.05, max_epochs=best, noise_variance=0.1, beta=1.0, **settings
    ).fit(table)
    np.testing.assert_array_equal(fitted.transform(table), again.transform(table))


def test_validation_rows_are_those_given(table):
    settings = {"early_stopping": True, "max_epochs": 3, "random_state": 0}
    near = VAETransformer(2, **settings).fit(table, X_val=table[:50])
    far = VAETransformer(2, **settings).fit(table, X_val=table[:50] + 10)
    np.testing.assert_array_equal(near.history_["train_loss"], far.history_["train_loss"])
    assert (far.history_["valid_loss"] > near.history_["valid_loss"]).all()


def test_n_of_the_total_correlation_counts_the_training_rows_alone(table):
    plain = BetaTCVAETransformer(2, max_epochs=1).fit(table)
    assert plain.net_.criterion_.n_samples == 400
    split = BetaTCVAETransformer(2, max_epochs=1, early_stopping=True).fit(table)
    assert split.net_.criterion_.n_samples == 360


class Recorder(Callback):
    """Counts what it is told of."""

    def initialize(self):
        self.calls_ = []
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.calls_.append("train_begin")

    def on_epoch_begin(self, net, **kwargs):
        self.calls_.append("epoch_begin")

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.calls_.append("batch_end")

    def on_epoch_end(self, net, **kwargs):
        self.calls_.append("epoch_end")

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.calls_.append("train_end")


def test_callbacks_hear_of_everything_and_the_users_are_never_changed(table):
    recorder = Recorder()
    fitted = VAETransformer(2, max_epochs=2, batch_size=200, callbacks=[recorder]).fit(table)
    epoch = ["epoch_begin", "batch_end", "batch_end", "epoch_end"]
    assert dict(fitted.net_.callbacks_)["Recorder"].calls_ == [
        "train_begin",
        *epoch,
        *epoch,
        "train_end",
    ]
    assert not hasattr(recorder, "calls_")


def test_a_callback_that_only_listens_changes_nothing(table):
    plain = VAETransformer(2, max_epochs=2, random_state=0).fit(table)
    heard = VAETransformer(2, max_epochs=2, random_state=0, callbacks=[Recorder()]).fit(table)
    np.testing.assert_array_equal(plain.transform(table), heard.transform(table))


def test_lr_scheduler_changes_the_learning_rate(table):
    schedule = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    fitted = VAETransformer(2, max_epochs=3, callbacks=[schedule]).fit(table)
    assert fitted.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(1e-3 / 8)


def test_skorchs_early_stopping_ends_training_normally(table):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=1e9, sink=lambda _: None)
    fitted = VAETransformer(2, max_epochs=20, callbacks=[stop]).fit(table)
    assert fitted.n_iter_ == 2
    assert fitted.transform(table).shape == (400, 2)
    by_validation = EarlyStopping(patience=1, threshold=1e9, sink=lambda _: None)
    fitted = VAETransformer(
        2, max_epochs=20, early_stopping=True, callbacks=[("stop", by_validation)]
    ).fit(table)
    assert fitted.n_iter_ == 2


def test_checkpoint_saves_at_the_best_epochs(table, tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best", f_pickle=None)
    fitted = AutoencoderTransformer(2, max_epochs=3, callbacks=[checkpoint], random_state=0).fit(
        table
    )
    assert (tmp_path / "params.pt").exists()
    assert (tmp_path / "history.json").exists()
    assert fitted.net_.history[-1, "train_loss_best"]
    checkpoint = Checkpoint(dirname=tmp_path / "valid", f_pickle=None)
    AutoencoderTransformer(2, max_epochs=2, early_stopping=True, callbacks=[checkpoint]).fit(table)
    assert (tmp_path / "valid" / "params.pt").exists()


def mean_squared_error_of(net, X, y=None):
    return float(np.mean((net.predict(X) - X) ** 2))


def test_epoch_scoring_sees_reconstructions_of_training_and_validation_rows(table):
    scores = [
        EpochScoring(mean_squared_error_of, name="train_error", on_train=True),
        EpochScoring(mean_squared_error_of, name="valid_error"),
    ]
    fitted = AutoencoderTransformer(
        2, max_epochs=2, early_stopping=True, callbacks=scores, random_state=0
    ).fit(table)
    assert fitted.history_["train_error"].shape == fitted.history_["valid_error"].shape == (2,)
    history = fitted.net_.history
    assert history[-1, "valid_loss_best"]  # so that these are the weights it was scored with
    n_train, n_valid = 360, 40
    errors = n_train * history[-1, "train_error"] + n_valid * history[-1, "valid_error"]
    expected = 400 * fitted.reconstruction_error(table).mean()
    assert errors == pytest.approx(expected, rel=1e-5)


def test_freezer_holds_the_weights_it_names(table):
    fitted = VAETransformer(
        2, max_epochs=3, callbacks=[Freezer("encoder.layers.0.*")], random_state=0
    ).fit(table)
    once = VAETransformer(2, max_epochs=1, lr=1e-30, random_state=0).fit(table)
    for name, weight in fitted.net_.module_.named_parameters():
        same = torch.allclose(weight, once.net_.module_.get_parameter(name), atol=1e-20)
        assert same == name.startswith("encoder.layers.0.")


def test_gradient_norm_clipping_limits_the_step(table):
    settings = {"max_epochs": 1, "batch_size": 400, "optimizer": "sgd", "lr": 1.0}
    start = VAETransformer(2, **{**settings, "lr": 1e-30}, random_state=0).fit(table)
    clipped = VAETransformer(
        2, **settings, callbacks=[GradientNormClipping(1e-3)], random_state=0
    ).fit(table)
    squares = sum(
        (a - b).square().sum().item()
        for a, b in zip(
            start.net_.module_.parameters(), clipped.net_.module_.parameters(), strict=True
        )
    )
    assert math.sqrt(squares) == pytest.approx(1e-3, rel=1e-3)


def test_a_callable_optimizer_gets_the_parameters_and_lr(table):
    optimizer = functools.partial(torch.optim.SGD, momentum=0.9)
    fitted = VAETransformer(2, max_epochs=1, lr=1e-4, optimizer=optimizer).fit(table)
    group = fitted.net_.optimizer_.param_groups[0]
    assert group["momentum"] == 0.9
    assert group["lr"] == 1e-4


def test_adam_is_fused_and_weight_decay_is_passed_on(table):
    fitted = VAETransformer(2, max_epochs=1, weight_decay=0.1, optimizer="adamw").fit(table)
    group = fitted.net_.optimizer_.param_groups[0]
    assert isinstance(fitted.net_.optimizer_, torch.optim.AdamW)
    assert group["fused"]
    assert group["weight_decay"] == 0.1


def test_a_loss_that_is_not_finite_stops_the_fit_and_leaves_nothing(digits):
    vae = VAETransformer(2, lr=1e6, max_epochs=20, random_state=0)
    message = (
        r"^The training loss must stay finite\. Got (nan|inf) in epoch \d+ instead\. "
        r"Use a smaller lr than 1000000\.0, or scale X\.$"
    )
    with pytest.raises(ValueError, match=message):
        vae.fit(digits)
    assert [name for name in vars(vae) if name.endswith("_")] == []


def test_a_validation_loss_that_is_not_finite_stops_the_fit(table):
    X_val = np.vstack([table[:5], np.full((1, 6), 1e25)])
    message = r"^The validation loss must stay finite\. Got (nan|inf) in epoch 1 instead\."
    with pytest.raises(ValueError, match=message):
        VAETransformer(2, early_stopping=True, max_epochs=3).fit(table, X_val=X_val)


@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_a_fit_that_diverges_in_its_last_step_is_refused(Estimator, table):
    estimator = Estimator(2, max_epochs=1, batch_size=4000, lr=1e30, random_state=0)
    message = (
        rf"^The fitted {Estimator.__name__} must be finite\. Got inf or nan after epoch 1 "
        r"instead\. Use a smaller lr than 1e\+30, or scale X\.$"
    )
    with pytest.raises(ValueError, match=message):
        estimator.fit(table)
    assert [name for name in vars(estimator) if name.endswith("_")] == []


def test_fits_run_inside_a_callers_no_grad(table):
    expected = VAETransformer(2, max_epochs=2, random_state=0).fit_transform(table)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            codes = VAETransformer(2, max_epochs=2, random_state=0).fit_transform(table)
        np.testing.assert_array_equal(codes, expected)


class CountingTCVAE(BetaTCVAETransformer):
    """Notes the N of every objective that it makes."""

    def _objective(self, n_samples):
        self.counts.append(n_samples)
        return super()._objective(n_samples)


def test_the_validation_objective_counts_the_validation_rows(table):
    estimator = CountingTCVAE(2, max_epochs=1, early_stopping=True)
    estimator.counts = []
    estimator.fit(table)
    assert estimator.counts == [360, 40]


def test_tol_is_in_nats_per_feature_and_for_the_autoencoder_in_squares(table):
    assert VAETransformer(tol=0.5)._tolerance(6) == 3.0
    assert AutoencoderTransformer(tol=0.5)._tolerance(6) == 0.5


def test_the_validation_fraction_is_shuffled_and_out_of_the_noise_variance(table):
    X = table.copy()
    X[:40] += 100.0  # the first tenth is another population
    X[360:] -= 100.0
    settings = {"early_stopping": True, "max_epochs": 2, "lr": 1e-30}
    held_out = [
        VAETransformer(2, random_state=seed, **settings).fit(X).history_["valid_reconstruction"][0]
        for seed in range(5)
    ]
    whole = VAETransformer(2, max_epochs=1, lr=1e-30, random_state=0).fit(X)
    assert max(held_out) < 2 * whole.history_["reconstruction"][0]
    wild = VAETransformer(2, random_state=0, **settings).fit(table, X_val=table + 1000)
    plain = VAETransformer(2, max_epochs=2, lr=1e-30, random_state=0).fit(table)
    assert wild.noise_variance_ == pytest.approx(plain.noise_variance_, rel=1e-6)


def test_verbose_shows_the_terms_and_zero_is_silent(table, capfd):
    VAETransformer(2, max_epochs=2).fit(table)
    assert capfd.readouterr() == ("", "")
    VAETransformer(2, max_epochs=2, verbose=1).fit(table)
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "2/2" in shown.err
    assert "kl=" in shown.err
    assert "reconstruction=" in shown.err


class Interrupt(Callback):
    """Presses Ctrl-C in the middle of a batch."""

    def on_batch_begin(self, net, **kwargs):
        raise KeyboardInterrupt


def test_ctrl_c_propagates_and_leaves_the_estimator_unfitted(table):
    vae = VAETransformer(2, max_epochs=2).fit(table)
    vae.set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        vae.fit(table)
    assert [name for name in vars(vae) if name.endswith("_")] == []


class SignalAtEpochEnd(Callback):
    """Presses Ctrl-C while an epoch's callbacks run."""

    def on_epoch_end(self, net, **kwargs):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture
def interruptible():
    """Have SIGINT raise, also where the process was started with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_propagates_from_within_a_callback_as_well(interruptible, table):
    with pytest.raises(KeyboardInterrupt):
        VAETransformer(2, max_epochs=2, callbacks=[SignalAtEpochEnd()]).fit(table)


class StopAt(Callback):
    """Ends training as skorch's EarlyStopping does."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_callback_that_stops_leaves_early_stopping_its_best_epoch(epoch, table):
    settings = {"early_stopping": True, "random_state": 0}
    stopped = VAETransformer(2, max_epochs=9, callbacks=[StopAt(epoch)], **settings).fit(table)
    plain = VAETransformer(2, max_epochs=epoch, **settings).fit(table)
    assert stopped.n_iter_ == epoch
    np.testing.assert_array_equal(stopped.transform(table), plain.transform(table))


class EveryOtherEpoch(Callback):
    """Records something in even epochs."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) % 2 == 0:
            net.history.record("even", np.float32(len(net.history)))


def test_what_an_epoch_did_not_record_is_nan_and_survives_a_pickle(table):
    vae = VAETransformer(2, max_epochs=3, callbacks=[EveryOtherEpoch()], warm_start=True)
    vae.fit(table).fit(table)
    expected = [np.nan, 2, np.nan, np.nan, 2, np.nan]
    np.testing.assert_array_equal(vae.history_["even"], expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vae)).history_["even"], expected)


@pytest.mark.parametrize("scoring", ["neg_mean_squared_error", "r2"])
def test_epoch_scoring_by_name_compares_reconstruction_and_row(scoring, table):
    scores = [EpochScoring(scoring, name="score", on_train=True)]
    fitted = VAETransformer(2, max_epochs=1, callbacks=scores, random_state=0).fit(table)
    expected = get_scorer(scoring)._score_func(table, fitted.reconstruct(table))
    sign = get_scorer(scoring)._sign
    assert fitted.history_["score"][0] == pytest.approx(sign * expected, rel=1e-4)


class ThreadCounter(Callback):
    """Records torch's thread count while it trains."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("threads", torch.get_num_threads())


@pytest.mark.usefixtures("two_threads")
def test_a_small_network_trains_on_one_thread_and_no_other_thread_notices(table):
    with ThreadPoolExecutor(1) as pool:
        fitted = VAETransformer(2, max_epochs=2, callbacks=[ThreadCounter()]).fit(table)
        assert pool.submit(torch.get_num_threads).result() == 2
    assert list(fitted.history_["threads"]) == [1, 1]
    assert torch.get_num_threads() == 2


def test_predict_and_forward_of_the_net_give_the_reconstruction(table):
    vae = VAETransformer(2, max_epochs=1, random_state=0).fit(table)
    expected = vae.reconstruct(table.astype(np.float32))
    np.testing.assert_allclose(vae.net_.predict(table), expected, rtol=1e-5)
    np.testing.assert_allclose(vae.net_.forward(table), expected, rtol=1e-5)


# ------------------------------------------------------------------ schedules

FULL_BATCH = {"batch_size": 400, "max_epochs": 6, "random_state": 0}


def test_history_has_the_terms_and_the_loss_their_scheduled_sum(table):
    vae = VAETransformer(2, kl_warmup_epochs=2, kl_cycles=2, **FULL_BATCH).fit(table)
    history, factors = vae.history_, [0, 0.5, 1, 1, 0, 0.5]
    expected = history["reconstruction"] + factors * history["kl"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-6)
    plain = VAETransformer(2, **FULL_BATCH).fit(table)
    assert plain.history_["kl"][0] == history["kl"][0]


def test_the_weights_fall_by_equal_ratios_from_a_start_above_1(table):
    vae = VAETransformer(2, kl_warmup_epochs=4, kl_warmup_start=16.0, **FULL_BATCH).fit(table)
    history = vae.history_
    expected = history["reconstruction"] + np.array([16, 8, 4, 2, 1, 1]) * history["kl"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-6)


def test_codes_open_one_after_another_under_weights_that_fall():
    # Direction k of a linear VAE is open while the weight is below lambda_k over the variance.
    eigenvalues = (48.0, 12.0, 4.0)
    rows = make_linear_gaussian(
        2000, n_features=6, eigenvalues=eigenvalues, noise_variance=1.0, exact=True, random_state=0
    ).data
    schedule = {"kl_warmup_epochs": 200, "kl_warmup_start": 64.0}
    settings = {"noise_variance": 1.0, "hidden_layer_sizes": (), "lr": 0.01, "random_state": 0}
    for epochs, opened in ((8, 0), (60, 1), (115, 2), (200, 3)):
        vae = VAETransformer(3, max_epochs=epochs, **schedule, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the schedule is not over, or nothing open yet
            vae.fit(rows)
        assert sum(value > 64 ** (1 - epochs / 200) for value in eigenvalues) == opened
        assert active_units(vae, rows, threshold=0.1) == opened


def test_a_step_takes_its_share_of_a_warmups_epoch(table):
    # Four batches an epoch, at 0, 1/8, 2/8 and 3/8 of the weight.
    vae = VAETransformer(
        2, kl_warmup_epochs=2, max_epochs=2, batch_size=100, lr=1e-12, random_state=0
    ).fit(table)
    history = vae.history_
    share = (history["train_loss"] - history["reconstruction"]) / history["kl"]
    np.testing.assert_allclose(share, [1.5 / 8, 5.5 / 8], rtol=0.05)


def test_capacity_rises_over_its_epochs(table):
    vae = BetaVAETransformer(2, beta=50.0, capacity=3.0, capacity_epochs=4, **FULL_BATCH)
    history = vae.fit(table).history_
    capacity = 3.0 * np.array([0, 0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(history["kl_off_capacity"], abs(history["kl"] - capacity), rtol=1e-4)
    expected = history["reconstruction"] + 50 * history["kl_off_capacity"]
    np.testing.assert_allclose(history["train_loss"], expected, rtol=1e-5)


def test_a_strong_capacity_is_reached(table):
    vae = BetaVAETransformer(
        3, beta=1000.0, capacity=2.0, capacity_epochs=50, max_epochs=100, lr=1e-2, random_state=0
    ).fit(table)
    assert vae.history_["kl"][-20:].mean() == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("Estimator", [VAETransformer, BetaVAETransformer, BetaTCVAETransformer])
def test_free_bits_are_a_term_of_their_own(Estimator, table):
    vae = Estimator(3, free_bits=1.0, noise_variance=100.0, **FULL_BATCH).fit(table)
    assert (vae.history_["free_bits_kl"] >= vae.history_["kl"]).all()
    assert (vae.history_["free_bits_kl"] >= 3.0 - 1e-6).all()


def test_early_stopping_waits_for_the_schedules_and_watches_full_weights(table):
    patient = {"early_stopping": True, "n_iter_no_change": 1, "tol": 1e6, "random_state": 0}
    plain = VAETransformer(2, **patient).fit(table)
    assert plain.n_iter_ == 2  # the first epoch counts, the second is no better by tol
    warm = VAETransformer(2, kl_warmup_epochs=5, **patient).fit(table)
    assert warm.n_iter_ == 7
    held = BetaVAETransformer(2, capacity=1.0, capacity_epochs=9, **patient).fit(table)
    assert held.n_iter_ == 11
    history = warm.history_
    full = history["valid_reconstruction"] + history["valid_kl"]
    np.testing.assert_allclose(history["valid_loss"], full, rtol=1e-6)


def test_early_stopping_of_a_warm_start_past_the_schedule_counts_at_once(table):
    patient = {"early_stopping": True, "n_iter_no_change": 1, "tol": 1e6, "random_state": 0}
    vae = VAETransformer(2, kl_warmup_epochs=3, warm_start=True, max_epochs=4, **patient)
    assert vae.fit(table).n_iter_ == 4
    # The state it starts from counts, and the first further epoch is no better by tol.
    assert vae.fit(table).n_iter_ == 5
    within = VAETransformer(2, kl_warmup_epochs=6, warm_start=True, max_epochs=2, **patient)
    assert within.fit(table).n_iter_ == 2
    assert within.set_params(max_epochs=20).fit(table).n_iter_ == 8


def test_a_warm_start_goes_on_in_the_schedule(table):
    settings = {"kl_warmup_epochs": 3, "batch_size": 400, "random_state": 0}
    long = VAETransformer(2, max_epochs=4, **settings).fit(table)
    parts = VAETransformer(2, max_epochs=2, warm_start=True, **settings).fit(table).fit(table)
    for name, values in long.history_.items():
        np.testing.assert_array_equal(parts.history_[name], values)


def test_after_training_the_objective_has_its_full_weights(table):
    vae = VAETransformer(2, kl_warmup_epochs=2, max_epochs=2, random_state=0).fit(table)
    assert vae.net_.criterion_.epoch == math.inf


def test_a_schedule_longer_than_the_training_warns(table):
    sentence = (
        "The objective's schedule needs 9 epochs. Got max_epochs=2 instead, so that training ends "
        "before it does. Raise max_epochs, or shorten the schedule."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        VAETransformer(2, kl_warmup_epochs=9, max_epochs=2).fit(table)


@pytest.mark.parametrize(("name", "value"), [("kl_cycles", 3), ("kl_warmup_start", 20.0)])
def test_what_is_of_a_warmup_needs_one(table, name, value):
    sentence = (
        f"{name} is a setting of the warm-up, and needs kl_warmup_epochs >= 1. Got {name}={value} "
        f"with kl_warmup_epochs=0 instead. Set both, or neither."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        VAETransformer(**{name: value}).fit(table)


def test_schedules_that_contradict_are_refused(table):
    sentence = (
        "capacity and free_bits both keep the divergence from falling, and cannot be used "
        "together. Got capacity=2.0 and free_bits=0.5 instead. Set only one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        BetaVAETransformer(capacity=2.0, free_bits=0.5).fit(table)
