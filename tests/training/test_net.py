"""The net that a fit leaves: trained as by a plain loop of torch, with a history of every term."""

import functools
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from skorch.callbacks import Callback

from skvae import AutoencoderTransformer, BetaTCVAETransformer, BetaVAETransformer, VAETransformer


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


def test_n_of_the_total_correlation_counts_the_training_rows_alone(table):
    plain = BetaTCVAETransformer(2, max_epochs=1).fit(table)
    assert plain.net_.criterion_.n_samples == 400
    split = BetaTCVAETransformer(2, max_epochs=1, early_stopping=True).fit(table)
    assert split.net_.criterion_.n_samples == 360


def test_fits_run_inside_a_callers_no_grad(table):
    expected = VAETransformer(2, max_epochs=2, random_state=0).fit_transform(table)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            codes = VAETransformer(2, max_epochs=2, random_state=0).fit_transform(table)
        np.testing.assert_array_equal(codes, expected)


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
