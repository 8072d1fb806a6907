import numpy as np
import pandas as pd
import pytest
from pictures import COLOUR, GREY, cells, fitted, flowers, optimum, pixels, texts
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.metrics import latent_summary, mutual_information_gap
from skvae.plotting import LatentTraversalDisplay

X = pixels()


@pytest.fixture(scope="module")
def shuffled():
    """A linear VAE at its optimum, whose second dimension is the most informative."""
    vae = optimum(X)
    order = [2, 0, 1]
    network = vae._modules_[np.dtype(np.float64)]
    encoder, decoder = network.encoder.layers[0], network.decoder.output
    encoder.weight.data[:3] = encoder.weight.data[:3][order]
    encoder.bias.data[3:] = encoder.bias.data[3:][order]
    decoder.weight.data[:] = decoder.weight.data[:, order]
    return vae


def draw(estimator, **settings):
    return LatentTraversalDisplay.from_estimator(
        estimator, X, **{"image_shape": GREY, "n_steps": 5, **settings}
    )


def test_rows_are_the_dimensions_by_divergence(shuffled):
    display = draw(shuffled)
    kl = latent_summary(shuffled, X)["kl"]
    np.testing.assert_array_equal(display.dimensions, [1, 2, 0])
    np.testing.assert_array_equal(display.informativeness, kl[[1, 2, 0]])
    assert display.measure == "KL"
    labels = texts(display.axes_[0].get_yticklabels())
    assert [label.split("\n")[0] for label in labels] == [
        f"$z_{{{dimension}}}$   KL {kl[dimension]:.2f}" for dimension in (1, 2, 0)
    ]


@pytest.mark.parametrize("shape", [GREY, COLOUR])
@pytest.mark.parametrize("x", [None, X[7]])
def test_every_image_is_decoded_from_its_code(shuffled, x, shape):
    display = draw(shuffled, x=x, image_shape=shape)
    draws = shuffled.sample_posterior(X, random_state=0)
    shown = cells(display.axes_[0], 3, 5, shape)
    for row, dimension in enumerate([1, 2, 0]):
        low, high = np.quantile(draws[:, dimension], [0.01, 0.99])
        codes = np.zeros((5, 3)) if x is None else np.repeat(shuffled.transform(x[None]), 5, axis=0)
        codes[:, dimension] = np.linspace(low, high, 5)
        np.testing.assert_array_equal(display.codes[row], codes)
        decoded = shuffled.inverse_transform(codes).reshape(5, *shape)
        expected = decoded if shape == GREY else decoded.clip(0, 1)
        np.testing.assert_allclose(shown[row], expected, rtol=0, atol=1e-12)
        label = texts(display.axes_[0].get_yticklabels())[row]
        assert label.endswith(f"\n[{low:.1f}, {high:.1f}]")


def test_the_prior_has_its_own_quantiles(shuffled):
    display = draw(shuffled, spread="prior", quantiles=(0.1, 0.9), n_dimensions=2)
    assert display.rows.shape == (2, 5, 12)
    for codes, dimension in zip(display.codes, display.dimensions, strict=True):
        np.testing.assert_allclose(
            codes[[0, 2, 4], dimension], norm.ppf([0.1, 0.5, 0.9]), atol=1e-15
        )


def test_models_without_a_posterior_go_by_the_variance_around_the_mean_code():
    autoencoder = fitted(AutoencoderTransformer, X)
    display = draw(autoencoder)
    codes = autoencoder.transform(X)
    order = np.argsort(-codes.var(axis=0))
    np.testing.assert_array_equal(display.dimensions, order)
    for place, dimension in enumerate(order):
        others = np.delete(np.arange(3), dimension)
        expected = np.tile(codes.mean(axis=0)[others], (5, 1))
        np.testing.assert_array_equal(display.codes[place][:, others], expected)
        ends = display.codes[place][[0, -1], dimension]
        np.testing.assert_array_equal(ends, np.quantile(codes[:, dimension], [0.01, 0.99]))
    assert texts(display.axes_[0].get_yticklabels())[0].split("   ")[1].startswith("var. ")


def test_a_pca_of_scaled_images_is_shown_in_their_units():
    pipe = make_pipeline(StandardScaler(), PCA(2)).fit(X)
    display = draw(pipe, x=X[3])
    codes = display.codes.reshape(-1, 2)
    np.testing.assert_allclose(display.rows.reshape(-1, 12), pipe.inverse_transform(codes))
    still = pipe.transform(X[3:4])[0]
    np.testing.assert_array_equal(display.codes[0, :, 1], np.full(5, still[1]))
    assert display.form.value_range == (0, 1)


def test_the_estimator_knows_the_shape_of_its_images():
    rng = np.random.RandomState(0)
    images = rng.randint(256, size=(20, 64)).astype(np.uint8)
    vae = VAETransformer(
        2, image_shape=(8, 8, 1), input_scale=1 / 255, max_epochs=1, random_state=0
    )
    display = LatentTraversalDisplay.from_estimator(vae.fit(images), images, n_steps=3)
    decoded = vae.inverse_transform(display.codes.reshape(-1, 2)).reshape(2, 3, 8, 8, 1)
    np.testing.assert_array_equal(cells(display.axes_[0], 2, 3, (8, 8, 1)), decoded)
    assert display.axes_[0].images[0].get_clim() == (0, 255)


def test_tables_have_a_panel_for_each_dimension_and_a_line_for_each_step():
    table, _ = flowers()
    vae = make_pipeline(StandardScaler(), VAETransformer(2, max_epochs=1, random_state=0)).fit(
        table
    )
    display = LatentTraversalDisplay.from_estimator(vae, table, n_steps=3)
    assert len(display.axes_) == 2
    mean, std = table.to_numpy().mean(axis=0), table.to_numpy().std(axis=0)
    for axes, codes, dimension in zip(
        display.axes_, display.codes, display.dimensions, strict=True
    ):
        rows = vae[:-1].inverse_transform(vae[-1].inverse_transform(codes))
        lines = [line.get_ydata() for line in axes.lines]
        np.testing.assert_allclose(lines, (rows - mean) / std, atol=1e-12)
        assert axes.get_title(loc="left").startswith(f"$z_{{{dimension}}}$   KL ")
    assert texts(display.axes_[-1].get_xticklabels()) == list(table.columns)
    raw = LatentTraversalDisplay.from_estimator(vae, table, n_steps=3, standardize=False)
    np.testing.assert_array_equal(raw.axes_[0].lines[0].get_ydata(), raw.rows[0, 0])


@pytest.mark.parametrize("quantiles", [(0.0, 1.0), (0.9, 0.1), (0.1, 0.5, 0.9)])
def test_what_are_no_two_quantiles_is_one_sentence(shuffled, quantiles):
    with pytest.raises(ValueError, match="quantiles") as raised:
        draw(shuffled, quantiles=quantiles)
    assert str(raised.value) == (
        f"quantiles must be two probabilities, 0 < low < high < 1. Got {quantiles} instead. Use "
        f"(0.01, 0.99)."
    )


@pytest.mark.parametrize("settings", [{"n_steps": 1}, {"n_dimensions": 0}, {"spread": "code"}])
def test_arguments_are_checked(shuffled, settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of"):
        draw(shuffled, **settings)


def test_images_of_another_shape_are_one_sentence(shuffled):
    with pytest.raises(ValueError, match="image_shape") as raised:
        draw(shuffled, image_shape=(8, 8, 1))
    assert str(raised.value) == (
        "image_shape=(8, 8, 1) needs rows of 64 columns. Got 12 instead. Give the shape of the "
        "images that the rows are."
    )


def levels(codes):
    """Factors of rows: of the second dimension, of none, one that does not vary, of the first."""
    chance = np.random.RandomState(1).randint(2, size=len(codes))
    of_second = np.digitize(codes[:, 1], np.quantile(codes[:, 1], [0.3, 0.6]))
    return np.column_stack([of_second, chance, np.ones(len(codes)), codes[:, 0] > 0])


NAMES = ["hat", "coin", "nose", "beard"]


def test_rows_are_the_factors_by_the_dimension_that_tells_most(shuffled):
    factors = levels(shuffled.transform(X)).astype(int)
    display = draw(shuffled, factors=factors, factor_names=NAMES)
    varies = [0, 1, 3]
    expected = mutual_information_gap(
        factors[:, varies], shuffled.transform(X), strategy="quantile", details=True
    )
    assert display.names == ["hat", "coin", "beard"]
    np.testing.assert_array_equal(display.dimensions, expected.top_codes[:, 0])
    assert (display.dimensions[0], display.dimensions[2]) == (1, 0)
    shares = expected.information[display.dimensions, [0, 1, 2]] / expected.entropies
    np.testing.assert_allclose(display.informativeness, shares)
    np.testing.assert_array_equal(display.telling, [True, False, True])
    labels = texts(display.axes_[0].get_yticklabels())
    told = display.informativeness
    assert [label.rsplit("\n", 1)[0] for label in labels] == [
        f"hat\n$z_{{1}}$   MI {told[0]:.2f}",
        f"coin\n$z_{{{display.dimensions[1]}}}$   tells nothing",
        f"beard\n$z_{{0}}$   MI {told[2]:.2f}",
    ]
    for codes, dimension in zip(display.codes, display.dimensions, strict=True):
        moves = np.ptp(codes, axis=0) > 0
        np.testing.assert_array_equal(np.flatnonzero(moves), [dimension])


def test_names_are_those_of_a_frame_or_numbers(shuffled):
    factors = pd.DataFrame(levels(shuffled.transform(X)).astype(int), columns=NAMES)
    assert draw(shuffled, factors=factors, n_dimensions=2).names == ["hat", "coin"]
    assert draw(shuffled, factors=factors.to_numpy()).names == ["factor 0", "factor 1", "factor 3"]


def test_factors_that_name_nothing_are_one_sentence(shuffled):
    factors = levels(shuffled.transform(X))
    with pytest.raises(ValueError, match="factor_names") as raised:
        draw(shuffled, factors=factors, factor_names=["hat"])
    assert str(raised.value) == (
        "factor_names must name 4 factors. Got 1 names instead. Give one for each column of "
        "factors."
    )
    with pytest.raises(ValueError, match="vary") as raised:
        draw(shuffled, factors=factors[:, [2]])
    assert str(raised.value) == (
        "LatentTraversalDisplay needs factors that vary. Got one level of each instead. Leave "
        "factors out."
    )
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        draw(shuffled, factors=factors[:20])
