import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from torch import nn

from skvae import AutoencoderTransformer, VAETransformer
from skvae.base.interpolation import PATHS
from skvae.training import threads


@pytest.fixture(scope="module")
def vae(table):
    return VAETransformer(3, max_epochs=5, random_state=0).fit(table)


@pytest.mark.parametrize("path", ["line", "sphere"])
@pytest.mark.parametrize("Estimator", [AutoencoderTransformer, VAETransformer])
def test_interpolation_goes_from_one_reconstruction_to_the_other(Estimator, path, table):
    fitted = Estimator(3, max_epochs=5, random_state=0).fit(table)
    rows = fitted.interpolate(table[0], table[7], 5, path=path)
    assert rows.shape == (5, 6)
    np.testing.assert_allclose(rows[[0, -1]], fitted.reconstruct(table[[0, 7]]), rtol=1e-10)


def test_a_line_passes_through_the_mean_of_two_codes(vae, table):
    middle = vae.interpolate(table[0], table[7], 3)[1:2]
    expected = vae.inverse_transform(vae.transform(table[[0, 7]]).mean(0, keepdims=True))
    np.testing.assert_allclose(middle, expected, rtol=1e-10)


def test_rows_to_interpolate_may_be_named(table):
    frame = pd.DataFrame(table, columns=list("abcdef"))
    fitted = VAETransformer(2, max_epochs=2, random_state=0).fit(frame)
    fitted.set_output(transform="pandas")
    by_series = fitted.interpolate(frame.iloc[0], frame.iloc[7], 4)
    by_frame = fitted.interpolate(frame.iloc[:1], frame.iloc[7:8], 4)
    np.testing.assert_array_equal(by_series, by_frame)


def test_interpolation_refuses_what_it_cannot_do(vae, table):
    with pytest.raises(ValueError, match="The 'path' parameter of interpolate must be a str among"):
        vae.interpolate(table[0], table[1], path="arc")
    with pytest.raises(ValueError, match="The 'n' parameter of interpolate must be an int"):
        vae.interpolate(table[0], table[1], 1)
    sentence = "^x0 and x1 must be one row each. Got 2 rows instead. Give one at a time.$"
    with pytest.raises(ValueError, match=sentence):
        vae.interpolate(table[:2], table[1])


def test_a_density_that_takes_a_seed_gets_it(vae, table):
    density = KernelDensity(bandwidth=0.3).fit(vae.transform(table))
    one, two = (vae.sample(4, latent=density, random_state=0) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one != vae.sample(4, latent=density, random_state=1)).all()


@pytest.mark.parametrize("noise", [False, True])
def test_the_order_of_a_mixtures_draws_is_seeded(vae, noise, table):
    mixture = GaussianMixture(2, random_state=0).fit(vae.transform(table))
    options = {"latent": mixture, "observation_noise": noise}
    one, two = (vae.sample(40, random_state=0, **options) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, vae.sample(40, random_state=1, **options))


def test_the_first_draws_of_a_mixture_are_a_random_choice(vae, table):
    mixture = GaussianMixture(2, random_state=0).fit(vae.transform(table))
    codes, component = mixture.sample(40)
    rows = vae.sample(40, latent=mixture, random_state=0)
    distance = np.linalg.norm(rows[:, None] - vae.inverse_transform(codes), axis=2)
    order = distance.argmin(axis=1)
    assert sorted(order) == list(range(40))
    assert set(component[order[:10]]) == set(component[order[-10:]]) == {0, 1}


def test_a_density_that_draws_another_number_is_refused(vae):
    class Generous:
        def sample(self, n_samples):
            return np.zeros((n_samples + 2, 3))

    with pytest.raises(ValueError, match=r"^latent.sample\(n\) must return n codes. Got 5 for n=3"):
        vae.sample(3, latent=Generous())


@pytest.mark.parametrize(("dtype", "expected"), [(np.float32, np.float32), (np.uint8, np.float32)])
def test_interpolation_keeps_the_dtype(vae, dtype, expected, table):
    rows = np.abs(table[:2]).astype(dtype)
    for path in PATHS:
        assert vae.interpolate(rows[0], rows[1], 3, path=path).dtype == expected


def test_interpolation_needs_a_fitted_estimator(table):
    with pytest.raises(NotFittedError):
        VAETransformer().interpolate(table[0], table[1])


def test_images_that_are_not_rows_are_told_how_to_become_rows():
    sentence = (
        "X must be flat, (n_samples, n_features). Got shape (5, 8, 9, 3) instead. Use "
        "np.reshape(X, (len(X), -1)), with image_shape=(8, 9, 3) for convolutions."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        VAETransformer().fit(np.zeros((5, 8, 9, 3)))
    with pytest.raises(ValueError, match=r"with image_shape=\(8, 9, 1\) for convolutions.$"):
        VAETransformer().fit(np.zeros((5, 8, 9)))
    with pytest.raises(ValueError, match=r"with image_shape=\(8, 9, 3\) for convolutions.$"):
        VAETransformer().fit([np.zeros((8, 9, 3))] * 5)
    moved = r"Use np.moveaxis\(X, 1, 3\).reshape\(len\(X\), -1\), with image_shape=\(8, 9, 3\)"
    with pytest.raises(ValueError, match=moved):
        VAETransformer().fit(np.zeros((5, 3, 8, 9)))


def test_sparse_rows_are_interpolated_too(vae, table):
    rows = csr_array(table)
    np.testing.assert_array_equal(
        vae.interpolate(rows[[0]], rows[[7]], 3), vae.interpolate(table[0], table[7], 3)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_are_decoded_in_the_dtype_of_the_model(dtype, table):
    fitted = VAETransformer(3, max_epochs=2, random_state=0).fit(table.astype(dtype))
    codes = np.random.RandomState(0).standard_normal((7, 3))
    rows = fitted.sample(7, random_state=0)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, fitted.inverse_transform(codes.astype(dtype)))
    np.testing.assert_allclose(rows, fitted.inverse_transform(codes), rtol=1e-5)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli", "continuous-bernoulli"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_seed_draws_the_same_rows_whatever_the_dtype(dtype, likelihood, digits, monkeypatch):
    X = digits[:200, 20:30]
    options = {"likelihood": likelihood, "max_epochs": 2, "random_state": 0}
    fitted = VAETransformer(3, **options).fit(X.astype(dtype))
    rng = np.random.RandomState(4)
    codes = rng.standard_normal((11, 3))
    generator = torch.Generator().manual_seed(rng.randint(2**31 - 1))
    with torch.no_grad():
        likelihoods = [
            fitted._modules_[np.dtype(np.float64)].decode(torch.from_numpy(codes[some]))
            for some in (slice(0, 8), slice(8, 11))
        ]
    expected = torch.cat([each.draw(generator) for each in likelihoods])
    monkeypatch.setattr("skvae.base.probabilities.DRAWN_ENTRIES", 8 * 256)
    rows = fitted.sample(11, random_state=4, observation_noise=True)
    assert rows.dtype == dtype
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-5)


class Watched(nn.Module):
    """A linear encoder that notes torch's threads, and fails when told to."""

    threads, error = [], None

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.linear = nn.Linear(n_inputs, n_outputs)

    def forward(self, x):
        self.threads.append(torch.get_num_threads())
        if Watched.error is not None:
            raise Watched.error
        return self.linear(x)


@pytest.mark.usefixtures("two_threads")
def test_the_verbs_hold_torch_at_one_thread_where_two_do_not_pay(table, monkeypatch):
    fitted = VAETransformer(3, encoder=Watched, max_epochs=1, random_state=0).fit(table)
    n_weights = fitted.net_.module_.n_weights

    def threads_of(verb, rows):
        Watched.threads.clear()
        getattr(fitted, verb)(rows)
        assert torch.get_num_threads() == 2
        return set(Watched.threads)

    for verb in ("transform", "score_samples", "elbo_terms", "log_likelihood"):
        # One pass of one row is not parted, and over before a thread would be held.
        assert threads_of(verb, table[:1]) == {2 if verb == "transform" else 1}
        assert threads_of(verb, table[:50]) == {1}
        with monkeypatch.context() as patched:
            patched.setattr(threads, "SMALL_STEP", 50 * n_weights)
            assert threads_of(verb, table[:50]) == {2}  # enough for two
            patched.setattr("skvae.training.batches.CHUNK_BYTES", 8 * 256 * 49)
            assert threads_of(verb, table) == {1}  # in pieces that are not


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.usefixtures("two_threads")
def test_threads_come_back_after_an_error(error, table, monkeypatch):
    fitted = VAETransformer(3, encoder=Watched, max_epochs=1, random_state=0).fit(table)
    monkeypatch.setattr(Watched, "error", error)
    with pytest.raises(error):
        fitted.transform(table)
    assert Watched.threads[-1] == 1
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_features", [6, 64])
def test_a_row_scores_as_it_does_among_many(n_features, dtype, digits, table):
    X = np.tile(table if n_features == 6 else digits[:400], (6, 1)).astype(dtype)
    # At 64 columns, two hidden units and many rows the residuals have fewer columns.
    fitted = VAETransformer(3, hidden_layer_sizes=(2,), max_epochs=5, random_state=0).fit(X)
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    for verb in ("transform", "reconstruct", "score_samples"):
        whole = getattr(fitted, verb)(X)
        for place in (0, 77, 2399):
            one = getattr(fitted, verb)(X[[place]])
            np.testing.assert_allclose(one[0], whole[place], rtol=rtol, atol=rtol)
