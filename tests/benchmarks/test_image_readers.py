"""What a perceptron reads off codes, and what a linear model reads off pixels."""

from dataclasses import replace

import numpy as np
import pytest
from _image_readers import linear_auc_of_pixels, perceptron_auc
from _paper_factors import features_of
from _paper_probes import probe_features
from made_up_images import images_of


@pytest.fixture(scope="module")
def images():
    """Images of heads, of which a quarter is bald: the first of two pixels is black."""
    rng = np.random.default_rng(0)
    return images_of(rng.integers(0, 4, (1_000, 2)), rng.integers(0, 4, (500, 2)))


def crossed(factors, rng):
    """Return two codes of which each alone says nothing: their signs differ for bald heads."""
    sign = rng.choice([-1, 1], len(factors))
    other = np.where(factors[:, 0] == 0, -sign, sign)
    return np.column_stack([sign, other]) + rng.normal(0, 0.2, (len(factors), 2))


def test_a_perceptron_reads_what_no_linear_model_does(images):
    rng = np.random.default_rng(1)
    codes = [crossed(factors, rng) for factors in (images.factors_train, images.factors_test)]
    features = features_of(images)
    assert probe_features(*codes, images, features)["baldness"] == pytest.approx(0.5, abs=0.1)
    assert perceptron_auc(*codes, images, features)["baldness"] > 0.95


def test_a_perceptron_reads_nothing_off_noise(images):
    rng = np.random.default_rng(2)
    codes = [rng.normal(size=(len(part), 2)) for part in (images.train, images.test)]
    auc = perceptron_auc(*codes, images, features_of(images))
    assert auc["baldness"] == pytest.approx(0.5, abs=0.1)


def test_a_linear_model_reads_the_pixel_of_the_feature(images):
    features = features_of(images)
    assert linear_auc_of_pixels(images, features) == {"baldness": 1.0}
    other_heads = replace(images, test=images.test[::-1])
    assert linear_auc_of_pixels(other_heads, features)["baldness"] == pytest.approx(0.5, abs=0.1)


def test_images_without_features_have_no_readings(images):
    assert perceptron_auc(images.train, images.test, images, {}) == {}
    assert linear_auc_of_pixels(images, {}) == {}
