import numpy as np
import pytest
from linear_vae import write_optimum
from scipy.stats import multivariate_normal
from sentences import exactly
from sklearn.decomposition import PCA

from skvae import VAETransformer
from skvae.datasets import make_linear_gaussian

OPTIONS = {"n_features": 6, "eigenvalues": (4.0, 2.5, 1.0), "noise_variance": 0.3}
SPECTRUM = [4.0, 2.5, 1.0, 0.3, 0.3, 0.3]
MEAN = np.arange(6.0)


def test_the_covariance_of_the_model_has_the_spectrum():
    made = make_linear_gaussian(**OPTIONS, random_state=0)
    covariance = made.weights @ made.weights.T + made.noise_variance * np.eye(6)
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance)[::-1], SPECTRUM)
    np.testing.assert_array_equal(made.eigenvalues, SPECTRUM)
    scales = made.weights.T @ made.weights
    np.testing.assert_allclose(scales, np.diag([3.7, 2.2, 0.7]), atol=1e-12)


@pytest.mark.parametrize("n_samples", [10, 11, 500])
def test_exact_rows_have_the_mean_and_the_covariance_themselves(n_samples):
    made = make_linear_gaussian(n_samples, **OPTIONS, mean=MEAN, exact=True, random_state=0)
    np.testing.assert_allclose(made.data.mean(axis=0), MEAN, atol=1e-12)
    np.testing.assert_array_equal(made.mean, MEAN)
    covariance = np.cov(made.data, rowvar=False, ddof=0)
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance)[::-1], SPECTRUM)
    expected = made.weights @ made.weights.T + 0.3 * np.eye(6)
    np.testing.assert_allclose(covariance, expected, atol=1e-12)
    np.testing.assert_allclose(made.latents.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(made.latents.T @ made.latents / n_samples, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("exact", [False, True])
def test_rows_are_the_latents_images_and_noise(exact):
    made = make_linear_gaussian(4000, **OPTIONS, mean=MEAN, exact=exact, random_state=0)
    noise = made.data - made.latents @ made.weights.T - made.mean
    atol = 1e-12 if exact else 0.05
    np.testing.assert_allclose(noise.T @ noise / 4000, 0.3 * np.eye(6), atol=atol)
    np.testing.assert_allclose(noise.T @ made.latents / 4000, 0, atol=atol)


def test_the_likelihood_is_that_of_probabilistic_pca():
    made = make_linear_gaussian(300, **OPTIONS, exact=True, random_state=0)
    covariance = made.weights @ made.weights.T + 0.3 * np.eye(6)
    density = multivariate_normal(made.mean, covariance).logpdf(made.data)
    assert density.mean() == pytest.approx(made.log_likelihood, abs=1e-12)
    # scikit-learn's PCA divides by n - 1.
    correction = 0.5 * (6 * np.log(300 / 299) - 6 / 300)
    assert PCA(3).fit(made.data).score(made.data) == pytest.approx(made.log_likelihood - correction)


def test_the_bound_is_the_likelihood_at_the_posterior_of_the_docstring():
    made = make_linear_gaussian(300, **OPTIONS, exact=True, random_state=0)
    leading, noise = made.eigenvalues[:3], made.noise_variance
    means = (made.data - made.mean) @ made.weights / leading
    variances = noise / leading
    kl = 0.5 * (means**2 + variances - np.log(variances) - 1).sum(axis=1).mean()
    assert kl == pytest.approx(made.kl, abs=1e-12)
    residuals = ((made.data - made.mean - means @ made.weights.T) ** 2).sum(axis=1).mean()
    spread = (variances * (made.weights**2).sum(axis=0)).sum()
    reconstruction = -0.5 * (6 * np.log(2 * np.pi * noise) + (residuals + spread) / noise)
    assert reconstruction - kl == pytest.approx(made.log_likelihood, abs=1e-12)


def test_the_greatest_bound_is_the_score_of_the_linear_vae_at_its_optimum():
    made = make_linear_gaussian(300, **OPTIONS, mean=MEAN, exact=True, random_state=0)
    vae = VAETransformer(3, hidden_layer_sizes=(), max_epochs=1, random_state=0).fit(made.data)
    write_optimum(vae, made.data, 3)
    assert vae.score(made.data) == pytest.approx(made.log_likelihood, abs=1e-10)


def test_rows_that_are_not_exact_are_independent_draws():
    made = make_linear_gaussian(20_000, **OPTIONS, mean=MEAN, random_state=0)
    np.testing.assert_allclose(made.data.mean(axis=0), MEAN, atol=0.06)
    covariance = np.cov(made.data, rowvar=False)
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance)[::-1], SPECTRUM, rtol=0.04)
    fewer = make_linear_gaussian(100, **OPTIONS, mean=MEAN, random_state=0)
    np.testing.assert_allclose(made.data[:100], fewer.data)


def test_directions_are_drawn_uniformly():
    firsts = np.array(
        [
            make_linear_gaussian(1, n_features=3, eigenvalues=(2.0,), random_state=seed).weights
            for seed in range(500)
        ]
    )[..., 0]
    np.testing.assert_allclose(firsts.T @ firsts / 500, 0.5 * np.eye(3), atol=0.06)
    np.testing.assert_allclose(firsts.mean(axis=0), 0, atol=0.1)


def test_an_int_fixes_everything_and_extremes_work():
    made = make_linear_gaussian(random_state=1)
    assert made.data.shape == (100, 10)
    np.testing.assert_array_equal(made.data, make_linear_gaussian(random_state=1).data)
    white = make_linear_gaussian(
        20, n_features=4, eigenvalues=[0.5] * 4, exact=True, mean=2, random_state=0
    )
    assert white.kl == 0
    np.testing.assert_array_equal(white.weights, 0)
    np.testing.assert_allclose(np.cov(white.data.T, ddof=0), 0.5 * np.eye(4), atol=1e-12)


def eigenvalues_text(value):
    return (
        "make_linear_gaussian needs eigenvalues to be at most n_features = 3 numbers in descending "
        f"order, none less than noise_variance = 0.5. Got {value!r} instead. Give such numbers, as "
        "in eigenvalues=(0.5,)."
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        *(
            (
                {name: 0},
                f"make_linear_gaussian needs {name} to be an integer of 1 or more. Got 0 instead. "
                f"Give one, as in {name}=1.",
            )
            for name in ("n_samples", "n_features")
        ),
        *(
            (
                {"noise_variance": value},
                f"make_linear_gaussian needs noise_variance to be a number in (0, inf). Got "
                f"{value!r} instead. Give one in that range.",
            )
            for value in (0.0, -1, np.nan, np.inf, None)
        ),
        *(
            ({"n_features": 3, "eigenvalues": value}, eigenvalues_text(value))
            for value in ((), 1.0, (4.0, 3.0, 2.0, 1.0), (1.0, 2.0), (1.0, 0.4), (np.inf,), ("a",))
        ),
        *(
            (
                {"n_features": 3, "mean": value},
                f"make_linear_gaussian needs mean to be a number or n_features = 3 numbers. Got "
                f"{value!r} instead. Give one for each column, or one for all.",
            )
            for value in ((1.0, 2.0), np.nan, None)
        ),
        (
            {"n_samples": 13, "exact": True},
            "make_linear_gaussian needs more than 13 n_samples, the number of features and of "
            "eigenvalues, for exact=True. Got 13 instead. Draw more, or set exact=False.",
        ),
    ],
)
def test_what_is_out_of_range_is_named(options, text):
    with pytest.raises(ValueError, match=exactly(text)):
        make_linear_gaussian(**options)
