import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import same_color, to_rgb, to_rgba
from pictures import COLOUR, GREY, cells, fitted, optimum, pixels, texts
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skvae import AutoencoderTransformer, VAETransformer
from skvae.metrics import latent_summary
from skvae.plotting import LatentSpaceDisplay

X = pixels()
CLASSES = np.array(["b", "a", "c"])[np.arange(60) % 3]


@pytest.fixture(scope="module")
def vae():
    return optimum(X)


def test_the_two_most_informative_dimensions_are_drawn(vae):
    display = LatentSpaceDisplay.from_estimator(vae, X)
    expected = np.argsort(-latent_summary(vae, X)["kl"])[:2]
    assert display.dimensions == tuple(expected)
    (points,) = display.axes_[0].collections
    np.testing.assert_array_equal(points.get_offsets(), vae.transform(X)[:, expected])
    assert display.axes_[0].get_xlabel() == f"$z_{{{expected[0]}}}$"
    assert display.axes_[0].get_ylabel() == f"$z_{{{expected[1]}}}$"


def test_by_variance_without_a_posterior_and_from_arrays():
    autoencoder = fitted(AutoencoderTransformer, X)
    codes = autoencoder.transform(X)
    expected = tuple(np.argsort(-codes.var(axis=0))[:2])
    assert LatentSpaceDisplay.from_estimator(autoencoder, X).dimensions == expected
    assert LatentSpaceDisplay.from_predictions(codes).dimensions == expected
    display = LatentSpaceDisplay.from_predictions(codes, dimensions=(2, 0))
    (points,) = display.axes_[0].collections
    np.testing.assert_array_equal(points.get_offsets(), codes[:, [2, 0]])


def test_classes_have_a_legend_in_the_colours_of_the_style(vae):
    display = LatentSpaceDisplay.from_estimator(vae, X, CLASSES)
    (axes,) = display.axes_
    codes = vae.transform(X)[:, list(display.dimensions)]
    for points, label, color in zip(axes.collections, "abc", ["C0", "C1", "C2"], strict=True):
        np.testing.assert_array_equal(points.get_offsets(), codes[label == CLASSES])
        np.testing.assert_array_equal(points.get_facecolor(), [to_rgba(color, 0.7)])
    assert texts(axes.get_legend().get_texts()) == ["a", "b", "c"]


def test_more_classes_than_colours_have_others(vae):
    labels = np.arange(60) % 15
    axes = LatentSpaceDisplay.from_estimator(vae, X, labels).axes_[0]
    colours = [tuple(points.get_facecolor()[0][:3]) for points in axes.collections]
    style = [to_rgb(colour) for colour in plt.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert colours[:10] == style
    assert len(set(colours)) == 15


LETTERS = np.array([chr(ord("A") + place) for place in range(26)])


@pytest.mark.parametrize("names", [LETTERS, np.char.add("the letter ", LETTERS), np.arange(26)])
def test_a_legend_of_many_groups_leaves_the_axes_as_they_are(names):
    codes = np.random.RandomState(0).standard_normal((78, 2))
    display = LatentSpaceDisplay.from_predictions(codes, np.tile(names, 3))
    display.figure_.canvas.draw()
    (axes,) = display.axes_
    panel, legend = axes.get_window_extent(), axes.get_legend().get_window_extent()
    assert texts(axes.get_legend().get_texts()) == sorted(map(str, names), key=len)
    assert legend.y0 >= 0
    assert legend.height <= display.figure_.bbox.height
    assert legend.x0 >= panel.x1
    assert legend.x1 <= display.figure_.bbox.width
    assert panel.width == pytest.approx(panel.height, rel=0.1)


def test_names_stand_at_the_medians_of_their_groups():
    codes = np.random.RandomState(0).standard_normal((60, 2))
    axes = LatentSpaceDisplay.from_predictions(
        codes, CLASSES, dimensions=(0, 1), labels="medians"
    ).axes_[0]
    assert axes.get_legend() is None
    assert texts(axes.texts) == ["a", "b", "c"]
    for text in axes.texts:
        of_group = codes[text.get_text() == CLASSES]
        np.testing.assert_allclose(text.get_position(), np.median(of_group, axis=0))


@pytest.mark.parametrize("y", [None, CLASSES, X[:, 0]])
@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_thumbnails_are_the_images_at_their_codes_and_none_is_over_another(vae, y, shape):
    display = LatentSpaceDisplay.from_estimator(
        vae, X, y, dimensions=(0, 1), thumbnails=True, image_shape=shape, n_thumbnails=30
    )
    display.figure_.canvas.draw()
    boxes = list(display.axes_[0].artists)
    assert 5 < len(boxes) <= 30
    codes = vae.transform(X)[:, :2]
    points = {tuple(code): row for row, code in enumerate(codes)}
    for box in boxes:
        row = points[tuple(box.xy)]
        shown = box.offsetbox.get_data().reshape(shape)
        np.testing.assert_allclose(shown, X[row].reshape(shape), atol=1e-12)
        if y is CLASSES:
            place = np.flatnonzero(np.unique(y) == y[row])[0]
            assert same_color(box.patch.get_edgecolor(), f"C{place}")
    extents = [box.get_window_extent() for box in boxes]
    for place, one in enumerate(extents):
        assert not any(one.overlaps(other) for other in extents[:place])
    longest = max(max(box.offsetbox.get_window_extent().size) for box in boxes)
    assert longest / display.figure_.dpi == pytest.approx(0.4, abs=0.05)
    few = display.plot(n_thumbnails=3)
    assert len(few.axes_[0].artists) == 3


def test_images_that_are_there_already_are_drawn_at_their_codes(vae):
    codes = vae.transform(X)
    display = LatentSpaceDisplay.from_predictions(codes, images=X, image_shape=GREY)
    by_estimator = LatentSpaceDisplay.from_estimator(
        vae, X, dimensions=display.dimensions, thumbnails=True, image_shape=GREY
    )
    places = [[box.xy for box in one.axes_[0].artists] for one in (display, by_estimator)]
    np.testing.assert_array_equal(*places)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LatentSpaceDisplay.from_predictions(codes, images=X[:5], image_shape=GREY)


@pytest.mark.parametrize("y", [np.arange(60).astype(str), np.arange(60) % 2 == 0, CLASSES])
def test_labels_are_classes_however_many(vae, y):
    axes = LatentSpaceDisplay.from_estimator(vae, X, y).axes_[0]
    assert texts(axes.get_legend().get_texts()) == [str(label) for label in np.unique(y)]


@pytest.mark.parametrize("y", [X[:, 0], np.arange(60), np.arange(60) % 2 + 0.5])
def test_numbers_have_a_colour_bar(vae, y):
    display = LatentSpaceDisplay.from_estimator(vae, X, y)
    (points,) = display.axes_[0].collections
    np.testing.assert_array_equal(points.get_array(), y)
    assert points.colorbar is not None
    assert display.axes_[0].get_legend() is None


@pytest.mark.parametrize("shape", [GREY, COLOUR])
def test_the_plane_is_decoded_with_the_second_dimension_upwards(vae, shape):
    display = LatentSpaceDisplay.from_estimator(
        vae, X, dimensions=(2, 0), manifold=True, n_steps=4, image_shape=shape
    )
    codes = vae.transform(X)
    across, up = (np.linspace(*np.quantile(codes[:, d], [0.01, 0.99]), 4) for d in (2, 0))
    plane = display.axes_[1]
    shown = cells(plane, 4, 4, shape, padding=0)
    for row in range(4):
        for column in range(4):
            code = codes.mean(axis=0)
            code[2], code[0] = across[column], up[row]
            image = vae.inverse_transform(code[None]).reshape(shape)
            image = image if shape == GREY else image.clip(0, 1)
            np.testing.assert_allclose(shown[3 - row, column], image, atol=1e-12)
    left, right, bottom, top = plane.images[0].get_extent()
    steps = (right - left) / 4, (top - bottom) / 4
    np.testing.assert_allclose([left + steps[0] / 2, bottom + steps[1] / 2], [across[0], up[0]])
    np.testing.assert_allclose([right - steps[0] / 2, top - steps[1] / 2], [across[-1], up[-1]])


def test_a_plane_behind_a_scaler_is_in_the_units_of_the_data():
    pipe = make_pipeline(StandardScaler(), fitted(VAETransformer, X, 2)).fit(X)
    display = LatentSpaceDisplay.from_estimator(
        pipe, X, manifold=True, n_steps=2, image_shape=GREY, dimensions=(0, 1)
    )
    codes = np.array([[x, y] for y in display.grid[1] for x in display.grid[0]])
    np.testing.assert_allclose(display.manifold.reshape(4, 12), pipe.inverse_transform(codes))


@pytest.mark.parametrize("dimensions", [(0, 0), (0, 3), (1,), (-1, 0)])
def test_what_are_no_two_dimensions_is_one_sentence(vae, dimensions):
    with pytest.raises(ValueError, match="dimensions") as raised:
        LatentSpaceDisplay.from_estimator(vae, X, dimensions=dimensions)
    assert str(raised.value) == (
        f"LatentSpaceDisplay needs two different dimensions of the codes, which have 3. Got "
        f"dimensions={dimensions} instead. Count them from 0."
    )


def test_one_dimension_or_no_shape_is_one_sentence(vae):
    with pytest.raises(ValueError, match="which have 1"):
        LatentSpaceDisplay.from_predictions(X[:, :1])
    for what in ("manifold", "thumbnails"):
        with pytest.raises(ValueError, match=what) as raised:
            LatentSpaceDisplay.from_estimator(vae, X, **{what: True})
        assert str(raised.value) == (
            f"{what}=True needs an image_shape. Got None instead. Give (height, width, channels)."
        )
    with pytest.raises(ValueError, match="images needs an image_shape"):
        LatentSpaceDisplay.from_predictions(X, images=X)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LatentSpaceDisplay.from_predictions(X, CLASSES[:5])
    with pytest.raises(ValueError, match="The 'labels' parameter of"):
        LatentSpaceDisplay.from_predictions(X, CLASSES, labels="above")
