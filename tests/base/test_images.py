"""Estimators of images: rows that ``image_shape`` says how to read."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skvae import (
    AutoencoderTransformer,
    BetaTCVAETransformer,
    BetaVAETransformer,
    VAETransformer,
)
from skvae.nn.architectures import ARCHITECTURES
from skvae.nn.convolutions import ConvolutionalDecoder, ConvolutionalEncoder

every_kind = pytest.mark.parametrize(
    "Estimator",
    [AutoencoderTransformer, VAETransformer, BetaVAETransformer, BetaTCVAETransformer],
)
every_network = pytest.mark.parametrize("architecture", ARCHITECTURES)


@pytest.fixture(scope="module")
def pixels():
    """Squares at random places, (90, 10 * 9 * 2) of one byte."""
    rng = np.random.RandomState(0)
    images = np.zeros((90, 10, 9, 2), np.uint8)
    for image, top, left in zip(
        images, rng.randint(6, size=90), rng.randint(5, size=90), strict=True
    ):
        image[top : top + 4, left : left + 4] = 255, 100
    return images.reshape(90, -1)


def make(Estimator, architecture="residual", **parameters):
    settings = {"max_epochs": 3, "batch_size": 32, "input_scale": 1 / 255, "random_state": 0}
    return Estimator(
        2, image_shape=(10, 9, 2), architecture=architecture, **{**settings, **parameters}
    )


@every_kind
@every_network
def test_every_verb_works_on_rows_of_pixels(Estimator, architecture, pixels):
    fitted = make(Estimator, architecture).fit(pixels)
    assert isinstance(fitted.net_.module_.encoder, ConvolutionalEncoder)
    assert isinstance(fitted.net_.module_.decoder, ConvolutionalDecoder)
    codes = fitted.transform(pixels)
    assert codes.shape == (90, 2)
    assert codes.dtype == np.float32
    np.testing.assert_allclose(
        fitted.inverse_transform(codes), fitted.reconstruct(pixels), rtol=1e-4, atol=1e-3
    )
    assert fitted.sample(3, random_state=0).shape == (3, 180)
    assert np.isfinite(fitted.score_samples(pixels)).all()
    assert fitted.reconstruct(pixels).mean() == pytest.approx(pixels.mean(), rel=0.5)


@every_network
def test_a_row_of_pixels_does_not_depend_on_its_neighbours(architecture, pixels, monkeypatch):
    vae = make(VAETransformer, architecture).fit(pixels)
    X = pixels.astype(np.float64)
    whole = vae.transform(X)
    np.testing.assert_allclose(vae.transform(X[[7]]), whole[[7]], rtol=1e-9)
    monkeypatch.setattr("skvae.training.batches.CHUNK_BYTES", 8 * 4000)
    np.testing.assert_allclose(vae.transform(X), whole, rtol=1e-9)


@every_network
def test_an_int_repeats_a_fit_and_a_pickle_its_results(architecture, pixels):
    vae = make(VAETransformer, architecture).fit(pixels)
    torch.manual_seed(123)
    again = clone(vae).fit(pixels)
    np.testing.assert_array_equal(vae.transform(pixels), again.transform(pixels))
    copy = pickle.loads(pickle.dumps(vae))
    np.testing.assert_array_equal(vae.transform(pixels), copy.transform(pixels))


def test_every_posterior_of_images_starts_at_one_width(pixels):
    vae = make(VAETransformer, max_epochs=1, lr=1e-12).fit(pixels)
    np.testing.assert_allclose(vae.posterior(pixels)[1], np.exp(-1), rtol=1e-5)


def test_partial_fits_of_the_papers_network_are_a_fit(pixels):
    parts = make(AutoencoderTransformer, "paper")
    for _ in range(3):
        parts.partial_fit(pixels)
    whole = make(AutoencoderTransformer, "paper").fit(pixels)
    np.testing.assert_array_equal(parts.transform(pixels), whole.transform(pixels))


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli"])
def test_pixels_have_likelihoods_of_the_unit_interval(likelihood, pixels):
    vae = make(VAETransformer, likelihood=likelihood).fit(pixels)
    decoded = vae.reconstruct(pixels)
    assert 0 <= decoded.min() <= decoded.max() <= 255


def test_images_go_through_a_pipeline(pixels):
    pipe = make_pipeline(MinMaxScaler(), make(VAETransformer, input_scale=1.0)).fit(pixels)
    assert pipe.transform(pixels).shape == (90, 2)
    assert pipe.inverse_transform(pipe.transform(pixels)).shape == pixels.shape


def test_the_papers_network_needs_batches_of_two(pixels):
    with pytest.raises(ValueError, match=r"^Batch normalisation .* needs batch_size >= 2"):
        make(VAETransformer, "paper", batch_size=1).fit(pixels)
    make(VAETransformer, "paper", batch_size=89, max_epochs=1).fit(pixels)  # one row is left over


def test_a_warm_start_keeps_the_image_shape(pixels):
    vae = make(VAETransformer, warm_start=True).fit(pixels)
    vae.set_params(image_shape=(9, 10, 2))
    with pytest.raises(ValueError, match=r"^Further training needs image_shape=\(10, 9, 2\)"):
        vae.fit(pixels)


@pytest.mark.parametrize(
    ("image_shape", "sentence"),
    [
        (
            (10, 9),
            "image_shape must be (height, width, channels), integers of at least 1. Got (10, 9) "
            "instead. Give all three.",
        ),
        (
            (10, 9, 1),
            "image_shape=(10, 9, 1) needs X with 90 columns. Got 180 instead. Give the shape of "
            "the images that the rows of X are.",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused(image_shape, sentence, pixels):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(VAETransformer).set_params(image_shape=image_shape).fit(pixels)
