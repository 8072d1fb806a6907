"""Samples: whose seed they follow, and which codes they decode."""

import numpy as np
import pytest
from sentences import exactly
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from small_transformers import every_estimator, small

from skvae import VAETransformer


@every_estimator
def test_an_int_repeats_a_sample_and_none_draws_afresh(Estimator, table):
    fitted = small(Estimator).fit(table)
    np.testing.assert_array_equal(
        fitted.sample(4, random_state=3), fitted.sample(4, random_state=3)
    )
    assert not np.array_equal(fitted.sample(4), fitted.sample(4))


@every_estimator
def test_standard_normal_samples_decode_the_prior(Estimator, table):
    fitted = small(Estimator).fit(table)
    codes = np.random.RandomState(1).standard_normal((5, 2))
    drawn = fitted.sample(5, random_state=1, latent="standard-normal")
    np.testing.assert_array_equal(drawn, fitted.inverse_transform(codes))


@every_estimator
def test_any_density_with_a_sample_method_gives_the_codes(Estimator, table):
    fitted = small(Estimator).fit(table)
    codes = fitted.transform(table)
    mixture = GaussianMixture(2, random_state=0).fit(codes)
    expected = fitted.inverse_transform(mixture.sample(5)[0])
    drawn = fitted.sample(5, latent=mixture)
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0), rtol=1e-6)
    assert fitted.sample(5, latent=KernelDensity().fit(codes)).shape == (5, 6)


def test_sample_refuses_what_is_no_density(table):
    fitted = small(VAETransformer).fit(table)
    sentence = "latent must be None, 'standard-normal' or a density with a sample method. "
    with pytest.raises(ValueError, match=exactly(sentence + "Got 'normal' instead.")):
        fitted.sample(latent="normal")
    sentence = (
        "The codes passed to VAETransformer.sample must have n_components=2 columns. Got 3 instead."
    )
    with pytest.raises(ValueError, match=exactly(sentence)):
        fitted.sample(latent=GaussianMixture(1).fit(table[:, :3]))
    with pytest.raises(ValueError, match="The 'n_samples' parameter of sample must be an int"):
        fitted.sample(0)
