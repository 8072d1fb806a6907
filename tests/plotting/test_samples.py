import numpy as np
import pytest
from pictures import COLOUR, GREY, cells, fitted, flowers, optimum, pixels, texts
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.plotting import SampleDisplay

X = pixels()


@pytest.fixture(scope="module")
def models():
    return {"AE": fitted(AutoencoderTransformer, X), "VAE": optimum(X)}


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_a_row_for_the_data_and_for_every_model(models, shape):
    latent = {"AE": "standard-normal"}
    display = SampleDisplay.from_estimator(
        models, X, n_samples=4, latent=latent, random_state=0, image_shape=shape
    )
    seed = np.random.RandomState(0).randint(2**31 - 1)
    expected = [
        X[:4],
        models["AE"].sample(4, random_state=seed, latent="standard-normal"),
        models["VAE"].sample(4, random_state=seed),
    ]
    np.testing.assert_array_equal(np.stack(list(display.samples.values())), expected)
    shown = np.reshape(expected, (3, 4, *shape))
    shown = shown if shape == GREY else shown.clip(0, 1)
    np.testing.assert_array_equal(cells(display.axes_[0], 3, 4, shape), shown)
    assert texts(display.axes_[0].get_yticklabels()) == ["data", "AE", "VAE"]


@pytest.mark.parametrize("random_state", [None, 3])
def test_models_get_the_same_codes(random_state):
    vae = optimum(X)
    display = SampleDisplay.from_estimator([vae, vae], random_state=random_state, image_shape=GREY)
    one, two = display.samples.values()
    np.testing.assert_array_equal(one, two)
    again = SampleDisplay.from_estimator(vae, random_state=random_state, image_shape=GREY)
    same = np.array_equal(again.samples["VAETransformer"], one)
    assert same == (random_state is not None)


def test_a_density_of_codes(models):
    vae = models["VAE"]
    density = GaussianMixture(2, random_state=0).fit(vae.transform(X))
    display = SampleDisplay.from_estimator(vae, n_samples=4, latent=density, image_shape=GREY)
    expected = vae.inverse_transform(
        GaussianMixture(2, random_state=0).fit(vae.transform(X)).sample(4)[0]
    )
    np.testing.assert_allclose(np.sort(display.samples["VAETransformer"], 0), np.sort(expected, 0))


def test_samples_of_one_model_make_a_square_whose_last_row_may_be_short(models):
    display = SampleDisplay.from_estimator(
        models["VAE"], n_samples=7, random_state=0, image_shape=GREY
    )
    rows = display.samples["VAETransformer"].reshape(7, *GREY)
    shown = cells(display.axes_[0], 3, 3, GREY).reshape(9, *GREY)
    np.testing.assert_array_equal(shown[:7], rows)
    assert np.isnan(shown[7:]).all()
    assert texts(display.axes_[0].get_yticklabels()) == []


def test_a_panel_for_each_model_where_its_samples_take_several_rows(models):
    samples = {"one": X[:6], "two": X[6:12], "three": X[12:16]}
    display = SampleDisplay.from_predictions(samples, image_shape=GREY, n_columns=3)
    assert [axes.get_title() for axes in display.axes_] == list(samples)
    for axes, rows in zip(display.axes_, samples.values(), strict=True):
        shown = cells(axes, 2, 3, GREY).reshape(6, 12)
        np.testing.assert_array_equal(shown[: len(rows)], rows)
        assert np.isnan(shown[len(rows) :]).all()


def test_samples_of_a_pipeline_are_in_the_units_of_the_data():
    data = 16 * X
    pipe = make_pipeline(MinMaxScaler(), fitted(VAETransformer, X)).fit(data)
    display = SampleDisplay.from_estimator(pipe, data, random_state=0, image_shape=GREY)
    seed = np.random.RandomState(0).randint(2**31 - 1)
    expected = pipe[:-1].inverse_transform(pipe[-1].sample(10, random_state=seed))
    np.testing.assert_array_equal(display.samples["VAETransformer"], expected)
    assert display.axes_[0].images[0].get_clim() == (0, 16)


def test_bytes_are_shown_from_0_to_255_without_data(models):
    images = (255 * X).astype(np.uint8)
    vae = fitted(VAETransformer, images, input_scale=1 / 255)
    display = SampleDisplay.from_estimator(vae, random_state=0, image_shape=GREY)
    assert display.axes_[0].images[0].get_clim() == (0, 255)


def test_rows_without_names_have_a_panel_for_each_model_and_a_line_for_each_sample():
    data = flowers()[0].to_numpy()
    vae = VAETransformer(2, max_epochs=1, random_state=0).fit(data)
    display = SampleDisplay.from_estimator(vae, data, n_samples=5, random_state=0)
    assert [axes.get_title(loc="left") for axes in display.axes_] == ["data", "VAETransformer"]
    for axes, rows in zip(display.axes_, display.samples.values(), strict=True):
        lines = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(lines, (rows - data.mean(axis=0)) / data.std(axis=0))
    assert texts(display.axes_[-1].get_xticklabels()) == ["x0", "x1", "x2", "x3"]
    alone = SampleDisplay.from_estimator(vae, n_samples=5, random_state=0)
    np.testing.assert_array_equal(
        alone.axes_[0].lines[0].get_ydata(), alone.samples["VAETransformer"][0]
    )


def test_different_columns_and_models_that_cannot_sample_are_one_sentence(models):
    with pytest.raises(ValueError, match="columns") as raised:
        SampleDisplay.from_predictions({"a": X, "b": X[:, :4]}, image_shape=GREY)
    assert str(raised.value) == (
        "Rows that are shown together must have the same columns. Got {'a': 12, 'b': 4} instead. "
        "Draw them in figures of their own."
    )
    with pytest.raises(TypeError, match="SampleDisplay needs an estimator with sample, or a"):
        SampleDisplay.from_estimator(PCA(2).fit(X))
    with pytest.raises(ValueError, match="The 'n_samples' parameter of"):
        SampleDisplay.from_estimator(models, n_samples=0)


def test_data_that_are_none_are_refused_in_a_sentence():
    vae = optimum(X)
    missing = X.copy()
    missing[50, 0] = np.nan
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        SampleDisplay.from_estimator(vae, missing)
    with pytest.raises(ValueError, match=r"^Expected 2D array, got 1D array instead"):
        SampleDisplay.from_estimator(vae, X[0])
    with pytest.raises(ValueError, match=r"^image_shape must be \(height, width, channels\)"):
        SampleDisplay.from_estimator(vae, X, image_shape=64)


def test_models_of_other_columns_are_refused_without_data_too():
    models = {"one": optimum(X), "other": optimum(X[:, :6])}
    with pytest.raises(ValueError, match=r"^Rows that are shown together must have the same"):
        SampleDisplay.from_estimator(models)
