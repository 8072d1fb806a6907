import numpy as np
import pytest
from pictures import fitted, optimum, pixels, texts

from skvae import VAETransformer
from skvae.metrics import latent_summary
from skvae.plotting import LatentSummaryDisplay

SUMMARY = {
    "kl": np.array([0.5, 0.0, 2.0]),
    "mean_variance": np.array([0.3, 0.001, 0.9]),
    "posterior_variance": np.array([0.7, 1.0, 0.1]),
    "active": np.array([True, False, True]),
}


def heights(bars):
    return [bar.get_height() for bar in bars]


@pytest.mark.parametrize("sort", [True, False])
def test_bars_are_the_numbers_of_the_summary(sort):
    order = [2, 0, 1] if sort else [0, 1, 2]
    upper, lower = LatentSummaryDisplay(SUMMARY).plot(sort=sort).axes_
    np.testing.assert_array_equal(heights(upper.patches), SUMMARY["kl"][order])
    means, posteriors = lower.containers
    np.testing.assert_array_equal(heights(means), SUMMARY["mean_variance"][order])
    np.testing.assert_allclose(heights(posteriors), SUMMARY["posterior_variance"][order])
    np.testing.assert_array_equal([bar.get_y() for bar in posteriors], heights(means))
    assert texts(lower.get_xticklabels()) == [f"$z_{{{dimension}}}$" for dimension in order]


def test_collapsed_dimensions_are_pale():
    upper, _ = LatentSummaryDisplay(SUMMARY).plot().axes_
    assert [bar.get_alpha() for bar in upper.patches] == [1.0, 1.0, 0.35]
    assert upper.get_title() == "2 of 3 dimensions active"


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
def test_of_an_estimator_it_is_its_summary(container):
    X = pixels()
    vae = fitted(VAETransformer, X)
    kl = latent_summary(vae, X)["kl"]
    display = LatentSummaryDisplay.from_estimator(vae.set_output(transform=container), X)
    np.testing.assert_array_equal(heights(display.axes_[0].patches), np.sort(kl)[::-1])


def test_a_linear_vae_at_its_optimum_fills_the_prior():
    X = pixels()
    lower = LatentSummaryDisplay.from_estimator(optimum(X), X).axes_[1]
    tops = [bar.get_y() + bar.get_height() for bar in lower.containers[1]]
    np.testing.assert_allclose(tops, 1, rtol=1e-10)
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), [1, 1])
